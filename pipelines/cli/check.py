"""`freefall check`: run every check again on the warehouse as it stands."""

from __future__ import annotations

import dataclasses

import click
import duckdb
import polars as pl

from pipelines.cli.output import json_text, print_table
from pipelines.config import Config
from pipelines.errors import FreefallError
from pipelines.schema.catalog import TABLES
from pipelines.warehouse.build import check_table


@click.command("check")
@click.argument("tables", nargs=-1)
@click.option("--json", "as_json", is_flag=True, help="Print every outcome as JSON.")
def command(tables: tuple[str, ...], as_json: bool) -> int:
    """Run the expectation suites and the queries of sql/checks on the warehouse, changing nothing.

    TABLES are names such as core.price_event; default: all that are built. Exit code 1 when a critical check fails.
    """
    path = Config.from_environment().home.warehouse
    if not path.is_file():
        raise FreefallError(f"{path}: nothing built yet; run `freefall run` first")
    unknown = set(tables) - {table.qualified for table in TABLES}
    if unknown:
        raise click.UsageError(f"no such table: {', '.join(sorted(unknown))}")
    try:
        connection = duckdb.connect(str(path), read_only=True)
    except duckdb.Error as error:
        raise FreefallError(f"{path}: cannot be opened now ({str(error).splitlines()[0]})") from error
    with connection:
        built = {row[0] for row in connection.execute("select table_name from meta.table_state").fetchall()}
        wanted = [table for table in TABLES if table.qualified in (set(tables) or built)]
        outcomes = [outcome for table in wanted for outcome in check_table(connection, table)]
    failed = [outcome for outcome in outcomes if not outcome.is_passed]
    if as_json:
        click.echo(json_text([dataclasses.asdict(outcome) for outcome in outcomes]))
    else:
        if failed:
            print_table(pl.DataFrame([dataclasses.asdict(outcome) for outcome in failed]).drop("is_passed"))
        click.echo(f"{len(outcomes)} checks of {len(wanted)} tables, {len(failed)} not held")
    return 1 if any(outcome.severity == "critical" for outcome in failed) else 0
