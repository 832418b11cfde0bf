"""Page "Capacity": how many of the installed accelerators the claim would take, and what is disclosed today."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from pipelines.charts.spec import ChartSpec, Frames, Prepared, extremes, some, take
from pipelines.charts.theme import (
    COUNT_LABEL,
    PERCENT_LABEL,
    PICTURE_HEIGHT,
    date_x,
    inline,
    legend_pick,
    log_axis,
    log_scale,
    span,
    thinned,
    wide_only,
)

if TYPE_CHECKING:
    import altair as alt

READINGS = {
    "output_only": "output tokens only",
    "output_with_prefill": "output with its prefill",
    "fleet_day": "a whole fleet over a day",
    "in_out_total": "input and output together",
}
DECIDING_SCENARIO = "frontier_1_to_8x"
DISCLOSERS_SHOWN = 7
OTHERS = "others"
SHARE_NEEDED = "Share of the accelerators free for serving"
PER_PERSON = "Tokens per person on earth and day"
CLAIMED_TOKENS = "tokens of the claim"


def prepare_coverage(frames: Frames) -> Prepared:
    """Return the share of the accelerators free for serving that is needed, per date, scenario and reading."""
    rows = take(
        frames,
        "mart.capacity_coverage",
        "as_of",
        "scenario",
        "reading",
        "accelerators_needed",
        "installed",
        "share_low",
        "share_central",
        "share_high",
    )
    rows = rows.with_columns(
        read_as=pl.col("reading").replace(READINGS),
        date=pl.col("as_of").cast(pl.String),
        range=pl.format(
            "{} % to {} %", *((pl.col(end) * 100).round_sig_figs(3) for end in ("share_low", "share_high"))
        ),
    ).sort("scenario", "as_of", "reading")
    scenario = _scenarios(rows)[0]
    newest = rows.filter(pl.col("as_of") == pl.col("as_of").max(), pl.col("scenario") == scenario)
    low, high = extremes(newest["share_central"])
    return Prepared(
        rows=rows,
        alt_text=(
            f"At {newest['date'][0]}, scenario {scenario}: between {low:.1%} and {high:.1%} of the "
            f"accelerators free for serving, central values, depending on what counts as a token."
        ),
        pick=("read_as", tuple(rows["read_as"].unique(maintain_order=True))),
    )


def _scenarios(rows: pl.DataFrame) -> list[str]:
    """Return the scenarios, the one that decides the claim first."""
    return sorted(rows["scenario"].unique(), key=lambda scenario: (scenario != DECIDING_SCENARIO, scenario))


def draw_coverage(prepared: Prepared) -> alt.LayerChart:
    """Draw low, central and high share side by side per reading, with a line at the whole stock."""
    import altair as alt

    rows = prepared.rows
    readings = list(prepared.pick[1]) if prepared.pick else []
    scenarios = _scenarios(rows)
    ends = span([*rows["share_low"], *rows["share_central"], *rows["share_high"], 1.0])
    pick = legend_pick("read_as")
    scenario = alt.param(
        name="scenario", value=scenarios[0], bind=alt.binding_select(options=scenarios, name="Scenario: ")
    )
    base = alt.Chart(inline(rows)).transform_filter("datum.scenario == scenario")
    x = alt.X("date:O", title="Installed base at", axis=alt.Axis(labelAngle=0, labelOverlap=True))
    offset = alt.XOffset("read_as:N", sort=readings)
    scale = log_scale(*ends)
    legend = alt.Legend(columns=2, labelLimit=300)
    colour = alt.Color("read_as:N", scale=alt.Scale(domain=readings), title="A token counts as", legend=legend)
    faded = alt.when(pick).then(alt.value(1)).otherwise(alt.value(0.12))
    rules = base.mark_rule(strokeWidth=3).encode(
        x,
        offset,
        alt.Y("share_low:Q", scale=scale, title=SHARE_NEEDED),
        alt.Y2("share_high:Q"),
        colour,
        opacity=faded,
    )
    points = base.mark_point(size=80).encode(
        x,
        offset,
        alt.Y("share_central:Q", scale=scale, axis=log_axis(*ends, PERCENT_LABEL), title=SHARE_NEEDED),
        colour,
        alt.Shape("read_as:N", scale=alt.Scale(domain=readings), title="A token counts as", legend=legend),
        opacity=faded,
        tooltip=[
            alt.Tooltip("date:N", title="Installed base at"),
            alt.Tooltip("scenario:N", title="Scenario"),
            alt.Tooltip("read_as:N", title="A token counts as"),
            alt.Tooltip("share_central:Q", title="Central", format=".3~%"),
            alt.Tooltip("range:N", title="Favourable to unfavourable"),
            alt.Tooltip("accelerators_needed:Q", title="H100-equivalents needed", format=".3~s"),
            alt.Tooltip("installed:Q", title="Installed", format=".3~s"),
        ],
    )
    whole = alt.Chart(inline(pl.DataFrame({"at": [1.0], "says": ["all that are free for serving"]})))
    line = whole.encode(alt.Y("at:Q", scale=scale, title=SHARE_NEEDED))
    says = line.encode(text="says:N", x=alt.value("width"), opacity=wide_only())
    return alt.LayerChart(
        layer=[
            line.mark_rule(strokeDash=[5, 4]),
            rules.add_params(pick),
            points,
            says.mark_text(align="right", baseline="bottom", dx=-4, dy=-3, style="halo"),
            says.mark_text(align="right", baseline="bottom", dx=-4, dy=-3),
        ],
        height=PICTURE_HEIGHT,
    ).add_params(scenario)


def prepare_demand(frames: Frames) -> Prepared:
    """Return disclosed volumes per person and day; those who disclosed most often by name."""
    rows = take(
        frames,
        "mart.token_demand",
        "date",
        "discloser",
        "scope",
        "tokens_per_person_day",
        "share_of_claim",
        "kind",
        "is_nested",
        "source_url",
    )
    rows = some(rows.filter(pl.col("tokens_per_person_day") > 0), "No volume of tokens disclosed yet.")
    often = rows["discloser"].value_counts().sort("count", "discloser", descending=[True, False])
    named = often.head(DISCLOSERS_SHOWN)["discloser"].to_list()
    rows = rows.with_columns(
        who=pl.when(pl.col("discloser").is_in(named)).then("discloser").otherwise(pl.lit(OTHERS)),
        nested=pl.when("is_nested").then(pl.lit("also counted in another row")).otherwise(pl.lit("stands alone")),
        source=pl.col("source_url").fill_null("not recorded"),
    ).sort("who", "date", "scope")
    claimed, _ = extremes((rows["tokens_per_person_day"] / rows["share_of_claim"]).round(0))
    top = rows.sort("tokens_per_person_day").row(-1, named=True)
    return Prepared(
        rows=rows,
        alt_text=(
            f"{rows.height} disclosed volumes; the largest is {top['tokens_per_person_day']:,.0f} tokens per person "
            f"and day ({top['discloser']}, {top['scope']}, {top['date']}; {top['kind']}), "
            f"against {claimed:,.0f} of the claim."
        ),
        layers={
            "claim": pl.DataFrame({"at": [claimed], "says": [f"{claimed:,.0f} {CLAIMED_TOKENS}"]}),
            "labels": _demand_labels(rows),
        },
        pick=("who", (*sorted(named), *([OTHERS] if OTHERS in set(rows["who"]) else []))),
    )


def _demand_labels(rows: pl.DataFrame) -> pl.DataFrame:
    """Name the last volume of each discloser among the others, where there is room."""
    last = (
        rows.filter(pl.col("who") == OTHERS)
        .sort("date")
        .unique("discloser", keep="last")
        .sort("tokens_per_person_day", "discloser")
    )
    low, high = span(rows["tokens_per_person_day"])
    first, days = rows["date"].min(), max(1, (rows["date"].max() - rows["date"].min()).days)  # type: ignore[operator, union-attr]
    places = last.select(
        x=(pl.col("date") - first).dt.total_days() / days,
        y=(pl.col("tokens_per_person_day") / low).log() / pl.lit(high / low).log(),
        width=pl.col("discloser").str.len_chars() * 0.0095,
    )
    return last.filter(pl.Series(thinned(places.rows()), dtype=pl.Boolean)).select(
        "date", "tokens_per_person_day", "discloser"
    )


def draw_demand(prepared: Prepared) -> alt.LayerChart:
    """Draw a point per disclosure; hollow where its tokens are also counted elsewhere."""
    import altair as alt

    rows = prepared.rows
    names = list(prepared.pick[1]) if prepared.pick else []
    claim = prepared.layers["claim"]
    ends = span([*rows["tokens_per_person_day"], *claim["at"]])
    scale = log_scale(*ends)
    pick = legend_pick("who")
    x = date_x()
    y = alt.Y("tokens_per_person_day:Q", scale=scale, axis=log_axis(*ends, COUNT_LABEL), title=PER_PERSON)
    colour = alt.Color("who:N", scale=alt.Scale(domain=names), title="Who says so")
    faded = alt.when(pick).then(alt.value(1)).otherwise(alt.value(0.1))
    line = alt.Chart(inline(claim)).encode(alt.Y("at:Q", scale=scale, title=PER_PERSON))
    points = (
        alt.Chart(inline(rows))
        .mark_point(size=70, strokeWidth=1.5)
        .encode(
            x,
            y,
            colour,
            alt.Shape("who:N", scale=alt.Scale(domain=names), title="Who says so"),
            stroke=colour,
            fillOpacity=alt.when(alt.datum.is_nested).then(alt.value(0)).otherwise(alt.value(0.9)),
            opacity=faded,
            tooltip=[
                alt.Tooltip("discloser:N", title="Who says so"),
                alt.Tooltip("scope:N", title="What is counted"),
                alt.Tooltip("date:T", title="Date", format="%Y-%m-%d"),
                alt.Tooltip("tokens_per_person_day:Q", title="Tokens per person and day", format=",.4~r"),
                alt.Tooltip("share_of_claim:Q", title="Share of the claim", format=".2~%"),
                alt.Tooltip("kind:N", title="Kind"),
                alt.Tooltip("nested:N", title="Counted"),
                alt.Tooltip("source:N", title="Source"),
            ],
        )
        .add_params(pick)
    )
    labels = (
        alt.Chart(inline(prepared.layers["labels"]))
        .mark_text(align="right", dx=-8)
        .encode(x, y, text="discloser:N", opacity=wide_only(0.9))
    )
    return alt.LayerChart(
        layer=[
            line.mark_rule(strokeDash=[5, 4]),
            line.mark_text(align="left", baseline="bottom", dx=4, dy=-3).encode(text="says:N", x=alt.value(0)),
            points,
            labels,
        ],
        height=PICTURE_HEIGHT,
    )


CHARTS = (
    ChartSpec(
        "capacity_coverage",
        "Share of the accelerators that the claim would take",
        "capacity",
        ("mart.capacity_coverage",),
        ("epoch_ai", "deepseek", "united_nations"),
        prepare_coverage,
        draw_coverage,
        {
            "date": "Installed base at",
            "scenario": "Scenario",
            "read_as": "A token counts as",
            "share_low": "Share, favourable",
            "share_central": "Share, central",
            "share_high": "Share, unfavourable",
            "accelerators_needed": "H100-equivalents needed",
            "installed": "H100-equivalents installed",
        },
    ),
    ChartSpec(
        "token_demand",
        "Tokens per person and day, as disclosed",
        "capacity",
        ("mart.token_demand",),
        ("company_disclosures", "united_nations"),
        prepare_demand,
        draw_demand,
        {
            "date": "Date",
            "discloser": "Who says so",
            "scope": "What is counted",
            "tokens_per_person_day": "Tokens per person and day",
            "share_of_claim": "Share of the claim",
            "kind": "Kind",
            "nested": "Counted",
            "source": "Source",
        },
    ),
)
