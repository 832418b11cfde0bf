"""`freefall price`: the commonest question, without SQL."""

from __future__ import annotations

import difflib
from datetime import date, datetime

import click
import duckdb
import polars as pl

from pipelines.cli.output import json_text, print_table
from pipelines.config import Config
from pipelines.errors import FreefallError
from pipelines.warehouse.connection import open_published

_PRICES = r"""
    select
        listing.family,
        event.ai_model_id,
        event.provider,
        listing.source_model_id as listed_as,
        max(event.usd_per_mtok) filter (event.meter = 'input') as input_usd_per_mtok,
        max(event.usd_per_mtok) filter (event.meter = 'output') as output_usd_per_mtok,
        max(event.usd_per_mtok) filter (event.meter = 'cache_read') as cache_read_usd_per_mtok,
        max(event.valid_from) as since,
        arg_max(event.date_kind, event.valid_from) as date_kind,
        event.source
    from price_asof($on_date) as event
    inner join core.listing as listing using (listing_id)
    where event.tier_min_tokens = 0
        and event.meter in ('input', 'output', 'cache_read')
        and not regexp_matches(coalesce(listing.variant, ''), '(^|\+)(batch|ft)(\+|$)')
        and (
            lower(event.ai_model_id) = $name
            or lower(listing.source_model_id) = $name
            or lower(listing.family) = $name
            or lower(event.listing_id) = $name
        )
    group by all
    order by blend(input_usd_per_mtok, output_usd_per_mtok) nulls last, event.provider, listed_as
"""


@click.command("price")
@click.argument("model")
@click.option(
    "--on",
    "on_date",
    type=click.DateTime(["%Y-%m-%d"]),
    help="Day to look at (UTC). Default: the newest price list.",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def command(model: str, on_date: datetime | None, as_json: bool) -> None:
    """Say what MODEL costs at every provider, in USD per million tokens, cheapest blend (3 input : 1 output) first.

    MODEL is a name of the model (deepseek-r1), an id as a provider publishes it (claude-sonnet-4-5), or
    provider/id. `date_kind` says what `since` is: launch and list_change are dates of the price list,
    observed is the day we saw the price.

    \b
    freefall price deepseek-r1
    freefall price gpt-4o-2024-05-13 --on 2024-06-01
    """  # noqa: D301 - \b is click's mark for text that is not rewrapped
    with open_published(Config.from_environment().home.published_database) as connection:
        day = on_date.date() if on_date is not None else None
        if day is None:
            day = connection.execute("select max(vintage_date) from core.source").fetchall()[0][0]
        frame = _prices(connection, model.lower(), day)
        if frame.is_empty():
            known = connection.execute(
                "select ai_model_id from core.ai_model union select family from core.listing where family is not null"
            ).fetchall()
            near = difflib.get_close_matches(model.lower(), [row[0] for row in known], n=5, cutoff=0.5)
            hint = f"; did you mean {', '.join(near)}?" if near else ""
            raise FreefallError(f"price: no dated price of {model!r} on {day}{hint}")
    if as_json:
        click.echo(json_text(frame))
    else:
        print_table(frame, title=f"USD per million tokens, standard tier, on {day}")


def _prices(connection: duckdb.DuckDBPyConnection, name: str, day: date) -> pl.DataFrame:
    frame: pl.DataFrame = connection.sql(_PRICES, params={"name": name, "on_date": day}).pl()
    return frame.drop("family")
