"""How fast the price of a constant capability falls.

What belongs here: the trend estimators over a frontier (M2, M3) and over all priced AI models with the
score held constant (M4). What does not: building the frontier (`frontier`) or the score (`capability`).
"""

from datetime import date
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import polars as pl

from pipelines.analysis.fit import (
    Fit,
    as_floats,
    drop_unpriced,
    factor_interval,
    require_columns,
    require_dates,
    require_level,
    require_span,
    t_quantile,
)
from pipelines.analysis.frontier import monthly_series, require_distinct_dates
from pipelines.units import DAYS_PER_YEAR, FACTOR_PER_YEAR, MONTHS_PER_YEAR

Floats = npt.NDArray[np.float64]

SHORT_SPAN_DAYS = 365
OBSERVATION_COLUMNS = ("ai_model", "developer", "date", "usd_per_mtok", "score")
Sample = Literal["all", "pareto_on_date", "open"]
Transform = Literal["logit", "linear", "latent"]


def record_low_trend(records: pl.DataFrame, *, level: float = 0.9, year_days: float = DAYS_PER_YEAR) -> Fit:
    """Fit a straight line through record lows (M2): for comparison with the literature, never a headline.

    `ln p_i = c - g t_i + e_i` by OLS; factor per year `exp(g)`; t interval at n - 2. Epoch AI publishes
    the same fit in log10 with a year of 365 days.

    A running minimum has no independent errors: in simulation with a true 10x per year the 90 %
    interval covers it in 59-75 % of the cases.

    Args:
        records: columns `date` (distinct, any order), `usd_per_mtok` (USD per million tokens); `ai_model`
            is counted when present.
        level: coverage of the interval.
        year_days: days in a year, 365.25 or the 365 of Epoch and Gundlach.

    Returns:
        The factor per year. Flags: `few_records` (n < 6), `short_span` (< 365 days), `leverage` (leaving
        out each record in turn, the largest factor is more than 3 times the smallest; needs n >= 3),
        `no_interval` (n = 2). `params`: `g, se, df, intercept_ln_usd_per_mtok` (at the first date),
        `leave_one_out_ratio` (or None).

    Raises:
        ValueError: on a missing column, an empty frame, a non-finite price, two rows on one date, or
            fewer than two distinct dates with a positive price.

    Reference: Cottier et al., "LLM inference prices have fallen rapidly but unequally" (Epoch AI, 2025).
    """
    require_level(level)
    require_columns(records, ("date", "usd_per_mtok"), frame_name="records")
    require_dates(records, "date")
    require_distinct_dates(records, "records")
    lows, dropped = drop_unpriced(records)
    lows = lows.sort("date")
    first_date, last_date, span_days = require_span(lows["date"])

    import statsmodels.api as sm

    years = _years(lows["date"], year_days)
    design = sm.add_constant(years)
    ols = sm.OLS(np.log(lows["usd_per_mtok"].to_numpy()), design).fit()
    g, df = -float(ols.params[1]), int(ols.df_resid)
    se = float(ols.bse[1]) if df > 0 else float("nan")
    factor, ci_low, ci_high, interval_flags = factor_interval(g, se, df, level)

    ratio = _leave_one_out_ratio(ols, design) if df > 0 else None
    return Fit(
        estimate=factor,
        ci_low=ci_low,
        ci_high=ci_high,
        level=level,
        unit=FACTOR_PER_YEAR,
        method="record_low_trend",
        n_rows=lows.height,
        n_models=lows["ai_model"].n_unique() if "ai_model" in lows.columns else None,
        n_clusters=None,
        span_days=span_days,
        first_date=first_date,
        last_date=last_date,
        r2=float(ols.rsquared),
        sigma=float(np.sqrt(ols.scale)) if df > 0 else None,
        dropped=dropped,
        flags=_raised(
            few_records=lows.height < 6,
            short_span=span_days < SHORT_SPAN_DAYS,
            leverage=ratio is not None and ratio > 3,
        )
        + interval_flags,
        params={
            "g": g,
            "se": se if df > 0 else None,
            "df": df,
            "intercept_ln_usd_per_mtok": float(ols.params[0]),
            "leave_one_out_ratio": ratio,
            "year_days": year_days,
        },
    )


