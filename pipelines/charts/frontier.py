"""Page "Price frontier": the lowest list price at which a level of performance could be bought.

What belongs here: the frontier per axis, and the one level that opens the site. What does not: how the
frontier is found (analysis/frontier.py) and how fast it falls (decline.py).
"""

from __future__ import annotations

import re
from functools import partial
from typing import TYPE_CHECKING

import polars as pl

from pipelines.charts.spec import ChartSpec, Frames, Prepared, some, take, take_or_empty
from pipelines.charts.theme import (
    PICTURE_HEIGHT,
    USD_LABEL,
    date_x,
    inline,
    legend_pick,
    log_axis,
    log_scale,
    span,
    thinned,
    wide_only,
)
from pipelines.units import DAYS_PER_YEAR, USD_PER_MTOK

if TYPE_CHECKING:
    import altair as alt

AXES = {
    "eci": "Epoch Capabilities Index",
    "gpqa": "GPQA Diamond",
    "mmlu": "MMLU",
}
_HEADLINE_LEVEL = re.compile(r"^GPT-4(?![0-9A-Za-z.])")
_FRONTIER = (
    "axis",
    "threshold",
    "threshold_label",
    "series",
    "date",
    "usd_per_mtok",
    "ai_model_id",
    "provider",
    "source",
)


def usd(amount: float) -> str:
    """Write a price as people read it: $0.05, $2.50, $30."""
    return f"${amount:,.0f}" if amount >= 10 else f"${amount:.2f}" if amount >= 0.1 else f"${amount:.3g}"


def prepare_frontier(axis: str, frames: Frames) -> Prepared:
    """Return every step of the frontiers of one axis."""
    steps = take(frames, "mart.price_frontier", *_FRONTIER)
    newest = steps["date"].max()
    steps = some(steps.filter(pl.col("axis") == axis), f"No price frontier on the axis {AXES[axis]} yet.")
    return _prepared(frames, steps, newest, f"{AXES[axis]}: lowest price per level of performance.")


def prepare_headline(frames: Frames) -> Prepared:
    """Return the frontier of the level that GPT-4 reached, on the axis that decides the claim."""
    steps = take(frames, "mart.price_frontier", *_FRONTIER)
    newest = steps["date"].max()
    fits = take_or_empty(frames, "mart.decline_fit", axis=pl.String, is_headline=pl.Boolean)
    deciding = fits.filter("is_headline")["axis"].to_list()
    for axis in dict.fromkeys((*deciding, *AXES)):
        of_axis = steps.filter((pl.col("axis") == axis) & (pl.col("series") == "available"))
        for label in sorted(of_axis["threshold_label"].unique()):
            if _HEADLINE_LEVEL.match(label):
                level = steps.filter((pl.col("axis") == axis) & (pl.col("threshold_label") == label))
                return _prepared(
                    frames, level, newest, f"Lowest price at the level of {label} on {AXES.get(axis, axis)}."
                )
    return _prepared(frames, some(steps.clear(), "No price frontier at the level of GPT-4 yet."), newest, "")


def _prepared(frames: Frames, steps: pl.DataFrame, newest: object, what: str) -> Prepared:
    steps = steps.sort("threshold", "series", "date", descending=[True, False, False])
    levels = tuple(steps["threshold_label"].unique(maintain_order=True))
    available = steps.filter(pl.col("series") == "available")
    # The last step holds until the newest fact, so it is drawn that far.
    closing = available.group_by("threshold_label", maintain_order=True).last().with_columns(date=pl.lit(newest))
    drawn = pl.concat([available, closing.select(available.columns)])
    records = steps.filter(pl.col("series") == "records", pl.col("usd_per_mtok") > 0)
    return Prepared(
        rows=steps.rename({"threshold_label": "level"}),
        alt_text=f"{what} {_then_and_now(drawn)}",
        layers={
            "steps": _tooltips(drawn),
            "records": _tooltips(records),
            "labels": _labels(records, drawn),
            "bands": _bands(frames, drawn, newest),
        },
        pick=("level", levels),
        sources=tuple(sorted(steps["source"].drop_nulls().unique())),
    )


def _then_and_now(drawn: pl.DataFrame) -> str:
    """Say where the most demanding level with a price began and where it stands."""
    for _, level in drawn.filter(pl.col("usd_per_mtok") > 0).group_by("threshold_label", maintain_order=True):
        first, last = level.row(0, named=True), level.row(-1, named=True)
        if first["date"] < last["date"]:
            return (
                f"Level {first['threshold_label']}: {usd(first['usd_per_mtok'])} per million tokens on {first['date']} "
                f"({first['ai_model_id']}), {usd(last['usd_per_mtok'])} on {last['date']} ({last['ai_model_id']})."
            )
    return "No level has a price on two dates yet."


def _tooltips(steps: pl.DataFrame) -> pl.DataFrame:
    """Keep what a step shows and says; a day without an offer stays a gap."""
    return steps.select(
        "date",
        pl.when(pl.col("usd_per_mtok") > 0).then("usd_per_mtok").alias("usd"),
        pl.col("threshold_label").alias("level"),
        pl.col("ai_model_id").fill_null("none").alias("ai_model"),
        pl.col("provider").fill_null("nobody"),
        pl.col("source").fill_null("no offer"),
    )


def _labels(records: pl.DataFrame, drawn: pl.DataFrame) -> pl.DataFrame:
    """Name the AI models that set records, newest first, where there is room."""
    rows = _tooltips(records.sort("date", "threshold", descending=True)).unique(
        ["date", "ai_model"], maintain_order=True
    )
    low, high = span(drawn["usd_per_mtok"])
    first, last = drawn["date"].min(), drawn["date"].max()
    places = rows.select(
        x=(pl.col("date") - first).dt.total_days() / max(1, (last - first).days),  # type: ignore[operator, union-attr]
        y=(pl.col("usd") / low).log() / pl.lit(high / low).log(),
        width=pl.col("ai_model").str.len_chars() * 0.0095,
    )
    return rows.filter(pl.Series(thinned(places.rows()), dtype=pl.Boolean))


