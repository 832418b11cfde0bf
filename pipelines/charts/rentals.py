"""Page "GPU-hours": what an hour of a GPU is rented for, by chip and by kind of contract."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from pipelines.charts.spec import ChartSpec, Frames, Prepared, some, take
from pipelines.charts.theme import (
    PICTURE_HEIGHT,
    USD_LABEL,
    date_x,
    inline,
    legend_pick,
    log_axis,
    log_scale,
    span,
)
from pipelines.units import USD_PER_GPU_HOUR

if TYPE_CHECKING:
    import altair as alt

CHIPS_SHOWN = 7
POINTS_PER_MONTH_LIMIT = 1_500
_COLUMNS = ("date", "provider", "gpu", "chip", "pricing", "usd_per_gpu_hour", "source_url")


def _rentals(frames: Frames, pricing: str) -> pl.DataFrame:
    rentals = take(frames, "core.gpu_rental_price", *_COLUMNS)
    return some(
        rentals.filter(pl.col("pricing") == pricing, pl.col("usd_per_gpu_hour") > 0).with_columns(
            chip=pl.coalesce("chip", "gpu"), source_url=pl.col("source_url").fill_null("not recorded")
        ),
        f"No {pricing.replace('_', '-')} prices of GPU-hours yet.",
    )


def prepare_panel(pricing: str, frames: Frames) -> Prepared:
    """Return the median of each provider's prices per chip and month, and the median over providers."""
    rentals = _rentals(frames, pricing)
    chips = rentals["chip"].value_counts().sort("count", "chip", descending=[True, False]).head(CHIPS_SHOWN)["chip"]
    rentals = rentals.filter(pl.col("chip").is_in(chips.to_list()))
    for every in ("1mo", "1q"):
        rows = (
            rentals.group_by("chip", "provider", pl.col("date").dt.truncate(every))
            .agg(
                pl.col("usd_per_gpu_hour").median(),
                prices=pl.len(),
                source_url=pl.col("source_url").min(),
            )
            .sort("chip", "date", "provider")
        )
        if rows.height <= POINTS_PER_MONTH_LIMIT:
            break
    medians = (
        rows.group_by("chip", "date")
        .agg(median=pl.col("usd_per_gpu_hour").median(), providers=pl.col("provider").n_unique())
        .sort("chip", "date")
    )
    names = tuple(sorted(rows["chip"].unique()))
    newest = medians.sort("date", "chip").row(-1, named=True)
    return Prepared(
        rows=rows,
        alt_text=(
            f"{rows.height} {pricing.replace('_', '-')} prices of {len(names)} chips; the newest median is "
            f"${newest['median']:.2f} per GPU-hour for {newest['chip']} in {newest['date']:%B %Y}, "
            f"from {newest['providers']} provider(s)."
        ),
        layers={"medians": medians},
        pick=("chip", names),
    )


def prepare_on_demand(frames: Frames) -> Prepared:
    """Return on-demand prices."""
    return prepare_panel("on_demand", frames)


def prepare_spot(frames: Frames) -> Prepared:
    """Return spot prices."""
    return prepare_panel("spot", frames)


def prepare_indices(frames: Frames) -> Prepared:
    """Return what publishers of indices say, one row each."""
    rows = _rentals(frames, "index").select("date", "provider", "gpu", "chip", "usd_per_gpu_hour", "source_url")
    rows = rows.unique().sort("chip", "date", "provider", "usd_per_gpu_hour")
    widest = (
        rows.group_by("chip")
        .agg(n=pl.len(), low=pl.col("usd_per_gpu_hour").min(), high=pl.col("usd_per_gpu_hour").max())
        .sort("n", "chip", descending=[True, False])
        .row(0, named=True)
    )
    return Prepared(
        rows=rows,
        alt_text=(
            f"{widest['n']} published index readings for {widest['chip']} lie between ${widest['low']:.2f} and "
            f"${widest['high']:.2f} per GPU-hour."
        ),
        pick=("chip", tuple(sorted(rows["chip"].unique()))),
    )


def draw_panel(prepared: Prepared) -> alt.LayerChart:
    """Draw a point per provider and month, and the median per chip where the panel has one."""
    import altair as alt

    names = list(prepared.pick[1]) if prepared.pick else []
    ends = span(prepared.rows["usd_per_gpu_hour"], pad=1.3)
    pick = legend_pick("chip")
    x = date_x()
    scale, axis = log_scale(*ends), log_axis(*ends, USD_LABEL)
    colour = alt.Color("chip:N", scale=alt.Scale(domain=names), title="Chip")
    points = (
        alt.Chart(inline(prepared.rows))
        .mark_point(size=45)
        .encode(
            x,
            alt.Y("usd_per_gpu_hour:Q", scale=scale, axis=axis, title=USD_PER_GPU_HOUR),
            colour,
            alt.Shape("chip:N", scale=alt.Scale(domain=names), title="Chip"),
            opacity=alt.when(pick).then(alt.value(0.85)).otherwise(alt.value(0.06)),
            tooltip=[
                alt.Tooltip("chip:N", title="Chip"),
                alt.Tooltip("provider:N", title="Provider"),
                alt.Tooltip("date:T", title="Date", format="%Y-%m-%d"),
                alt.Tooltip("usd_per_gpu_hour:Q", title=USD_PER_GPU_HOUR, format="$.2f"),
                alt.Tooltip("source_url:N", title="Source"),
            ],
        )
    )
    if "medians" not in prepared.layers:
        return alt.LayerChart(layer=[points.add_params(pick)], height=PICTURE_HEIGHT)
    line = (
        alt.Chart(inline(prepared.layers["medians"]))
        .mark_line(strokeWidth=1.2)
        .encode(
            x,
            alt.Y("median:Q", scale=scale, title=USD_PER_GPU_HOUR),
            colour,
            opacity=alt.when(pick).then(alt.value(0.6)).otherwise(alt.value(0.06)),
            tooltip=[
                alt.Tooltip("chip:N", title="Chip"),
                alt.Tooltip("date:T", title="From", format="%Y-%m-%d"),
                alt.Tooltip("median:Q", title="Median over providers", format="$.2f"),
                alt.Tooltip("providers:Q", title="Providers"),
            ],
        )
    )
    return alt.LayerChart(layer=[line.add_params(pick), points], height=PICTURE_HEIGHT)


_TABLE = {
    "chip": "Chip",
    "provider": "Provider",
    "date": "Month or quarter from",
    "usd_per_gpu_hour": USD_PER_GPU_HOUR,
    "prices": "Prices in the median",
}
_SOURCES = ("reference", "compute_curve")

CHARTS = (
    ChartSpec(
        "rental_on_demand",
        "GPU-hours on demand",
        "rentals",
        ("core.gpu_rental_price",),
        _SOURCES,
        prepare_on_demand,
        draw_panel,
        _TABLE,
    ),
    ChartSpec(
        "rental_spot",
        "GPU-hours at spot prices",
        "rentals",
        ("core.gpu_rental_price",),
        _SOURCES,
        prepare_spot,
        draw_panel,
        _TABLE,
    ),
    ChartSpec(
        "rental_indices",
        "Published indices, which disagree",
        "rentals",
        ("core.gpu_rental_price",),
        _SOURCES,
        prepare_indices,
        draw_panel,
        {
            "chip": "Chip",
            "gpu": "As named",
            "provider": "Publisher",
            "date": "Date",
            "usd_per_gpu_hour": USD_PER_GPU_HOUR,
        },
    ),
)