def frontier_drift(series: pl.DataFrame, *, level: float = 0.9, last: date | None = None) -> Fit:
    """Estimate the mean monthly drift of a frontier (M3): the default band in charts.

    With y the log price on month starts and d = diff(y): mu = mean(d), K = sd(d) with ddof 1, m = len(d);
    `g = -12 mu` per year, standard error `12 K / sqrt(m)`, t interval at m - 1. It assumes independent
    monthly differences (a random walk with drift), not a straight line with noise.

    Args:
        series: a step series `date` (distinct, any order), `usd_per_mtok` (null = no offer from that
            date on); it is read on month starts inside, and one that is monthly already stays as it is.
        level: coverage of the interval.
        last: day up to which the last price holds; by default the last date of the series. Pass the day
            of the newest snapshot, or a frontier that stopped moving seems to fall faster than it does.

    Returns:
        The factor per year. Flags: `short_series` (m < 12) or `no_variation` (K = 0), both without an
        interval, `no_interval`, `gaps` (months without a price: only adjacent months are differenced).
        `params`: `g, mu, K, m, se, df`. `n_rows` counts months with a price.

    Raises:
        ValueError: on a missing column, an empty frame, a non-finite price, two rows on one date, or no
            two adjacent months with a price.

    Reference: Farmer & Lafond, "How predictable is technological progress?" (Research Policy, 2016).
    """
    require_level(level)
    require_columns(series, ("date", "usd_per_mtok"), frame_name="series")
    require_dates(series, "date")
    require_distinct_dates(series, "series")
    _, dropped = drop_unpriced(series)
    # A price that cannot be logged leaves a gap: dropping its row would prolong the price before it.
    steps = as_floats(series, "usd_per_mtok").with_columns(
        pl.when(pl.col("usd_per_mtok") > 0).then(pl.col("usd_per_mtok"))
    )
    months = monthly_series(steps, last=last or steps["date"].sort()[-1])
    differences = months["usd_per_mtok"].log().diff().drop_nulls().to_numpy()
    m = len(differences)
    if m == 0:
        raise ValueError("series: date has no two adjacent month starts with a price, expected at least two")
    priced = months.drop_nulls("usd_per_mtok")

    mu = float(differences.mean())
    spread = float(differences.std(ddof=1)) if m > 1 else float("nan")
    g, se = -MONTHS_PER_YEAR * mu, MONTHS_PER_YEAR * spread / m**0.5
    is_short, is_constant = m < 12, m > 1 and spread < 1e-12
    has_interval = not (is_short or is_constant)
    factor, ci_low, ci_high, interval_flags = factor_interval(g, se if has_interval else float("nan"), m - 1, level)
    return Fit(
        estimate=factor,
        ci_low=ci_low,
        ci_high=ci_high,
        level=level,
        unit=FACTOR_PER_YEAR,
        method="frontier_drift",
        n_rows=priced.height,
        n_models=None,
        n_clusters=None,
        span_days=(priced["date"][-1] - priced["date"][0]).days,
        first_date=priced["date"][0],
        last_date=priced["date"][-1],
        r2=None,
        sigma=spread if m > 1 else None,
        dropped=dropped,
        flags=_raised(short_series=is_short, no_variation=is_constant, gaps=priced.height < months.height)
        + interval_flags,
        params={
            "g": g,
            "mu": mu,
            "K": spread if m > 1 else None,
            "m": m,
            "se": se if m > 1 else None,
            "df": m - 1,
        },
    )