def _bands(frames: Frames, drawn: pl.DataFrame, newest: object) -> pl.DataFrame:
    """Return the two ends of each frontier's drift interval, from its first price to the newest day."""
    fits = take_or_empty(
        frames,
        "mart.decline_fit",
        axis=pl.String,
        threshold=pl.Float64,
        estimator=pl.String,
        sample=pl.String,
        ci_low=pl.Float64,
        ci_high=pl.Float64,
        is_headline=pl.Boolean,
        window_from=pl.Date,
    )
    fits = (
        fits.filter(pl.col("estimator") == "frontier_drift", pl.col("ci_low") > 0, pl.col("ci_high").is_finite())
        # The plain sample of what could be bought, before variants of it.
        .sort(pl.col("sample") != "available", ~pl.col("is_headline"), "window_from", "sample")
        .unique(["axis", "threshold"], keep="first", maintain_order=True)
        .select("axis", "threshold", "ci_low", "ci_high")
    )
    starts = drawn.filter(pl.col("usd_per_mtok") > 0).group_by(
        "axis", "threshold", "threshold_label", maintain_order=True
    )
    years = (pl.lit(newest) - pl.col("date")).dt.total_days() / DAYS_PER_YEAR
    begin = starts.first().join(fits, on=["axis", "threshold"], how="inner", maintain_order="left")
    first = begin.select("date", pl.col("threshold_label").alias("level"), low="usd_per_mtok", high="usd_per_mtok")
    last = begin.select(
        pl.lit(newest).alias("date"),
        pl.col("threshold_label").alias("level"),
        low=pl.col("usd_per_mtok") * (-years * pl.col("ci_high").log()).exp(),
        high=pl.col("usd_per_mtok") * (-years * pl.col("ci_low").log()).exp(),
    )
    return pl.concat([first, last])


def draw_frontier(prepared: Prepared) -> alt.LayerChart:
    """Draw steps for what could be bought, points for new lows, a band for the drift."""
    import altair as alt

    layers = prepared.layers
    ends = span(layers["steps"]["usd"])
    levels = list(prepared.pick[1]) if prepared.pick else []
    pick = legend_pick("level")
    y_title = f"{USD_PER_MTOK}, blended list price"
    x = date_x()
    y = alt.Y("usd:Q", scale=log_scale(*ends), axis=log_axis(*ends, USD_LABEL), title=y_title)
    legend = alt.Legend() if len(levels) > 1 else None
    colour = alt.Color("level:N", scale=alt.Scale(domain=levels), title="Level", legend=legend)
    shape = alt.Shape("level:N", scale=alt.Scale(domain=levels), title="Level", legend=legend)
    tooltip = [
        alt.Tooltip("ai_model:N", title="AI model"),
        alt.Tooltip("provider:N", title="Provider"),
        alt.Tooltip("date:T", title="Date", format="%Y-%m-%d"),
        alt.Tooltip("usd:Q", title=USD_PER_MTOK, format="$,.4~g"),
        alt.Tooltip("level:N", title="Level"),
        alt.Tooltip("source:N", title="Source"),
    ]
    faded = alt.when(pick).then(alt.value(1)).otherwise(alt.value(0.12))
    band = (
        alt.Chart(inline(layers["bands"]))
        .mark_area(clip=True)
        .encode(
            x,
            alt.Y("low:Q", scale=log_scale(*ends), title=y_title),
            alt.Y2("high:Q"),
            colour,
            # Several bands at once would hide each other: one shows when its level is selected.
            opacity=alt.when(pick, empty=len(levels) == 1).then(alt.value(0.16)).otherwise(alt.value(0)),
        )
    )
    steps = alt.Chart(inline(layers["steps"]))
    line = steps.mark_line(interpolate="step-after").encode(x, y, colour, opacity=faded)
    dots = steps.mark_point(size=14, shape="circle").encode(x, y, colour, opacity=faded, tooltip=tooltip)
    lows = (
        alt.Chart(inline(layers["records"]))
        .mark_point(size=60)
        .encode(x, y, colour, shape, opacity=faded, tooltip=tooltip)
    )
    names = alt.Chart(inline(layers["labels"])).encode(x, y, text="ai_model:N", opacity=wide_only())
    return alt.LayerChart(
        layer=[
            band.add_params(pick),
            line,
            dots,
            names.mark_text(align="right", dx=-8, dy=9, style="halo"),
            names.mark_text(align="right", dx=-8, dy=9),
            lows,
        ],
        height=PICTURE_HEIGHT,
    )


_TABLE = {
    "level": "Level",
    "series": "Series",
    "date": "From",
    "usd_per_mtok": USD_PER_MTOK,
    "ai_model_id": "AI model",
    "provider": "Provider",
    "source": "Source",
}
_TABLES = ("mart.price_frontier", "mart.decline_fit")

CHARTS = (
    ChartSpec(
        "headline",
        "The lowest price of GPT-4's level of performance",
        "index",
        _TABLES,
        ("reference", "epoch_ai"),
        prepare_headline,
        draw_frontier,
        _TABLE,
    ),
    *(
        ChartSpec(
            f"frontier_{axis}",
            f"Lowest price per level of {name}",
            "frontier",
            _TABLES,
            ("reference", "epoch_ai"),
            partial(prepare_frontier, axis),
            draw_frontier,
            _TABLE,
        )
        for axis, name in AXES.items()
    ),
)
