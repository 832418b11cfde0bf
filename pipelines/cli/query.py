"""`freefall query`: SQL on the published database."""

from __future__ import annotations

import io
import sys

import click
import duckdb
import polars as pl

from pipelines.cli.output import json_text, print_table
from pipelines.config import Config
from pipelines.errors import FreefallError
from pipelines.warehouse.connection import open_published


# A query may begin with a comment, which looks like an option.
@click.command("query", context_settings={"ignore_unknown_options": True})
@click.argument("sql")
@click.option(
    "--format",
    "output_format",
    type=click.Choice(["table", "csv", "json", "parquet"]),
    default="table",
    show_default=True,
    help="Parquet goes to standard output: redirect it to a file.",
)
@click.option("--json", "as_json", is_flag=True, help="Short for --format json.")
def command(sql: str, output_format: str, as_json: bool) -> None:
    """Ask the published database, read-only and without access to files or network.

    SQL is a statement, or - to read one from standard input.

    \b
    freefall query "from mart.claim_verdict"
    freefall query "from price_asof('2025-01-20') where ai_model_id = 'deepseek-r1'"
    freefall query "from cheapest_at('gpqa', 50, '2026-01-01')" --format json
    freefall query - < sql/examples/06_frontier_steps.sql
    freefall query "select table_name, column_name, comment from duckdb_columns()" --format csv
    """  # noqa: D301 - \b is click's mark for text that is not rewrapped
    with open_published(Config.from_environment().home.published_database) as connection:
        try:
            relation = connection.sql(sys.stdin.read() if sql == "-" else sql)
            if relation is None:
                raise FreefallError("query: expected a statement that returns rows")
            frame = relation.pl()
            rendered = _rendered(frame, "json" if as_json else output_format)
        except duckdb.Error as error:
            raise FreefallError(f"query: {_one_line(error)}") from error
        except pl.exceptions.PolarsError as error:
            first = str(error).splitlines()[0]
            raise FreefallError(f"query: a column has a type that cannot be shown so ({first}); cast it") from error
    if isinstance(rendered, bytes):
        sys.stdout.buffer.write(rendered)
    elif rendered is not None:
        click.echo(rendered, nl=not rendered.endswith("\n"))
    else:
        print_table(frame)


def _rendered(frame: pl.DataFrame, output_format: str) -> str | bytes | None:
    """Return a frame in a format for programs; None for the table, which is for people."""
    if output_format == "json":
        return json_text(frame)
    if output_format == "csv":
        return frame.write_csv()
    if output_format == "parquet":
        if sys.stdout.isatty():
            raise click.UsageError("Parquet is binary: redirect it, for example `> rows.parquet`")
        buffer = io.BytesIO()
        frame.write_parquet(buffer)
        return buffer.getvalue()
    return None


def _one_line(error: duckdb.Error) -> str:
    """Return what DuckDB says before it quotes the statement."""
    return " ".join(str(error).split("\n\nLINE ", maxsplit=1)[0].split())
