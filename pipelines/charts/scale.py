"""Page "Scale": how soon a small saving on a large cost base pays for the effort that finds it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from pipelines.charts.spec import ChartSpec, Frames, Prepared, some, take
from pipelines.charts.theme import inline, log_axis, log_scale, span

if TYPE_CHECKING:
    import altair as alt


def prepare_payback(frames: Frames) -> Prepared:
    """Return the payback time per company and year."""
    rows = take(
        frames,
        "mart.scale_payback",
        "company",
        "period",
        "cost_base_usd",
        "saving_share",
        "effort_usd",
        "annual_saving_usd",
        "break_even_spend_usd",
        "payback_years",
        "payback_years_low",
        "payback_years_high",
        "confidence",
    )
    rows = rows.with_columns(
        row=pl.format("{} {}", "company", "period"),
        range=pl.coalesce(
            pl.format(
                "{} to {} years",
                *(pl.col(f"payback_years_{end}").round_sig_figs(2) for end in ("low", "high")),
            ),
            pl.lit("none"),
        ),
    ).sort("cost_base_usd", "row", descending=[True, False])
    paid = some(rows.filter(pl.col("payback_years").is_not_null()), "No cost base pays the effort back.")
    least, most = (
        paid.sort("payback_years").row(0, named=True),
        paid.sort("payback_years").row(-1, named=True),
    )
    return Prepared(
        rows=rows,
        alt_text=(
            f"The saving pays the effort back after {least['payback_years']:.1f} years at {least['row']} and after "
            f"{most['payback_years']:.1f} years at {most['row']}."
        ),
        pick=None,
    )


def draw_payback(prepared: Prepared) -> alt.LayerChart:
    """Draw a dot per cost base, with the range of what the effort costs, against one year."""
    import altair as alt

    rows = prepared.rows
    labels = list(rows["row"])
    ends = span([*rows["payback_years"], *rows["payback_years_low"], *rows["payback_years_high"], 1.0])
    scale = log_scale(*ends)
    y = alt.Y("row:N", sort=labels, title=None, axis=alt.Axis(labelLimit=250, grid=True))
    base = alt.Chart(inline(rows))
    colour = alt.Color("company:N", title="Company", legend=None)
    points = base.mark_point(size=90).encode(
        alt.X(
            "payback_years:Q",
            scale=scale,
            axis=log_axis(*ends, "format(datum.value, '~r')"),
            title="Years until the saving has paid for the effort",
        ),
        y,
        colour,
        tooltip=[
            alt.Tooltip("company:N", title="Company"),
            alt.Tooltip("period:N", title="Period"),
            alt.Tooltip("cost_base_usd:Q", title="Cost base, USD a year", format="$,.3~s"),
            alt.Tooltip("saving_share:Q", title="Saving", format=".4~%"),
            alt.Tooltip("annual_saving_usd:Q", title="Saving, USD a year", format="$,.3~s"),
            alt.Tooltip("effort_usd:Q", title="Effort, USD", format="$,.3~s"),
            alt.Tooltip("payback_years:Q", title="Payback, years", format=".3~g"),
            alt.Tooltip("range:N", title="Cheaper to dearer effort"),
            alt.Tooltip("confidence:N", title="Confidence"),
        ],
    )
    rules = base.mark_rule(strokeWidth=2).encode(
        alt.X("payback_years_low:Q", scale=scale), alt.X2("payback_years_high:Q"), y, colour
    )
    year = alt.Chart(inline(pl.DataFrame({"at": [1.0], "says": ["one year"]}))).encode(alt.X("at:Q", scale=scale))
    return alt.LayerChart(
        layer=[
            year.mark_rule(strokeDash=[5, 4]),
            year.mark_text(align="left", baseline="bottom", dx=4, dy=-4).encode(text="says:N", y=alt.value(0)),
            rules,
            points,
        ],
        height=max(160, 24 * rows.height),
    )


CHARTS = (
    ChartSpec(
        "scale_payback",
        "Years until a tiny saving has paid for the effort",
        "scale",
        ("mart.scale_payback",),
        ("company_disclosures",),
        prepare_payback,
        draw_payback,
        {
            "company": "Company",
            "period": "Period",
            "cost_base_usd": "Cost base, USD a year",
            "annual_saving_usd": "Saving, USD a year",
            "effort_usd": "Effort, USD",
            "break_even_spend_usd": "Yearly cost base that pays within four years, USD",
            "payback_years": "Payback, years",
            "range": "Cheaper to dearer effort",
            "confidence": "Confidence",
        },
    ),
)
