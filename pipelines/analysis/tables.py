"""The mart tables that estimators fill: frames in, frames out.

What belongs here: which estimator runs on which rows, and how a `Fit` becomes a row. What does not:
any estimator, any SQL, any clock.
"""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from functools import partial
from typing import Any

import polars as pl

from pipelines.analysis.experience_curve import InitialStock, moore_trend, wright_levels, wright_trend
from pipelines.analysis.fit import Fit
from pipelines.analysis.frontier import price_frontier
from pipelines.analysis.price_decline import (
    Sample,
    Transform,
    frontier_drift,
    record_low_trend,
    score_controlled_trend,
)
from pipelines.analysis.scale_economics import scale_payback
from pipelines.analysis.serving_capacity import (
    Demand,
    InstalledBase,
    Reading,
    Throughput,
    coverage,
    throughput_from_day,
)
from pipelines.units import MILLION, decline_from_factor, decline_from_log_rate

PRICE_BASIS = "blended_3_1"

# `all` carries the claim: `pareto_on_date` chooses rows by their price, and in simulation that choice
# alone makes 1.5 to 2.4x a year out of prices that do not fall (see score_controlled_trend).
HEADLINE_AXIS = "eci"
HEADLINE_SAMPLE: Sample = "all"

_TRANSFORMS: dict[str, Transform] = {"gpqa": "logit", "mmlu": "logit", "eci": "latent"}
_SAMPLES: tuple[Sample, ...] = ("all", "pareto_on_date", "open")
_STOCKS: tuple[InitialStock, ...] = ("published", "none", "twice")
_READINGS: tuple[Reading, ...] = ("output_only", "output_with_prefill", "fleet_day", "in_out_total")
_HEADLINE_KINDS = ("launch", "list_change")


@dataclass(frozen=True)
class Window:
    """A span of dates, half-open; None is open."""

    name: str
    starts: date | None = None
    ends: date | None = None

    def rows(self, frame: pl.DataFrame, column: str = "date") -> pl.DataFrame:
        """Return the rows of a frame inside the window."""
        inside = pl.lit(value=True)
        if self.starts is not None:
            inside &= pl.col(column) >= self.starts
        if self.ends is not None:
            inside &= pl.col(column) < self.ends
        return frame.filter(inside)


FULL = Window("full")
WINDOWS = (FULL, Window("to_2024", ends=date(2025, 1, 1)), Window("from_2025", starts=date(2025, 1, 1)))


def headline_offers(scored_offers: pl.DataFrame) -> pl.DataFrame:
    """Return the offers that may enter headline frontiers: dated, not flagged, not free."""
    return scored_offers.filter(
        pl.col("is_headline") & pl.col("date_kind").is_in(_HEADLINE_KINDS) & (pl.col("usd_per_mtok") > 0)
    )


def price_frontier_table(scored_offers: pl.DataFrame, thresholds: pl.DataFrame) -> pl.DataFrame:
    """Return mart.price_frontier: both series of M1 at every threshold.

    Args:
        scored_offers: mart.scored_offer.
        thresholds: mart.threshold.
    """
    # The frontier names one AI model per step; mode and source ride along in that name.
    separator = "\x1f"
    offers = headline_offers(scored_offers).with_columns(
        ai_model=pl.concat_str(["ai_model_id", "mode", "source"], separator=separator)
    )
    parts = []
    for level in thresholds.iter_rows(named=True):
        on_axis = offers.filter(pl.col("axis") == level["axis"])
        for series in ("records", "available"):
            if on_axis.is_empty():
                continue
            steps = price_frontier(on_axis, threshold=level["threshold"], series=series)
            parts.append(
                steps.with_columns(
                    pl.col("ai_model")
                    .str.split_exact(separator, 2)
                    .struct.rename_fields(["ai_model_id", "mode", "source"])
                )
                .unnest("ai_model")
                .select(
                    pl.lit(level["axis"]).alias("axis"),
                    pl.lit(level["threshold"]).alias("threshold"),
                    pl.lit(series).alias("series"),
                    "date",
                    pl.col("usd_per_mtok").cast(pl.Decimal(18, 9)),
                    "ai_model_id",
                    "provider",
                    pl.lit(level["label"]).alias("threshold_label"),
                    "mode",
                    "source",
                )
            )
    if not parts:
        raise ValueError("scored_offers: no headline offer on any axis, expected some")
    return pl.concat(parts)


