"""Page "Experience curves": how the prices of other technologies fell with what was produced."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from pipelines.charts.markup import number
from pipelines.charts.spec import ChartSpec, Frames, Prepared, extremes, some, take, take_or_empty
from pipelines.charts.theme import COUNT_LABEL, FRACTION_LABEL, inline, legend_pick, log_axis, log_scale, span

if TYPE_CHECKING:
    import altair as alt

INSEPARABLE = "cannot_separate_from_time"
_VERDICTS = {
    "separable": "can be told apart from time",
    INSEPARABLE: "cannot be told apart from time",
    "not_applicable": "does not apply",
}
_ESTIMATORS = {
    "moore_trend": "time only",
    "wright_trend": "cumulative production, differences",
    "wright_levels": "cumulative production, levels",
}
_FIT_COLUMNS = {
    "technology": pl.String,
    "estimator": pl.String,
    "learning_rate": pl.Float64,
    "ci_low": pl.Float64,
    "ci_high": pl.Float64,
    "level": pl.Float64,
    "identification": pl.String,
}


def prepare_curves(frames: Frames) -> Prepared:
    """Return unit price and cumulative production, both relative to the first year that has both."""
    points = take(
        frames,
        "core.experience_point",
        "technology",
        "family",
        "year",
        "unit_price",
        "cumulative_production",
        "publisher",
    )
    points = points.filter(pl.col("unit_price") > 0, pl.col("cumulative_production") > 0).sort("technology", "year")
    points = some(
        points.filter(pl.len().over("technology") > 1),
        "No technology has two years of price and production yet.",
    )
    fits = take_or_empty(frames, "mart.experience_fit", **_FIT_COLUMNS).filter(
        pl.col("estimator").str.starts_with("wright_trend")
    )
    # The published initial stock is the main reading; none and twice are shown on the dot plot.
    fits = (
        fits.sort(~pl.col("estimator").str.ends_with("published"), "estimator")
        .unique("technology", keep="first", maintain_order=True)
        .select(
            "technology",
            learning=_rate_text(),
            verdict=pl.col("identification").replace(_VERDICTS),
        )
    )
    first = {
        column: pl.col(column) / pl.col(column).first().over("technology")
        for column in ("unit_price", "cumulative_production")
    }
    rows = points.with_columns(price_ratio=first["unit_price"], production_ratio=first["cumulative_production"]).join(
        fits, on="technology", how="left", maintain_order="left"
    )
    rows = rows.with_columns(pl.col("learning").fill_null("not estimated"), pl.col("verdict").fill_null("not tested"))
    names = tuple(rows["technology"].unique(maintain_order=True))
    last = rows.group_by("technology", maintain_order=True).last().sort("price_ratio")
    steepest = last.row(0, named=True)
    fall = number(float(f"{1 / steepest['price_ratio']:.3g}"))
    blurred = last.filter(pl.col("verdict") == _VERDICTS[INSEPARABLE]).height
    return Prepared(
        rows=rows,
        alt_text=(
            f"{len(names)} technologies. The largest fall is that of {steepest['technology']}: by {steepest['year']} "
            f"the unit price was 1/{fall} of its first. For {blurred} of them "
            f"production cannot be told apart from time."
        ),
        pick=("technology", names),
    )


def _rate_text() -> pl.Expr:
    rate, low, high = (
        (pl.col(column) * 100).round(0).cast(pl.Int64, strict=False)
        for column in ("learning_rate", "ci_low", "ci_high")
    )
    return pl.coalesce(
        pl.format("{} % per doubling ({} to {})", rate, low, high),
        pl.format("{} % per doubling", rate),
        pl.lit("not estimated"),
    )


def draw_curves(prepared: Prepared) -> alt.LayerChart:
    """Draw one line per technology, both axes logarithmic."""
    import altair as alt

    rows = prepared.rows
    names = list(prepared.pick[1]) if prepared.pick else []
    pick = legend_pick("technology")
    across, up = span(rows["production_ratio"]), span(rows["price_ratio"])
    x = alt.X(
        "production_ratio:Q",
        scale=log_scale(*across),
        axis=log_axis(*across, f"{COUNT_LABEL} + '×'"),
        title="Cumulative production, first year = 1",
    )
    y = alt.Y(
        "price_ratio:Q",
        scale=log_scale(*up),
        axis=log_axis(*up, FRACTION_LABEL),
        title="Unit price, first year = 1",
    )
    legend = alt.Legend(columns=2, labelLimit=300)
    colour = alt.Color("technology:N", scale=alt.Scale(domain=names), title="Technology", legend=legend)
    faded = alt.when(pick).then(alt.value(1)).otherwise(alt.value(0.1))
    base = alt.Chart(inline(rows))
    line = base.mark_line(strokeWidth=1.5).encode(x, y, colour, order="year:Q", opacity=faded)
    points = base.mark_point(size=34).encode(
        x,
        y,
        colour,
        alt.Shape("technology:N", scale=alt.Scale(domain=names), title="Technology", legend=legend),
        opacity=faded,
        tooltip=[
            alt.Tooltip("technology:N", title="Technology"),
            alt.Tooltip("year:Q", title="Year", format="d"),
            alt.Tooltip("price_ratio:Q", title="Price, first year = 1", format=".3~g"),
            alt.Tooltip("production_ratio:Q", title="Production, first year = 1", format=",.3~r"),
            alt.Tooltip("learning:N", title="Learning rate"),
            alt.Tooltip("verdict:N", title="Production"),
            alt.Tooltip("publisher:N", title="Source"),
        ],
    )
    return alt.LayerChart(layer=[line.add_params(pick), points], height=430)


def prepare_learning_rates(frames: Frames) -> Prepared:
    """Return the learning rate of each technology, estimator and initial stock."""
    fits = take(
        frames,
        "mart.experience_fit",
        *_FIT_COLUMNS,
        "annual_decline",
        "doublings",
        "year_from",
        "year_to",
        "n_rows",
        "flags",
    )
    fits = some(fits.filter(pl.col("learning_rate").is_not_null()), "No learning rate estimated yet.")
    parts = pl.col("estimator").str.split(":")
    rows = fits.with_columns(
        how=parts.list.first().replace(_ESTIMATORS),
        stock=parts.list.get(1, null_on_oob=True).fill_null("not used"),
        interval=_rate_text(),
        verdict=pl.col("identification").replace(_VERDICTS),
        warnings=pl.when(pl.col("flags").fill_null("") == "").then(pl.lit("none")).otherwise("flags"),
        years=pl.format("{} to {}", "year_from", "year_to"),
    ).sort("technology", "estimator")
    blurred = rows.filter(pl.col("identification") == INSEPARABLE)["technology"].n_unique()
    low, high = extremes(rows["learning_rate"])
    return Prepared(
        rows=rows,
        alt_text=(
            f"Learning rates of {rows['technology'].n_unique()} technologies between {low:.0%} and {high:.0%} per "
            f"doubling; for {blurred} technologies production grew too steadily to tell it apart from time."
        ),
        pick=("how", tuple(rows["how"].unique(maintain_order=True))),
    )


def draw_learning_rates(prepared: Prepared) -> alt.LayerChart:
    """Draw a dot per estimate with its interval; hollow where production cannot be told apart from time."""
    import altair as alt

    rows = prepared.rows
    hows = list(prepared.pick[1]) if prepared.pick else []
    stocks = sorted(rows["stock"].unique())
    keys = list(dict.fromkeys(rows["estimator"].sort()))
    pick = legend_pick("how")
    low, high = extremes(rows["learning_rate"])
    scale = alt.Scale(domain=[min(-0.1, low - 0.1), min(1.0, high + 0.15)], nice=False)
    y = alt.Y("technology:N", title=None, axis=alt.Axis(labelLimit=250, grid=True))
    offset = alt.YOffset("estimator:N", sort=keys)
    colour = alt.Color(
        "how:N",
        scale=alt.Scale(domain=hows),
        title="Explained by",
        legend=alt.Legend(columns=2, labelLimit=300),
    )
    faded = alt.when(pick).then(alt.value(1)).otherwise(alt.value(0.1))
    fits = alt.Chart(inline(rows))
    rules = fits.mark_rule(clip=True).encode(
        alt.X("ci_low:Q", scale=scale), alt.X2("ci_high:Q"), y, offset, colour, opacity=faded
    )
    points = fits.mark_point(clip=True, size=50).encode(
        alt.X(
            "learning_rate:Q",
            scale=scale,
            axis=alt.Axis(format=".0%"),
            title="Price lost per doubling of cumulative production",
        ),
        y,
        offset,
        colour,
        alt.Shape("stock:N", scale=alt.Scale(domain=stocks), title="Initial stock"),
        stroke=colour,
        fillOpacity=alt.when(alt.datum.identification == INSEPARABLE).then(alt.value(0)).otherwise(alt.value(1)),
        opacity=faded,
        tooltip=[
            alt.Tooltip("technology:N", title="Technology"),
            alt.Tooltip("how:N", title="Explained by"),
            alt.Tooltip("stock:N", title="Initial stock"),
            alt.Tooltip("interval:N", title="Learning rate"),
            alt.Tooltip("level:Q", title="Level of the interval", format=".0%"),
            alt.Tooltip("verdict:N", title="Production"),
            alt.Tooltip("years:N", title="Years"),
            alt.Tooltip("n_rows:Q", title="Rows"),
            alt.Tooltip("warnings:N", title="Warnings"),
        ],
    )
    zero = (
        alt.Chart(inline(pl.DataFrame({"at": [0.0]}))).mark_rule(strokeDash=[5, 4]).encode(alt.X("at:Q", scale=scale))
    )
    height = 11 * len(keys) * rows["technology"].n_unique()
    return alt.LayerChart(layer=[zero, rules.add_params(pick), points], height=max(200, height))


_SOURCES = ("performance_curve_database", "our_world_in_data")

CHARTS = (
    ChartSpec(
        "experience_curves",
        "Unit price against cumulative production",
        "experience",
        ("core.experience_point", "mart.experience_fit"),
        _SOURCES,
        prepare_curves,
        draw_curves,
        {
            "technology": "Technology",
            "year": "Year",
            "price_ratio": "Unit price, first year = 1",
            "production_ratio": "Cumulative production, first year = 1",
            "learning": "Learning rate",
            "verdict": "Production",
            "publisher": "Source",
        },
    ),
    ChartSpec(
        "learning_rates",
        "Learning rates, with their intervals",
        "experience",
        ("mart.experience_fit",),
        _SOURCES,
        prepare_learning_rates,
        draw_learning_rates,
        {
            "technology": "Technology",
            "how": "Explained by",
            "stock": "Initial stock",
            "interval": "Learning rate",
            "verdict": "Production",
            "years": "Years",
            "n_rows": "Rows",
            "warnings": "Warnings",
        },
    ),
)
