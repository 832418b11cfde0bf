"""Page "Accelerators": how many are shipped per quarter, and how many have been sold since 2022."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from pipelines.charts.spec import ChartSpec, Frames, Prepared, some, take
from pipelines.charts.theme import (
    COUNT_LABEL,
    PICTURE_HEIGHT,
    date_x,
    inline,
    legend_pick,
    log_axis,
    log_scale,
    span,
)

if TYPE_CHECKING:
    import altair as alt

H100_EQUIVALENTS = "H100-equivalents by 8-bit compute"
WHOLE, PARTIAL = "whole period", "period not over"


def prepare_shipments(frames: Frames) -> Prepared:
    """Return H100-equivalents per designer and quarter, summed over chips.

    The publisher gives the range in units only. One chip is a fixed number of H100-equivalents, so each chip's
    range is carried over as a ratio. Adding the ends of the chips' ranges assumes that they err together, which
    makes the band too wide rather than too narrow.
    """
    shipped = take(
        frames,
        "core.accelerator_shipment",
        "designer",
        "chip",
        "period",
        "period_kind",
        "period_from",
        "metric",
        "low",
        "central",
        "high",
        "is_incomplete",
    )
    shipped = shipped.filter(pl.col("period_kind") == "calendar_quarter")
    wanted = some(shipped.filter(pl.col("metric") == "h100e_8bit"), "No shipments in H100-equivalents yet.")
    units = shipped.filter(pl.col("metric") == "units", pl.col("central") > 0).select(
        "designer",
        "chip",
        "period",
        low_ratio=pl.col("low") / pl.col("central"),
        high_ratio=pl.col("high") / pl.col("central"),
    )
    wanted = wanted.join(units, on=["designer", "chip", "period"], how="left").with_columns(
        low=pl.coalesce("low", pl.col("central") * pl.col("low_ratio")),
        high=pl.coalesce("high", pl.col("central") * pl.col("high_ratio")),
    )
    # A designer's published total and its chips must not be added together.
    has_total = (pl.col("chip") == "ALL").any().over("designer", "period")
    wanted = wanted.filter(~has_total | (pl.col("chip") == "ALL"))
    whole = pl.col("low").is_not_null().all() & pl.col("high").is_not_null().all()
    rows = (
        wanted.group_by("designer", "period", date="period_from")
        .agg(
            central=pl.col("central").sum(),
            low=pl.when(whole).then(pl.col("low").sum()),
            high=pl.when(whole).then(pl.col("high").sum()),
            chips=pl.col("chip").n_unique(),
            state=pl.when(pl.col("is_incomplete").any()).then(pl.lit(PARTIAL)).otherwise(pl.lit(WHOLE)),
        )
        .sort("designer", "date")
    )
    return _by_designer(rows, "shipped in the quarter")


def prepare_installed(frames: Frames) -> Prepared:
    """Return the accelerators sold since 2022 per designer and date."""
    base = take(
        frames,
        "core.installed_base",
        "designer",
        "as_of_date",
        "units",
        "h100e_low",
        "h100e_central",
        "h100e_high",
    )
    rows = base.select(
        "designer",
        pl.col("as_of_date").cast(pl.String).alias("period"),
        date="as_of_date",
        central="h100e_central",
        low="h100e_low",
        high="h100e_high",
        units="units",
        state=pl.lit(WHOLE),
    ).sort("designer", "date")
    return _by_designer(rows, "sold since 2022")


def _by_designer(rows: pl.DataFrame, what: str) -> Prepared:
    rows = some(rows.filter(pl.col("central") > 0), "No accelerators counted yet.")
    newest = rows.group_by("designer").last().sort("central", "designer", descending=[True, False])
    # A period that is not over says little about who leads.
    top = rows.sort(pl.col("state") == WHOLE, "date", "central").row(-1, named=True)
    return Prepared(
        rows=rows,
        alt_text=(
            f"{top['designer']} stands at {top['central']:,.0f} {H100_EQUIVALENTS} {what} ({top['period']}); "
            f"{newest.height} designers are shown."
        ),
        layers={"drawn": rows.with_columns(range=_range())},
        pick=("designer", tuple(newest["designer"])),
    )


def _range() -> pl.Expr:
    ends = [pl.col(end).round_sig_figs(3).cast(pl.Int64, strict=False) for end in ("low", "high")]
    return pl.coalesce(pl.format("{} to {}", *ends), pl.lit("none published"))


def draw_by_designer(prepared: Prepared) -> alt.LayerChart:
    """Draw a line with a 5-95 % band per designer; a period that is not over is hollow."""
    import altair as alt

    rows = prepared.layers["drawn"]
    designers = list(prepared.pick[1]) if prepared.pick else []
    ends = span([*rows["central"], *rows["low"], *rows["high"]])
    pick = legend_pick("designer")
    x = date_x()
    y = alt.Y("central:Q", scale=log_scale(*ends), axis=log_axis(*ends, COUNT_LABEL), title=H100_EQUIVALENTS)
    colour = alt.Color("designer:N", scale=alt.Scale(domain=designers), title="Designer")
    shape = alt.Shape("designer:N", scale=alt.Scale(domain=designers), title="Designer")
    base = alt.Chart(inline(rows))
    band = base.mark_area().encode(
        x,
        alt.Y("low:Q", scale=log_scale(*ends), title=H100_EQUIVALENTS),
        alt.Y2("high:Q"),
        colour,
        opacity=alt.when(pick).then(alt.value(0.2)).otherwise(alt.value(0.03)),
    )
    faded = alt.when(pick).then(alt.value(1)).otherwise(alt.value(0.12))
    line = base.mark_line().encode(x, y, colour, opacity=faded)
    points = base.mark_point().encode(
        x,
        y,
        colour,
        shape,
        opacity=faded,
        fillOpacity=alt.when(alt.datum.state == PARTIAL).then(alt.value(0)).otherwise(alt.value(1)),
        size=alt.when(alt.datum.state == PARTIAL).then(alt.value(120)).otherwise(alt.value(45)),
        stroke=colour,
        tooltip=[
            alt.Tooltip("designer:N", title="Designer"),
            alt.Tooltip("period:N", title="Period"),
            alt.Tooltip("central:Q", title="H100-equivalents", format=",.3~s"),
            alt.Tooltip("range:N", title="5 to 95 %"),
            alt.Tooltip("state:N", title="State"),
        ],
    )
    return alt.LayerChart(layer=[band.add_params(pick), line, points], height=PICTURE_HEIGHT)


_RANGE_COLUMNS = {"central": "H100-equivalents", "low": "5th percentile", "high": "95th percentile"}

CHARTS = (
    ChartSpec(
        "shipments",
        "Accelerators shipped per quarter",
        "accelerators",
        ("core.accelerator_shipment",),
        ("epoch_ai",),
        prepare_shipments,
        draw_by_designer,
        {
            "designer": "Designer",
            "period": "Quarter",
            **_RANGE_COLUMNS,
            "chips": "Chips added",
            "state": "State",
        },
    ),
    ChartSpec(
        "installed_base",
        "Accelerators sold since 2022",
        "accelerators",
        ("core.installed_base",),
        ("epoch_ai",),
        prepare_installed,
        draw_by_designer,
        {"designer": "Designer", "period": "Until", "units": "Accelerators", **_RANGE_COLUMNS},
    ),
)