def decline_fit_table(observations: pl.DataFrame, frontier: pl.DataFrame, *, last: date, level: float) -> pl.DataFrame:
    """Return mart.decline_fit: every estimator, axis, threshold, sample and window.

    Args:
        observations: mart.price_observation.
        frontier: mart.price_frontier.
        last: day of the newest price list; a frontier's last price holds until then.
        level: coverage of the intervals.
    """
    rows = [
        *_score_controlled_rows(observations, level),
        *_frontier_rows(frontier, last, level),
    ]
    return pl.DataFrame(rows, schema=_DECLINE_SCHEMA, orient="row")


_DECLINE_SCHEMA: dict[str, Any] = {
    "fit_id": pl.String,
    "axis": pl.String,
    "threshold": pl.Float64,
    "estimator": pl.String,
    "sample": pl.String,
    "price_basis": pl.String,
    "window_from": pl.Date,
    "window_to": pl.Date,
    "factor_per_year": pl.Float64,
    "ci_low": pl.Float64,
    "ci_high": pl.Float64,
    "level": pl.Float64,
    "n_rows": pl.Int64,
    "n_models": pl.Int64,
    "flags": pl.String,
    "n_clusters": pl.Int64,
    "is_headline": pl.Boolean,
    "dropped": pl.String,
    "params": pl.String,
}


def _score_controlled_rows(observations: pl.DataFrame, level: float) -> Iterator[dict[str, Any]]:
    named = observations.rename({"ai_model_id": "ai_model", "is_open_weights": "open_weights"})
    for (axis, offer_filter), group in named.group_by("axis", "offer_filter", maintain_order=True):
        for sample in _SAMPLES:
            for window in WINDOWS:
                if offer_filter != "headline" and window is not FULL:
                    continue
                fit = _fit_or_none(
                    partial(
                        score_controlled_trend,
                        window.rows(group),
                        sample=sample,
                        transform=_TRANSFORMS[str(axis)],
                        level=level,
                    )
                )
                if fit is None:
                    continue
                label = sample if offer_filter == "headline" else f"{sample}_{offer_filter}"
                yield _decline_row(
                    fit,
                    axis=str(axis),
                    threshold=None,
                    sample=label,
                    window=window,
                    is_headline=(axis, label, window.name) == (HEADLINE_AXIS, HEADLINE_SAMPLE, FULL.name),
                )


def _frontier_rows(frontier: pl.DataFrame, last: date, level: float) -> Iterator[dict[str, Any]]:
    named = frontier.rename({"ai_model_id": "ai_model"})
    for (axis, threshold, series), steps in named.group_by("axis", "threshold", "series", maintain_order=True):
        estimators: list[Callable[[], Fit]] = [partial(frontier_drift, steps, level=level, last=last)]
        if series == "records":
            estimators.append(partial(record_low_trend, steps, level=level))
        for estimator in estimators:
            fit = _fit_or_none(estimator)
            if fit is not None:
                yield _decline_row(
                    fit,
                    axis=str(axis),
                    threshold=float(str(threshold)),
                    sample=str(series),
                    window=FULL,
                    is_headline=False,
                    n_models=steps["ai_model"].n_unique(),
                )


def _fit_or_none(estimator: Callable[[], Fit]) -> Fit | None:
    """Return a fit, or None where the rows are too few or too alike to have one at all."""
    try:
        return estimator()
    except ValueError:
        return None