def score_controlled_trend(
    observations: pl.DataFrame,
    *,
    sample: Sample = "pareto_on_date",
    transform: Transform = "logit",
    cluster: str = "developer",
    level: float = 0.9,
    year_days: float = DAYS_PER_YEAR,
) -> Fit:
    """Estimate the decline of list prices at a constant score (M4): the headline.

    `ln p_i = c + b f(score_i) - g t_i + e_i` by OLS; factor per year `exp(g)`. Two standard errors: HC3
    with t(n - 3), and CR1 (clustered, factor G/(G-1) * (n-1)/(n-3)) with t(G - 1); the wider interval
    stands and both are returned.

    It assumes one rate at all scores and that the score is known: noise in the score biases g towards
    zero, so `errors_in_variables_trend` stands beside it.

    `pareto_on_date` chooses rows by their price, so it estimates the cheapest tier, not all prices: as
    rows accumulate, the bar rises. Simulated with rising scores and a residual spread of 0.7 to 1.2 (list
    prices have 1.1 to 1.4) it finds 1.5 to 2.4x per year where nothing falls, and covers a true 10x in
    about 20-60 % of the cases, `all` in about 90 %.

    Args:
        observations: columns `ai_model, developer` (strings), `date`, `usd_per_mtok` (USD per million
            tokens), `score`; `open_weights` (boolean, null = not open) for `sample="open"`;
            any order.
        sample: `all`; `pareto_on_date`, the rows not dominated in (score up, price down) by any row dated
            on or before their date (equal rows do not dominate each other); `open`, open weights.
        transform: f. `logit` of the score in percent, clipped to [0.005, 0.995]; `linear` and `latent`
            take the score as it is.
        cluster: column whose distinct entries are the clusters of CR1.
        level: coverage of the interval.
        year_days: days in a year.

    Returns:
        The factor per year. Flags: `few_rows` (n < 10), `few_clusters` (G < 12), `short_span` (< 365
        days), `no_interval`. `dropped` counts unpriced rows, `missing_score`, and the rows outside the
        sample (`dominated`, `not_open_weights`), so that it adds up with `n_rows` to the input.
        `params`: `g, intercept, score_slope` (b), `se_hc3, se_cr1, ci_hc3, ci_cr1` (None where
        undefined), `standard_error` (`hc3` or `cr1`), `se, df`, and the choices made.

    Raises:
        ValueError: naming the column, when it is missing, empty, not finite, without variation (one date,
            one score), a score is outside [0, 100] under `logit`, a cluster is null, or score and date
            move in step.
    """
    require_level(level)
    if transform not in ("logit", "linear", "latent"):
        raise ValueError(f"transform: expected 'logit', 'linear' or 'latent', got {transform!r}")
    require_columns(observations, (*OBSERVATION_COLUMNS, cluster), frame_name="observations")
    require_dates(observations, "date")
    if observations[cluster].null_count():
        raise ValueError(f"{cluster}: row {observations[cluster].is_null().arg_true()[0]} is null, expected a cluster")
    priced, dropped = drop_unpriced(observations)
    scored = as_floats(priced, "score").drop_nulls("score").sort(*OBSERVATION_COLUMNS)
    chosen, outside = _take_sample(scored, sample)
    dropped |= {
        reason: count
        for reason, count in {
            "missing_score": priced.height - scored.height,
            outside: scored.height - chosen.height,
        }.items()
        if count
    }
    if chosen.height < 3:
        raise ValueError(
            f"observations: {chosen.height} rows of sample {sample!r} have usd_per_mtok and score, expected at least 3"
        )
    first_date, last_date, span_days = require_span(chosen["date"])
    capability = _transformed(chosen["score"], transform)
    if np.ptp(capability) == 0:
        raise ValueError(f"score: the same in all {chosen.height} rows, expected variation")

    import statsmodels.api as sm
    from statsmodels.stats.sandwich_covariance import cov_cluster

    design = np.column_stack([np.ones(chosen.height), capability, _years(chosen["date"], year_days)])
    if np.linalg.matrix_rank((design[:, 1:] - design[:, 1:].mean(0)) / design[:, 1:].std(0)) < 2:
        raise ValueError("score: moves in step with date, so the two cannot be told apart; expected both to vary")
    ols = sm.OLS(np.log(chosen["usd_per_mtok"].to_numpy()), design).fit()
    g, df = -float(ols.params[2]), int(ols.df_resid)
    codes = chosen[cluster].rank("dense").cast(pl.Int64).to_numpy() - 1
    n_clusters = int(codes.max()) + 1

    with np.errstate(all="ignore"):  # a row of leverage 1 leaves HC3 undefined: no interval then
        se_hc3 = float(ols.HC3_se[2]) if df > 0 else float("nan")
        se_cr1 = float(np.sqrt(cov_cluster(ols, codes)[2, 2])) if df > 0 and n_clusters > 1 else float("nan")
    half = {}
    if np.isfinite(se_hc3):
        half["hc3"] = t_quantile(level, df) * se_hc3
        if np.isfinite(se_cr1):
            half["cr1"] = t_quantile(level, n_clusters - 1) * se_cr1
    used = max(half, key=half.__getitem__) if half else None
    se, df_used = {"hc3": (se_hc3, df), "cr1": (se_cr1, n_clusters - 1), None: (float("nan"), 0)}[used]
    factor, ci_low, ci_high, interval_flags = factor_interval(g, se, df_used, level)
    return Fit(
        estimate=factor,
        ci_low=ci_low,
        ci_high=ci_high,
        level=level,
        unit=FACTOR_PER_YEAR,
        method="score_controlled_trend",
        n_rows=chosen.height,
        n_models=chosen["ai_model"].n_unique(),
        n_clusters=n_clusters,
        span_days=span_days,
        first_date=first_date,
        last_date=last_date,
        r2=float(ols.rsquared),
        sigma=float(np.sqrt(ols.scale)) if df > 0 else None,
        dropped=dropped,
        flags=_raised(few_rows=chosen.height < 10, few_clusters=n_clusters < 12, short_span=span_days < SHORT_SPAN_DAYS)
        + interval_flags,
        params={
            "g": g,
            "intercept": float(ols.params[0]),
            "score_slope": float(ols.params[1]),
            "se_hc3": se_hc3 if np.isfinite(se_hc3) else None,
            "se_cr1": se_cr1 if np.isfinite(se_cr1) else None,
            "ci_hc3": factor_interval(g, se_hc3, df, level)[1:3],
            "ci_cr1": factor_interval(g, se_cr1, n_clusters - 1, level)[1:3],
            "standard_error": used,
            "se": se if used else None,
            "df": df_used if used else None,
            "sample": sample,
            "transform": transform,
            "cluster": cluster,
            "year_days": year_days,
        },
    )


