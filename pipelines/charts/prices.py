"""Page "List prices": how the list prices of well-known AI models moved, as steps."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from pipelines.charts.frontier import usd
from pipelines.charts.spec import ChartSpec, Frames, Prepared, extremes, some, take
from pipelines.charts.theme import USD_LABEL, date_x, inline, legend_pick, log_axis, log_scale, span
from pipelines.units import USD_PER_MTOK

if TYPE_CHECKING:
    import altair as alt

MODELS_SHOWN = 12
_METERS = {
    "usd_per_mtok": "blended (3 input : 1 output)",
    "input_usd_per_mtok": "input",
    "output_usd_per_mtok": "output",
}


def prepare_list_prices(frames: Frames) -> Prepared:
    """Return the dated prices of the models that name a level of performance, then of record setters that moved most.

    Of several listings of a model its developer's own is shown, then the one that changed most often.
    """
    offers = take(
        frames,
        "mart.price_offer",
        "ai_model_id",
        "developer",
        "provider",
        "listing_id",
        "valid_from",
        "valid_to",
        *_METERS,
        "date_kind",
        "is_headline",
        "source",
    )
    offers = some(
        offers.filter("is_headline", pl.col("usd_per_mtok") > 0, pl.col("date_kind").is_in(("launch", "list_change"))),
        "No list price that may enter headline fits yet.",
    )
    offers = offers.unique(["listing_id", "valid_from"], keep="first", maintain_order=False).sort(
        "listing_id", "valid_from"
    )
    is_own = pl.col("provider").str.to_lowercase() == pl.col("developer").str.to_lowercase()
    listings = (
        offers.group_by("ai_model_id", "listing_id")
        .agg(
            is_own=is_own.first(),
            steps=pl.col("usd_per_mtok").rle_id().max() + 1,
            spread=pl.col("usd_per_mtok").max() / pl.col("usd_per_mtok").min(),
        )
        .sort("is_own", "steps", "spread", "listing_id", descending=[True, True, True, False])
        .unique("ai_model_id", keep="first", maintain_order=True)
        .join(_renown(frames), on="ai_model_id", how="left")
        .with_columns(has_moved=(pl.col("records") > 0) & (pl.col("steps") > 1))
        .sort(
            "names_level",
            "has_moved",
            "steps",
            "spread",
            "ai_model_id",
            descending=[True, True, True, True, False],
            nulls_last=True,
        )
        .head(MODELS_SHOWN)
    )
    rows = offers.join(listings.select("listing_id"), on="listing_id").sort("ai_model_id", "valid_from")
    newest = max(rows["valid_from"].max(), rows["valid_to"].max() or rows["valid_from"].max())  # type: ignore[type-var]
    ends = rows.group_by("listing_id", maintain_order=True).last()
    ends = ends.with_columns(valid_from=pl.coalesce("valid_to", pl.lit(newest)))
    drawn = pl.concat([rows, ends.select(rows.columns)])
    names = tuple(rows["ai_model_id"].unique(maintain_order=True))
    changes = rows.height - len(names)
    cheapest, dearest = extremes(rows["usd_per_mtok"])
    return Prepared(
        rows=rows,
        alt_text=(
            f"List prices of {len(names)} AI models with {changes} changes; blended prices lie between "
            f"{usd(cheapest)} and {usd(dearest)} per million tokens."
        ),
        layers={
            "steps": drawn.select(
                "ai_model_id", "provider", "source", "date_kind", *_METERS, pl.col("valid_from").alias("date")
            ).sort("ai_model_id", "date")
        },
        pick=("ai_model_id", names),
        sources=tuple(sorted(rows["source"].unique())),
    )


def _renown(frames: Frames) -> pl.DataFrame:
    """Return per AI model whether it names a level of performance, and how many record lows it set at such levels."""
    steps = take(frames, "mart.price_frontier", "axis", "threshold", "series", "ai_model_id")
    levels = take(frames, "mart.threshold", "axis", "threshold", "reference_model_id").drop_nulls("reference_model_id")
    records = steps.filter(pl.col("series") == "records").join(levels, on=["axis", "threshold"])
    return (
        records.group_by("ai_model_id")
        .agg(records=pl.len())
        .join(
            levels.select(ai_model_id="reference_model_id", names_level=pl.lit(1)).unique(),
            on="ai_model_id",
            how="full",
            coalesce=True,
        )
        .with_columns(pl.col("records", "names_level").fill_null(0))
    )


def draw_list_prices(prepared: Prepared) -> alt.LayerChart:
    """Draw one step line per model, with a menu for the meter."""
    import altair as alt

    rows = prepared.layers["steps"]
    names = list(prepared.pick[1]) if prepared.pick else []
    ends = span(price for meter in _METERS for price in rows[meter])
    pick = legend_pick("ai_model_id")
    meter = alt.param(
        name="meter",
        value="usd_per_mtok",
        bind=alt.binding_select(options=list(_METERS), labels=list(_METERS.values()), name="Price: "),
    )
    base = alt.Chart(inline(rows)).transform_calculate(
        # Free is a price, but it has no place on a log axis.
        usd="datum[meter] > 0 ? datum[meter] : null"
    )
    x = date_x()
    y = alt.Y("usd:Q", scale=log_scale(*ends), axis=log_axis(*ends, USD_LABEL), title=f"{USD_PER_MTOK}, list price")
    legend = alt.Legend(columns=3)
    colour = alt.Color("ai_model_id:N", scale=alt.Scale(domain=names), title="AI model", legend=legend)
    shape = alt.Shape("ai_model_id:N", scale=alt.Scale(domain=names), title="AI model", legend=legend)
    faded = alt.when(pick).then(alt.value(1)).otherwise(alt.value(0.1))
    line = base.mark_line(interpolate="step-after").encode(x, y, colour, opacity=faded)
    points = base.mark_point().encode(
        x,
        y,
        colour,
        shape,
        opacity=faded,
        tooltip=[
            alt.Tooltip("ai_model_id:N", title="AI model"),
            alt.Tooltip("provider:N", title="Provider"),
            alt.Tooltip("date:T", title="Date", format="%Y-%m-%d"),
            alt.Tooltip("date_kind:N", title="Date is"),
            alt.Tooltip("input_usd_per_mtok:Q", title="Input", format="$,.4~g"),
            alt.Tooltip("output_usd_per_mtok:Q", title="Output", format="$,.4~g"),
            alt.Tooltip("usd_per_mtok:Q", title="Blended", format="$,.4~g"),
            alt.Tooltip("source:N", title="Source"),
        ],
    )
    return alt.LayerChart(layer=[line.add_params(pick), points], height=420).add_params(meter)


CHARTS = (
    ChartSpec(
        "list_prices",
        "List prices of the models that set the levels and the records",
        "prices",
        ("mart.price_frontier", "mart.price_offer", "mart.threshold"),
        ("reference",),
        prepare_list_prices,
        draw_list_prices,
        {
            "ai_model_id": "AI model",
            "provider": "Provider",
            "valid_from": "From",
            "valid_to": "Until",
            "input_usd_per_mtok": "Input, USD per million tokens",
            "output_usd_per_mtok": "Output",
            "usd_per_mtok": "Blended",
            "date_kind": "Date is",
            "source": "Source",
        },
    ),
)