def _decline_row(
    fit: Fit,
    *,
    axis: str,
    threshold: float | None,
    sample: str,
    window: Window,
    is_headline: bool,
    n_models: int | None = None,
) -> dict[str, Any]:
    place = "all" if threshold is None else f"{threshold:g}"
    return {
        "fit_id": f"{axis}:{place}:{fit.method}:{sample}:{PRICE_BASIS}:{window.name}",
        "axis": axis,
        "threshold": threshold,
        "estimator": fit.method,
        "sample": sample,
        "price_basis": PRICE_BASIS,
        "window_from": fit.first_date,
        "window_to": fit.last_date,
        "factor_per_year": fit.estimate,
        "ci_low": fit.ci_low,
        "ci_high": fit.ci_high,
        "level": fit.level,
        "n_rows": fit.n_rows,
        "n_models": fit.n_models if fit.n_models is not None else n_models,
        "flags": ",".join(fit.flags),
        "n_clusters": fit.n_clusters,
        "is_headline": is_headline,
        "dropped": json.dumps(fit.dropped, sort_keys=True),
        "params": json.dumps(fit.params, sort_keys=True, default=str),
    }


def experience_fit_table(points: pl.DataFrame, *, level: float) -> pl.DataFrame:
    """Return mart.experience_fit: M6 once and M7 under three initial stocks, per technology.

    Args:
        points: core.experience_point; rows of low confidence are left out.
        level: coverage of the intervals.
    """
    rows: list[dict[str, Any]] = []
    for (technology, family), group in points.group_by("technology", "family", maintain_order=True):
        curve = group.filter(pl.col("confidence") != "low").rename({"unit_price": "unit_price_usd"})
        estimators: list[tuple[str, Callable[[], Fit]]] = [("moore_trend", partial(moore_trend, curve, level=level))]
        for stock in _STOCKS:
            estimators += [
                (
                    f"wright_trend:{stock}",
                    partial(wright_trend, curve, initial_stock=stock, level=level),
                ),
                (
                    f"wright_levels:{stock}",
                    partial(wright_levels, curve, initial_stock=stock, level=level),
                ),
            ]
        for name, estimator in estimators:
            fit = _fit_or_none(estimator)
            if fit is not None:
                rows.append(_experience_row(fit, name, str(technology), str(family)))
    return pl.DataFrame(rows, schema=_EXPERIENCE_SCHEMA, orient="row")


_EXPERIENCE_SCHEMA: dict[str, Any] = {
    "technology": pl.String,
    "estimator": pl.String,
    "learning_rate": pl.Float64,
    "ci_low": pl.Float64,
    "ci_high": pl.Float64,
    "annual_decline": pl.Float64,
    "doublings": pl.Float64,
    "identification": pl.String,
    "family": pl.String,
    "year_from": pl.Int64,
    "year_to": pl.Int64,
    "n_rows": pl.Int64,
    "level": pl.Float64,
    "flags": pl.String,
}


def _experience_row(fit: Fit, name: str, technology: str, family: str) -> dict[str, Any]:
    is_moore = fit.method == "moore_trend"
    if is_moore:
        annual_decline = decline_from_factor(fit.estimate).percent_per_year / 100
    else:
        annual_decline = decline_from_log_rate(fit.params["annual_decline"]).percent_per_year / 100
    return {
        "technology": technology,
        "estimator": name,
        "learning_rate": None if is_moore else fit.estimate,
        "ci_low": None if is_moore else fit.ci_low,
        "ci_high": None if is_moore else fit.ci_high,
        "annual_decline": annual_decline,
        "doublings": None if is_moore else fit.params["doublings"],
        "identification": "not_applicable" if is_moore else fit.params["identification"],
        "family": family,
        "year_from": fit.first_date.year,
        "year_to": fit.last_date.year,
        "n_rows": fit.n_rows,
        "level": fit.level,
        "flags": ",".join(fit.flags),
    }


