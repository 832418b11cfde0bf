"""Page "Speed of the fall": every estimate of how fast the price of constant performance falls."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import polars as pl

from pipelines.charts.frontier import AXES
from pipelines.charts.markup import number
from pipelines.charts.spec import ChartSpec, Frames, Prepared, extremes, some, take, take_or_empty
from pipelines.charts.theme import (
    GREY,
    TIMES_LABEL,
    inline,
    legend_pick,
    log_axis,
    log_scale,
    span,
    wide_only,
)
from pipelines.units import FACTOR_PER_YEAR, decline_from_factor

if TYPE_CHECKING:
    import altair as alt

CLAIMED_FACTOR = 10.0
INTERVAL_REACH = 5
ROW_HEIGHT = 17
HEADLINE, BESIDE, LIMITED = "decides the claim", "stands beside it", "carries a warning"
_COLUMNS = (
    "axis",
    "threshold",
    "estimator",
    "sample",
    "price_basis",
    "window_from",
    "window_to",
    "factor_per_year",
    "ci_low",
    "ci_high",
    "level",
    "n_rows",
    "n_models",
    "n_clusters",
    "flags",
    "is_headline",
)


def interval_text(low: str, high: str, digits: int = 3) -> pl.Expr:
    """Write an interval as people read it; a missing one is said to be missing."""
    ends = [pl.col(end).round_sig_figs(digits).cast(pl.String).str.strip_suffix(".0") for end in (low, high)]
    return (
        pl.when(pl.col(low).is_not_null() & pl.col(high).is_not_null())
        .then(pl.format("{} to {}", *ends))
        .otherwise(pl.lit("none"))
    )


def prepare_decline(estimator: str, frames: Frames) -> Prepared:
    """Return the fits of one estimator, one row of the dot plot each."""
    fits = take(frames, "mart.decline_fit", *_COLUMNS)
    # One scale for all estimators, so that they can be compared.
    least, most = extremes(fits["factor_per_year"])
    reach = fits.select(
        pl.col("ci_low").clip(least / INTERVAL_REACH), pl.col("ci_high").clip(None, most * INTERVAL_REACH)
    )
    ends = span([*fits["factor_per_year"], *reach["ci_low"], *reach["ci_high"], 1.0, CLAIMED_FACTOR], pad=1.2)
    fits = fits.filter(pl.col("estimator") == estimator, pl.col("factor_per_year") > 0)
    fits = some(fits, f"No fit by {estimator} yet.")
    names = take_or_empty(
        frames, "mart.price_frontier", axis=pl.String, threshold=pl.Float64, threshold_label=pl.String
    ).unique()
    fits = fits.join(names, on=["axis", "threshold"], how="left").with_columns(
        threshold_label=pl.coalesce("threshold_label", pl.col("threshold").cast(pl.String), pl.lit("all")),
        axis_name=pl.col("axis").replace(AXES),
        status=pl.when("is_headline")
        .then(pl.lit(HEADLINE))
        .when(pl.col("flags").fill_null("") != "")
        .then(pl.lit(LIMITED))
        .otherwise(pl.lit(BESIDE)),
        interval=interval_text("ci_low", "ci_high"),
        window=pl.format("{} to {}", "window_from", "window_to"),
        clusters=pl.col("n_clusters").cast(pl.String).fill_null("none"),
        warnings=pl.when(pl.col("flags").fill_null("") == "").then(pl.lit("none")).otherwise("flags"),
    )
    fits = _with_row_labels(fits).sort("axis", "threshold", "sample", "price_basis", "window_from", nulls_last=False)
    low, high = extremes(fits["factor_per_year"])
    return Prepared(
        rows=fits,
        alt_text=(
            f"{fits.height} estimates by {estimator}: from {number(low)} to {number(high)} times cheaper per year; "
            f"{fits.filter('is_headline').height} of them decide the claim, "
            f"{fits.filter(pl.col('status') == LIMITED).height} carry a warning."
        ),
        layers={"ends": pl.DataFrame({"low": [ends[0]], "high": [ends[1]]})},
        pick=("axis_name", tuple(fits["axis_name"].unique(maintain_order=True))),
    )


def _with_row_labels(fits: pl.DataFrame) -> pl.DataFrame:
    """Name each row by what sets it apart from the others, and by no more."""
    # The label of a round level already names its axis.
    level = pl.format(" {}", pl.col("threshold_label").str.strip_prefix(pl.col("axis") + pl.lit(" ")))
    level = pl.when(pl.col("threshold").is_null()).then(pl.lit("")).otherwise(level)
    sample = pl.col("sample").str.replace("_on_date", "").str.replace("_", " ")
    label = pl.format("{}{}: {}", pl.col("axis").str.to_uppercase(), level, sample)
    if fits["price_basis"].n_unique() > 1:
        label = pl.format("{}, {}", label, "price_basis")
    fits = fits.with_columns(row=label)
    window = pl.format("{}, {}–{}", "row", pl.col("window_from").dt.year(), pl.col("window_to").dt.year())
    return fits.with_columns(row=pl.when(pl.len().over("row") > 1).then(window).otherwise("row"))


def draw_decline(prepared: Prepared) -> alt.LayerChart:
    """Draw a dot per fit with its interval, beside the claimed factor and no change."""
    import altair as alt

    low, high = prepared.layers["ends"].row(0)
    rows = prepared.rows
    labels = list(rows["row"].unique(maintain_order=True))
    axes = list(prepared.pick[1]) if prepared.pick else []
    pick = legend_pick("axis_name")
    x = alt.X(
        "factor_per_year:Q",
        scale=log_scale(low, high),
        axis=log_axis(low, high, TIMES_LABEL),
        title=f"Price falls by this {FACTOR_PER_YEAR}",
    )
    y = alt.Y("row:N", sort=labels, title=None, axis=alt.Axis(labelLimit=250, grid=False))
    colour = (
        alt.when(alt.datum.status == LIMITED)
        .then(alt.value(GREY))
        .otherwise(alt.Color("axis_name:N", scale=alt.Scale(domain=axes), title="Axis"))
    )
    faded = alt.when(pick).then(alt.value(1)).otherwise(alt.value(0.12))
    tooltip = [
        alt.Tooltip("row:N", title="Fit"),
        alt.Tooltip("estimator:N", title="Estimator"),
        alt.Tooltip("factor_per_year:Q", title="Factor per year", format=".3~g"),
        alt.Tooltip("interval:N", title="Interval"),
        alt.Tooltip("level:Q", title="Level of the interval", format=".0%"),
        alt.Tooltip("n_rows:Q", title="Rows"),
        alt.Tooltip("n_models:Q", title="AI models"),
        alt.Tooltip("clusters:N", title="Clusters"),
        alt.Tooltip("window:N", title="Window"),
        alt.Tooltip("price_basis:N", title="Price"),
        alt.Tooltip("warnings:N", title="Warnings"),
        alt.Tooltip("status:N", title="This fit"),
    ]
    fits = alt.Chart(inline(rows))
    rules = fits.mark_rule(clip=True, strokeWidth=2).encode(
        alt.X("ci_low:Q", scale=log_scale(low, high)), alt.X2("ci_high:Q"), y, color=colour, opacity=faded
    )
    statuses = [HEADLINE, BESIDE, LIMITED]
    points = fits.mark_point(clip=True).encode(
        x,
        y,
        color=colour,
        shape=alt.Shape(
            "status:N",
            scale=alt.Scale(domain=statuses, range=["diamond", "circle", "cross"]),
            title="This fit",
        ),
        size=alt.when(alt.datum.status == HEADLINE).then(alt.value(150)).otherwise(alt.value(60)),
        opacity=faded,
        tooltip=tooltip,
    )
    claimed = decline_from_factor(CLAIMED_FACTOR)
    marks = pl.DataFrame(
        {
            "at": [1.0, claimed.factor_per_year],
            "says": [
                "no change",
                f"{claimed.factor_per_year:.0f}× a year = {claimed.percent_per_year:.0f} % a year",
            ],
        }
    )
    lines = alt.Chart(inline(marks)).encode(alt.X("at:Q", scale=log_scale(low, high)))
    return alt.LayerChart(
        layer=[
            lines.mark_rule(strokeDash=[5, 4]),
            lines.mark_text(align="left", baseline="bottom", dx=4, dy=-4).encode(
                text="says:N", y=alt.value(0), opacity=wide_only()
            ),
            rules.add_params(pick),
            points,
        ],
        height=ROW_HEIGHT * max(3, len(labels)),
    )


_TABLE = {
    "row": "Fit",
    "factor_per_year": "Factor per year",
    "interval": "Interval",
    "level": "Level of the interval",
    "n_rows": "Rows",
    "n_models": "AI models",
    "clusters": "Clusters",
    "window": "Window",
    "warnings": "Warnings",
    "status": "This fit",
}

CHARTS = tuple(
    ChartSpec(
        f"decline_{estimator}",
        title,
        "decline",
        ("mart.decline_fit", "mart.price_frontier"),
        ("reference", "epoch_ai", "genai_prices"),
        partial(prepare_decline, estimator),
        draw_decline,
        _TABLE,
    )
    for estimator, title in (
        ("score_controlled_trend", "Score-controlled trend: price at equal score"),
        ("frontier_drift", "Frontier drift: the lowest offer, month by month"),
        ("record_low_trend", "Trend of record lows: as the literature does it"),
    )
)
