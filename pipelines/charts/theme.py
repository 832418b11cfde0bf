"""How charts look: colours, shapes, axes, the legend a reader can click, and the line that names sources.

Colours are told apart by people with the common colour blindnesses and stand out from their background by
at least 3:1; shapes repeat what colour says. The spec of a chart holds no colour: light and dark are two
Vega-Lite configurations, so one spec serves both.
"""

from __future__ import annotations

import math
import textwrap
from typing import TYPE_CHECKING, Any

import polars as pl
from polars import selectors

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import altair as alt

PICTURE_WIDTH = 700
PICTURE_HEIGHT = 380
NARROW = 480

LIGHT_BACKGROUND = "#ffffff"
DARK_BACKGROUND = "#14181f"
LIGHT_COLOURS = ("#0068a8", "#c24a00", "#00795a", "#8a3f9e", "#8a6a00", "#b3264f", "#4f5bd5", "#5f6368")
DARK_COLOURS = ("#5ab4f0", "#ff9a57", "#3fcf9f", "#d79be6", "#e8cf4a", "#ff8fa8", "#a3adff", "#b8bec7")
# Seven against eight: colour and shape together stay unique for 56 series.
SHAPES = ("circle", "square", "triangle-up", "diamond", "cross", "triangle-down", "triangle-right")
GREY = "#868c95"

_FONT = "system-ui, Liberation Sans, Arial, sans-serif"
_LOG_LADDERS = (tuple(range(1, 10)), (1, 2, 5), (1, 3), (1,))
MOST_TICKS = 8


def config(*, is_dark: bool) -> dict[str, Any]:
    """Return the Vega-Lite configuration of one of the two looks."""
    ink, muted, grid = ("#e6e9ee", "#b4bbc6", "#2c3440") if is_dark else ("#1b1f24", "#4a525c", "#e3e6ea")
    background = DARK_BACKGROUND if is_dark else LIGHT_BACKGROUND
    return {
        "background": background,
        # The whole picture has one description and a table; one more per mark would double its size.
        "aria": False,
        "font": _FONT,
        "range": {"category": list(DARK_COLOURS if is_dark else LIGHT_COLOURS), "symbol": list(SHAPES)},
        "view": {"stroke": None, "continuousWidth": PICTURE_WIDTH, "continuousHeight": PICTURE_HEIGHT},
        "axis": {
            "domainColor": muted,
            "tickColor": muted,
            "gridColor": grid,
            "labelColor": ink,
            "titleColor": muted,
            "labelFontSize": 12,
            "titleFontSize": 12,
            "titleFontWeight": "normal",
        },
        # On a log axis a title beside the labels takes width that a telephone does not have.
        "axisY": {
            "titleAngle": 0,
            "titleAlign": "left",
            "titleAnchor": "end",
            "titleBaseline": "bottom",
            "titleX": 0,
            "titleY": -8,
        },
        "legend": {
            "labelColor": ink,
            "titleColor": muted,
            "labelFontSize": 12,
            "titleFontSize": 12,
            "titleFontWeight": "normal",
            "labelLimit": 220,
            "symbolOpacity": 1,
            "symbolBaseFillColor": muted,
            "symbolBaseStrokeColor": muted,
            "symbolSize": 80,
            "symbolStrokeWidth": 2,
            "orient": "bottom",
            "columns": 4,
        },
        "title": {
            "color": ink,
            "subtitleColor": muted,
            "anchor": "start",
            "frame": "group",
            "fontSize": 16,
            "subtitleFontSize": 11,
            "subtitleLineHeight": 15,
            "offset": 26,
        },
        "line": {"strokeWidth": 2},
        "point": {"size": 55, "filled": True},
        "rule": {"color": muted},
        "text": {"color": ink, "fontSize": 11},
        # Text over lines is printed twice: first as its own background.
        "style": {"halo": {"stroke": background, "strokeWidth": 4, "strokeJoin": "round"}},
    }


def inline(frame: pl.DataFrame) -> alt.InlineData:
    """Return rows as CSV that stands in the spec: half the size of JSON rows. Days are local midnights."""
    import altair as alt

    finite = selectors.float()
    rows = frame.with_columns(pl.when(finite.is_finite()).then(finite))
    parse = {name: _vega_type(kind) for name, kind in rows.schema.items()}
    return alt.InlineData(
        values=rows.write_csv(date_format="%Y-%m-%dT00:00"), format=alt.CsvDataFormat(type="csv", parse=parse)
    )