@dataclass(frozen=True)
class CapacityAssumptions:
    """One end or the middle of the stated ranges; shares in (0, 1].

    Attributes:
        utilisation_share: mean load over peak, for the readings that start from peak throughput.
        serving_share: share of the installed base free for serving.
        compute_multiple: compute per token of the served model over that of DeepSeek V3/R1.
    """

    utilisation_share: float
    serving_share: float
    compute_multiple: float


TOKENS_PER_PERSON_DAY = 10_000
# Favourable, central, unfavourable. Nobody publishes these; the ranges are stated, not estimated.
SCENARIOS: dict[str, tuple[CapacityAssumptions, CapacityAssumptions, CapacityAssumptions]] = {
    "v3_r1_class": (
        CapacityAssumptions(0.8, 0.8, 1),
        CapacityAssumptions(0.6, 0.5, 1),
        CapacityAssumptions(0.4, 0.3, 1),
    ),
    "frontier_1_to_8x": (
        CapacityAssumptions(0.8, 0.8, 1),
        CapacityAssumptions(0.6, 0.5, 3),
        CapacityAssumptions(0.4, 0.3, 8),
    ),
}
_FLEET_READINGS = ("fleet_day", "in_out_total")  # a day's mean already: utilisation is inside
_FIRST_STOCK_DATE = date(2024, 12, 31)


def capacity_coverage_table(
    installed_base: pl.DataFrame, disclosure: pl.DataFrame, population: pl.DataFrame
) -> pl.DataFrame:
    """Return mart.capacity_coverage: the closed form with low, central and high assumptions.

    The stock on a date is the sum over designers of their latest estimate; the low and high ends add up as
    if all designers erred together. Throughput is DeepSeek's disclosed day on H800, which equals an
    H100 in 8-bit compute.

    Args:
        installed_base: core.installed_base.
        disclosure: core.serving_disclosure.
        population: core.population.
    """
    throughput = _disclosed_throughput(disclosure)
    people = dict(population.select("year", "people").iter_rows())
    rows = []
    dates = installed_base.filter(pl.col("as_of_date") >= _FIRST_STOCK_DATE)["as_of_date"].unique().sort()
    for as_of in dates:
        stock = _stock(installed_base, as_of)
        demand = Demand(TOKENS_PER_PERSON_DAY, float(people[as_of.year]))
        for scenario, assumptions in SCENARIOS.items():
            for reading in _READINGS:
                favourable, central, unfavourable = (
                    _share(demand, throughput, stock, reading, assumption) for assumption in assumptions
                )
                rows.append(
                    {
                        "as_of": as_of,
                        "scenario": scenario,
                        "reading": reading,
                        "accelerators_needed": central.accelerators_needed_h100e,
                        "installed": stock.central_h100e,
                        "share_low": favourable.low_share,
                        "share_central": central.central_share,
                        "share_high": unfavourable.high_share,
                        "assumptions": _stated_assumptions(demand, throughput, assumptions, reading),
                    }
                )
    return pl.DataFrame(rows)


def _disclosed_throughput(disclosure: pl.DataFrame) -> Throughput:
    stated = dict(disclosure.select("quantity", "amount").iter_rows())
    return throughput_from_day(
        input_tokens_per_day=stated["input_tokens"],
        output_tokens_per_day=stated["output_tokens"],
        nodes=stated["nodes_mean"],
        accelerators_per_node=stated["gpus_per_node"],
        prefill_input_tokens_per_second_node=stated["throughput_prefill_per_node"],
        decode_output_tokens_per_second_node=stated["throughput_decode_per_node"],
    )