def is_pareto_on_date(observations: pl.DataFrame) -> pl.Series:
    """Mark the rows no earlier or same-day row dominates: a score as high for a price as low, one better.

    Args:
        observations: columns `date`, `usd_per_mtok`, `score`, without nulls; any order.

    Returns:
        A boolean series in the order of the rows. Equal rows do not dominate each other.
    """
    days = observations["date"].to_physical().to_numpy()
    prices = observations["usd_per_mtok"].to_numpy()
    scores = observations["score"].to_numpy()
    kept = [
        not np.any(
            (days <= day) & (scores >= score) & (prices <= usd_per_mtok) & ((scores > score) | (prices < usd_per_mtok))
        )
        for day, usd_per_mtok, score in zip(days, prices, scores, strict=True)
    ]
    return pl.Series("is_pareto_on_date", kept, dtype=pl.Boolean)


def _take_sample(scored: pl.DataFrame, sample: Sample) -> tuple[pl.DataFrame, str]:
    """Return the rows of the sample and the reason that the others are left out."""
    if sample == "all":
        return scored, "outside_sample"
    if sample == "pareto_on_date":
        return scored.filter(is_pareto_on_date(scored)), "dominated"
    if sample == "open":
        require_columns(scored, ("open_weights",), frame_name="observations")
        if scored.schema["open_weights"] != pl.Boolean:
            raise ValueError(f"open_weights: expected booleans, got {scored.schema['open_weights']}")
        return scored.filter(pl.col("open_weights")), "not_open_weights"
    raise ValueError(f"sample: expected 'all', 'pareto_on_date' or 'open', got {sample!r}")


def _transformed(scores: pl.Series, transform: Transform) -> Floats:
    raw: Floats = scores.to_numpy()
    if transform != "logit":
        return raw
    if raw.min() < 0 or raw.max() > 100:
        raise ValueError(f"score: ranges over [{raw.min()}, {raw.max()}], expected percent in [0, 100] for the logit")
    share = np.clip(raw / 100, 0.005, 0.995)
    logit: Floats = np.log(share / (1 - share))
    return logit


def _years(dates: pl.Series, year_days: float) -> Floats:
    days: Floats = dates.to_physical().cast(pl.Float64).to_numpy()
    years: Floats = (days - days.min()) / year_days
    return years


def _leave_one_out_ratio(ols: Any, design: Floats) -> float:
    """Return the largest factor over the smallest when each row is left out in turn.

    `beta_(-i) = beta - (X'X)^-1 x_i e_i / (1 - h_i)`; with distinct dates and n >= 3 no h_i is 1.
    """
    spread = design @ ols.normalized_cov_params
    leverage = np.sum(spread * design, axis=1)
    slopes = ols.params[1] - spread[:, 1] * ols.resid / (1 - leverage)
    with np.errstate(over="ignore"):
        return float(np.exp(np.ptp(slopes)))


def _raised(**conditions: bool) -> tuple[str, ...]:
    return tuple(flag for flag, is_raised in conditions.items() if is_raised)