def _vega_type(kind: pl.DataType) -> str:
    return (
        "number"
        if kind.is_numeric()
        else "date"
        if kind.is_temporal()
        else "boolean"
        if kind == pl.Boolean
        else "string"
    )


def log_ticks(low: float, high: float) -> list[float]:
    """Return readable ticks of a log axis: 1-2-5 over short spans, decades over long ones."""
    exponents = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    for ladder in _LOG_LADDERS:
        ticks = [float(f"{step}e{exponent}") for exponent in exponents for step in ladder]
        ticks = [tick for tick in ticks if low <= tick <= high]
        if len(ticks) <= MOST_TICKS:
            return ticks
    return ticks[:: math.ceil(len(ticks) / MOST_TICKS)]


def span(numbers: Iterable[float | None], *, pad: float = 1.5) -> tuple[float, float]:
    """Return the ends of a log axis: smallest and largest positive number with some air."""
    shown = [number for number in numbers if number is not None and number > 0 and math.isfinite(number)]
    return (min(shown) / pad, max(shown) * pad) if shown else (0.1, 10)


def log_scale(low: float, high: float) -> alt.Scale:
    """Return a log scale between two ends."""
    import altair as alt

    return alt.Scale(type="log", domain=[low, high], nice=False)


# d3 would print 0.1 as $0.1 and 0.05 as 5e-2.
USD_LABEL = (
    "datum.value >= 1 ? format(datum.value, '$,~f') : "
    "datum.value >= 0.01 ? format(datum.value, '$.2f') : format(datum.value, '$.3~f')"
)
FRACTION_LABEL = (
    "datum.value >= 1 ? format(datum.value, '~r') : '1/' + replace(format(1 / datum.value, '.2~s'), 'G', 'bn')"
)
COUNT_LABEL = "replace(format(datum.value, '~s'), 'G', 'bn')"
TIMES_LABEL = "format(datum.value, '~r') + '×'"
PERCENT_LABEL = "datum.value >= 0.01 ? format(datum.value, ',~%') : format(datum.value, '.3~%')"


def log_axis(low: float, high: float, label: str) -> alt.Axis:
    """Return the axis that goes with `log_scale`, its labels written by a Vega expression."""
    import altair as alt

    return alt.Axis(values=log_ticks(low, high), labelExpr=label, grid=True)


def date_x(column: str = "date") -> alt.X:
    """Return a date axis with room for the symbols at its ends."""
    import altair as alt

    axis = alt.Axis(grid=False, tickCount=alt.ExprRef(f"width < {NARROW} ? 4 : 8"), labelOverlap=True)
    return alt.X(f"{column}:T", axis=axis, title=None, scale=alt.Scale(padding=8))


def legend_pick(column: str) -> alt.Parameter:
    """Return the selection that a click on a legend entry, or the menu under the chart, sets."""
    import altair as alt

    return alt.selection_point(name="pick", fields=[column], bind="legend")


def wide_only(opacity: float = 1) -> alt.Value[Any]:
    """Return an opacity that hides labels where the chart is too narrow for them."""
    import altair as alt

    return alt.value(alt.ExprRef(f"width < {NARROW} ? 0 : {opacity}"))


def thinned(rows: Sequence[tuple[float, float, float]]) -> list[bool]:
    """Say which labels can be printed without overlap, first come first served.

    Args:
        rows: x (0 to 1), y (0 to 1) and width (share of the chart) of each label, which ends at its x.
    """
    height = 0.045
    placed: list[tuple[float, float, float]] = []
    kept = []
    for x, y, width in rows:
        is_free = x - width > -0.02 and all(
            x - width > other_x or other_x - other_width > x or abs(y - other_y) > height
            for other_x, other_y, other_width in placed
        )
        kept.append(is_free)
        if is_free:
            placed.append((x, y, width))
    return kept


def picture_title(title: str, source_line: str) -> dict[str, Any]:
    """Return the title that exported pictures carry: what is shown, and whose data it is."""
    return {"text": title, "subtitle": textwrap.wrap(source_line, 118)}