def _stock(installed_base: pl.DataFrame, as_of: date) -> InstalledBase:
    latest = (
        installed_base.filter(pl.col("as_of_date") <= as_of)
        .sort("as_of_date")
        .group_by("designer", maintain_order=True)
        .last()
        .with_columns(
            # A designer without a range counts with its central estimate at both ends.
            pl.col("h100e_low").fill_null(pl.col("h100e_central")),
            pl.col("h100e_high").fill_null(pl.col("h100e_central")),
        )
    )
    return InstalledBase(*(float(latest[f"h100e_{end}"].sum()) for end in ("low", "central", "high")))


def _share(
    demand: Demand,
    throughput: Throughput,
    stock: InstalledBase,
    reading: Reading,
    assumptions: CapacityAssumptions,
) -> Any:
    return coverage(
        demand,
        throughput,
        stock,
        reading=reading,
        utilisation_share=1.0 if reading in _FLEET_READINGS else assumptions.utilisation_share,
        serving_share=assumptions.serving_share,
        compute_multiple=assumptions.compute_multiple,
    )


def _stated_assumptions(
    demand: Demand, throughput: Throughput, ends: tuple[CapacityAssumptions, ...], reading: Reading
) -> str:
    favourable, central, unfavourable = (vars(end).copy() for end in ends)
    if reading in _FLEET_READINGS:
        for end in (favourable, central, unfavourable):
            end["utilisation_share"] = 1
    return json.dumps(
        {
            **vars(demand),
            **{name: round(rate, 3) for name, rate in vars(throughput).items()},
            "favourable": favourable,
            "central": central,
            "unfavourable": unfavourable,
            "throughput_source": "DeepSeek V3/R1, disclosed day of 2025-02-27/28, H800",
        },
        sort_keys=True,
    )


SAVING_SHARE = 1e-5  # the claim's 0.001 %
EFFORT_YEARS = 4
# Cost to the employer of one PhD-level engineer, USD per year: low, central, high. The ends bracket a
# Taiwanese engineer's pay and a US one with overheads; see the pay rows of core.company_financial.
EFFORT_USD_PER_YEAR = (60_000.0, 120_000.0, 250_000.0)
DISCOUNT_RATE = 0.05


def scale_payback_table(financials: pl.DataFrame) -> pl.DataFrame:
    """Return mart.scale_payback for every company and year with a cost of revenue in a known currency.

    Args:
        financials: core.company_financial.
    """
    lines = {(row["company"], row["period"], row["metric"]): row for row in financials.iter_rows(named=True)}
    efforts = tuple(EFFORT_YEARS * yearly for yearly in EFFORT_USD_PER_YEAR)
    rows = []
    for (company, period, metric), line in sorted(lines.items()):
        rate = lines.get((company, period, "usd_rate_avg"))
        if metric != "cost_of_revenue" or line["unit"] != "NT$ million" or rate is None:
            continue
        spend = line["amount"] * MILLION / rate["amount"]
        low, central, high = (
            scale_payback(effort, SAVING_SHARE, spend, EFFORT_YEARS, DISCOUNT_RATE) for effort in efforts
        )
        rows.append(
            {
                "company": company,
                "period": period,
                "cost_base_usd": spend,
                "saving_share": SAVING_SHARE,
                "effort_usd": efforts[1],
                "annual_saving_usd": central.annual_saving_usd_per_year,
                "break_even_spend_usd": central.break_even_annual_spend_usd_per_year,
                "payback_years": central.payback_years,
                "payback_years_low": low.payback_years,
                "payback_years_high": high.payback_years,
                "assumptions": json.dumps(
                    {
                        "effort_years": EFFORT_YEARS,
                        "effort_usd_per_year": EFFORT_USD_PER_YEAR,
                        "discount_rate": DISCOUNT_RATE,
                        "horizon_years": EFFORT_YEARS,
                        "saving_applies_to": "cost of revenue",
                    },
                    sort_keys=True,
                ),
                "confidence": min(line["confidence"], rate["confidence"], key=("low", "medium", "high").index),
                "source_url": line["source_url"],
            }
        )
    return pl.DataFrame(rows)
