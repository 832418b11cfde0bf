"""Experience curves: how the unit price falls with time (Moore) and with production (Wright).

What belongs here: M6, M7 and their forecasts over one technology. What does not: the price of a
constant capability (`price_decline`), which has no production to count.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Literal

import numpy as np
import numpy.typing as npt
import polars as pl

from pipelines.analysis.fit import (
    NO_INTERVAL,
    Fit,
    as_floats,
    drop_unpriced,
    factor_interval,
    require_columns,
    require_level,
    t_quantile,
)
from pipelines.units import FACTOR_PER_YEAR

Floats = npt.NDArray[np.float64]
InitialStock = Literal["published", "none", "twice"]

LEARNING_RATE = "learning rate per doubling"
VIF_LIMIT = 10
PRODUCTION_COLUMNS = ("annual_production", "cumulative_production", "cumulative_lagged")


def moore_trend(points: pl.DataFrame, *, level: float = 0.9) -> Fit:
    """Estimate the yearly drift of a unit price (M6).

    With y_t = ln price and d = y_t - y_(t-1) over adjacent years: mu = mean(d), K = sd(d) with ddof 1,
    m = len(d); `g = -mu` per year, factor `exp(g)`, t interval at m - 1 with standard error K / sqrt(m).
    It assumes independent yearly differences.

    Args:
        points: columns `year` (whole, distinct, any order), `unit_price_usd` (any unit price).
        level: coverage of the interval.

    Returns:
        The factor per year. Flags: `missing_years` (only adjacent years are differenced), `no_interval`
        (m = 1). `params`: `g, mu, K, m, se, df, last_year, ln_last_unit_price`.

    Raises:
        ValueError: on a missing column, an empty frame, a year that is repeated or not whole, a
            non-finite price, or no two adjacent years with a positive price.

    Reference: Farmer & Lafond, "How predictable is technological progress?" (Research Policy, 2016).
    """
    require_level(level)
    priced, dropped = _checked_points(points)
    years = priced["year"].to_numpy()
    log_price = np.log(priced["unit_price_usd"].to_numpy())
    d = _adjacent_differences(years, log_price)
    m = len(d)
    if m == 0:
        raise ValueError("year: no two adjacent years with unit_price_usd, expected at least two")
    first_date, last_date, span_days = _span(years)
    mu = float(d.mean())
    spread = float(d.std(ddof=1)) if m > 1 else math.nan
    se = spread / math.sqrt(m)
    factor, ci_low, ci_high, interval_flags = factor_interval(-mu, se, m - 1, level)
    return Fit(
        estimate=factor,
        ci_low=ci_low,
        ci_high=ci_high,
        level=level,
        unit=FACTOR_PER_YEAR,
        method="moore_trend",
        n_rows=priced.height,
        n_models=None,
        n_clusters=None,
        span_days=span_days,
        first_date=first_date,
        last_date=last_date,
        r2=None,
        sigma=spread if m > 1 else None,
        dropped=dropped,
        flags=(("missing_years",) if m < priced.height - 1 else ()) + interval_flags,
        params={
            "g": -mu,
            "mu": mu,
            "K": spread if m > 1 else None,
            "m": m,
            "se": se if m > 1 else None,
            "df": m - 1,
            "last_year": int(years[-1]),
            "ln_last_unit_price": float(log_price[-1]),
        },
    )


def moore_forecast(fit: Fit, tau: Sequence[float], *, theta: float = 0.0, level: float = 0.9) -> pl.DataFrame:
    """Forecast the unit price `tau` years after the last one of a `moore_trend`.

    Centre `y + mu tau`; `sd = K sqrt(A* / (1 + theta^2))` with
    `A* = -2 theta + (1 + 2 (m-1) theta / m + theta^2) (tau + tau^2 / m)`; t band at m - 1.

    Args:
        fit: the result of `moore_trend`.
        tau: years ahead, each above 0 (from 1 on when `theta` is not 0).
        theta: autocorrelation of the noise (moving average of order one), in (-1, 1).
        level: coverage of the band.

    Returns:
        Columns `tau_years, unit_price_usd, low, high, sd` (log scale), one row per `tau`.

    Raises:
        ValueError: when the fit has no K (m = 1) or a `tau` is not positive.
    """
    m, spread = fit.params["m"], fit.params["K"]
    if spread is None:
        raise ValueError("fit: K is missing, expected a moore_trend over at least three adjacent years")
    ahead = _checked_tau(tau)
    a_star = -2 * theta + (1 + 2 * (m - 1) * theta / m + theta**2) * (ahead + ahead**2 / m)
    sd = spread * np.sqrt(a_star / (1 + theta**2))
    return _band(ahead, fit.params["ln_last_unit_price"] + fit.params["mu"] * ahead, sd, m - 1, level)


def wright_trend(points: pl.DataFrame, *, initial_stock: InitialStock = "published", level: float = 0.9) -> Fit:
    """Estimate the learning rate per doubling of cumulative production, in first differences (M7).

    With X = diff ln C and Y = diff ln price over adjacent years, through the origin: `w = sum XY / sum X^2`,
    `sigma^2 = sum (Y - wX)^2 / (m - 1)`, `se = sigma / sqrt(sum X^2)`, learning rate `1 - 2^w`, t interval at
    m - 1. C is the production before the year plus an initial stock S.

    Args:
        points: columns `year` (whole, distinct, any order), `unit_price_usd`, and of `annual_production`,
            `cumulative_production` (through the year), `cumulative_lagged` (before the year) at least
            one, nullable, in one unit of production.
        initial_stock: `published` takes S from the series (its production before its first year); a series
            that starts at zero gets `S = q_1 / (e^g - 1)`, g the growth rate of annual production from
            the first to the last year that has it. `none` sets S to 0, `twice` doubles it. Report all
            three: the rate moves by several points.
        level: coverage of the interval.

    Returns:
        The learning rate (0.2 = 20 % cheaper per doubling). Flags: `cannot_separate_from_time` (read it
        before the rate), `production_not_growing` (g <= 0), `no_initial_stock` (none published and none
        to estimate), `missing_years`, `no_interval`. `params`: `w, se, df, sigma, sum_x2, n_adjacent,
        doublings, annual_decline` (g of price, per year), `production_growth, initial_stock, stock,
        stock_source` (`published`, `estimated`, `none`), `vif, identification, last_year,
        ln_last_unit_price`.

    Raises:
        ValueError: as `moore_trend`; when no production column is there, production is negative or
            falls in its sum, or no two adjacent years have a positive C that grows.

    Reference: Lafond et al., "How well do experience curves predict technological progress?" (2018).
    """
    require_level(level)
    curve = _experience(points, initial_stock)
    x = _adjacent_differences(curve.years, curve.log_cumulative)
    y = _adjacent_differences(curve.years, curve.log_price)
    m, sum_x2 = len(x), float(x @ x)
    if m == 0 or sum_x2 == 0:
        raise ValueError("cumulative_production: no two adjacent years over which it grows, expected at least two")
    w = float(x @ y) / sum_x2
    sigma = math.sqrt(float((y - w * x) @ (y - w * x)) / (m - 1)) if m > 1 else math.nan
    se = sigma / math.sqrt(sum_x2)
    return _learning_fit(
        curve,
        "wright_trend",
        level,
        exponent=(w, se, m - 1),
        sigma=sigma,
        r2=None,
        params={"sum_x2": sum_x2, "n_adjacent": m},
        flags=("missing_years",) if m < len(curve.years) - 1 else (),
    )


def wright_levels(points: pl.DataFrame, *, initial_stock: InitialStock = "published", level: float = 0.9) -> Fit:
    """Estimate the learning rate by OLS in levels: the alternate to `wright_trend`.

    `ln price = a + w ln C + e`, learning rate `1 - 2^w`, t interval at n - 2. Two trending series fit well
    whether or not one drives the other: a Durbin-Watson far below 2 says the interval is too narrow.

    Args:
        points: as in `wright_trend`.
        initial_stock: as in `wright_trend`.
        level: coverage of the interval.

    Returns:
        The learning rate; `params` as in `wright_trend`, with `durbin_watson` and without the sums.

    Raises:
        ValueError: as `wright_trend`; when fewer than two years have a positive C.
    """
    require_level(level)
    curve = _experience(points, initial_stock)
    if len(curve.years) < 2 or np.ptp(curve.log_cumulative) == 0:
        raise ValueError("cumulative_production: without variation, expected at least two distinct positive sums")

    import statsmodels.api as sm
    from statsmodels.stats.stattools import durbin_watson

    ols = sm.OLS(curve.log_price, sm.add_constant(curve.log_cumulative)).fit()
    df = int(ols.df_resid)
    has_residuals = df > 0 and float(ols.ssr) > 0
    return _learning_fit(
        curve,
        "wright_levels",
        level,
        exponent=(float(ols.params[1]), float(ols.bse[1]) if df > 0 else math.nan, df),
        sigma=math.sqrt(ols.scale) if df > 0 else math.nan,
        r2=float(ols.rsquared),
        params={"durbin_watson": float(durbin_watson(ols.resid)) if has_residuals else None},
        flags=(),
    )


def wright_forecast(
    fit: Fit, tau: Sequence[float], ln_cumulative_growth: Sequence[float], *, level: float = 0.9
) -> pl.DataFrame:
    """Forecast the unit price after further production, from a `wright_trend`.

    Centre `y + w dx`; variance `sigma^2 (tau + dx^2 / sum X^2)`; t band at m - 1.

    Args:
        fit: the result of `wright_trend`.
        tau: years ahead, each above 0.
        ln_cumulative_growth: dx, the growth of ln cumulative production over these years; as long as `tau`.
        level: coverage of the band.

    Returns:
        Columns `tau_years, unit_price_usd, low, high, sd` (log scale), one row per `tau`.

    Raises:
        ValueError: when the fit has no sigma, a `tau` is not positive, or the lengths differ.
    """
    if fit.sigma is None:
        raise ValueError("fit: sigma is missing, expected a wright_trend over at least three adjacent years")
    ahead, dx = _checked_tau(tau), np.asarray(ln_cumulative_growth, dtype=np.float64)
    if ahead.shape != dx.shape:
        raise ValueError(f"ln_cumulative_growth: {dx.size} numbers, expected as many as tau has ({ahead.size})")
    sd = fit.sigma * np.sqrt(ahead + dx**2 / fit.params["sum_x2"])
    return _band(ahead, fit.params["ln_last_unit_price"] + fit.params["w"] * dx, sd, fit.params["df"], level)


@dataclass(frozen=True)
class _Curve:
    """One technology with its cumulative production settled."""

    years: Floats
    log_price: Floats
    log_cumulative: Floats
    stock: float
    stock_source: str
    initial_stock: str
    production_growth: float | None
    dropped: dict[str, int]


def _checked_points(points: pl.DataFrame) -> tuple[pl.DataFrame, dict[str, int]]:
    points = _by_year(points)
    return drop_unpriced(points, "unit_price_usd")


def _by_year(points: pl.DataFrame) -> pl.DataFrame:
    require_columns(points, ("year", "unit_price_usd"), frame_name="points")
    points = as_floats(points, "year")
    if points["year"].null_count() or (points["year"] % 1 != 0).any():
        raise ValueError("year: found a null or a fraction, expected whole years")
    repeated = points["year"].filter(points["year"].is_duplicated())
    if len(repeated):
        raise ValueError(f"year: {repeated[0]:.0f} stands in two rows, expected one row per year")
    return points.sort("year")


def _experience(points: pl.DataFrame, initial_stock: InitialStock) -> _Curve:
    """Settle C = production before the year - what the series starts from + the stock chosen."""
    if initial_stock not in ("published", "none", "twice"):
        raise ValueError(f"initial_stock: expected 'published', 'none' or 'twice', got {initial_stock!r}")
    points = _by_year(points)
    produced = points.with_columns(_before_year(points).alias("before"))
    known = produced["before"].drop_nulls()
    if known.is_empty():
        raise ValueError(f"{', '.join(PRODUCTION_COLUMNS)}: all null, expected production in at least one year")
    if (known.diff().drop_nulls() < 0).any() or known[0] < 0:
        raise ValueError("cumulative_production: negative or falls over the years, expected it to grow")
    published = float(known[0])
    growth, estimated = _estimated_stock(points)
    # A published sum that equals the first year's production, up to rounding, starts from nothing.
    if published > 1e-9 * float(known[-1]):
        stock, source = published, "published"
    elif estimated is not None:
        stock, source = estimated, "estimated"
    else:
        stock, source = 0.0, "none"
    stock *= {"published": 1, "none": 0, "twice": 2}[initial_stock]
    produced = produced.with_columns((pl.col("before") - published + stock).alias("before"))
    priced, dropped = drop_unpriced(produced, "unit_price_usd")
    usable = priced.filter(pl.col("before") > 0)
    if usable.is_empty():
        raise ValueError("cumulative_production: no year with unit_price_usd has any production before it")
    if priced.height > usable.height:
        dropped["no_production_before"] = priced.height - usable.height
    return _Curve(
        years=usable["year"].to_numpy(),
        log_price=np.log(usable["unit_price_usd"].to_numpy()),
        log_cumulative=np.log(usable["before"].to_numpy()),
        stock=stock,
        stock_source=source,
        initial_stock=initial_stock,
        production_growth=growth,
        dropped=dropped,
    )


def _before_year(points: pl.DataFrame) -> pl.Series:
    """Return the production before each year; null where it is not known.

    In this order: `cumulative_lagged`, `cumulative_production` less the year's own, that of the year
    before, and, without any sum, the running sum of annual production up to its first gap.
    """
    present = [column for column in PRODUCTION_COLUMNS if column in points.columns]
    if not present:
        raise ValueError(f"points: missing column {', '.join(PRODUCTION_COLUMNS)}; expected at least one")
    points = as_floats(points, *present).with_columns(
        pl.lit(None, dtype=pl.Float64).alias(column) for column in PRODUCTION_COLUMNS if column not in present
    )
    if (points["annual_production"] < 0).any():
        raise ValueError("annual_production: found a negative number, expected zero or more")
    follows = pl.col("year").diff() == 1
    has_sums = points["cumulative_production"].count() + points["cumulative_lagged"].count() > 0
    running = pl.when((pl.col("annual_production").is_null() | ~follows.fill_null(value=True)).cum_sum() == 0).then(
        pl.col("annual_production").cum_sum() - pl.col("annual_production")
    )
    before = (
        pl.coalesce(
            "cumulative_lagged",
            pl.col("cumulative_production") - pl.col("annual_production"),
            pl.when(follows).then(pl.col("cumulative_production").shift(1)),
        )
        if has_sums
        else running
    )
    return points.select(before.alias("before"))["before"]


def _estimated_stock(points: pl.DataFrame) -> tuple[float | None, float | None]:
    """Return g = ln(q_T/q_1)/(t_T - t_1) and q_1/(e^g - 1); None where they are not defined."""
    if "annual_production" not in points.columns:
        return None, None
    made = points.select("year", pl.col("annual_production").cast(pl.Float64)).filter(pl.col("annual_production") > 0)
    if made.height < 2:
        return None, None
    q = made["annual_production"]
    growth = math.log(q[-1] / q[0]) / (made["year"][-1] - made["year"][0])
    return growth, float(q[0] / math.expm1(growth)) if growth > 0 else None


def _learning_fit(
    curve: _Curve,
    method: str,
    level: float,
    *,
    exponent: tuple[float, float, int],
    sigma: float,
    r2: float | None,
    params: dict[str, float | int | None],
    flags: tuple[str, ...],
) -> Fit:
    """Turn the exponent w = (estimate, standard error, df) into a learning rate with its verdict."""
    w, se, df = exponent
    has_interval = df > 0 and math.isfinite(se)
    half = t_quantile(level, df) * se if has_interval else math.nan
    vif = _variance_inflation(curve)
    cannot_separate = vif is None or vif > VIF_LIMIT
    years = curve.years
    first_date, last_date, span_days = _span(years)
    elapsed = float(years[-1] - years[0])
    raised = {
        "cannot_separate_from_time": cannot_separate,
        "production_not_growing": curve.production_growth is not None and curve.production_growth <= 0,
        "no_initial_stock": curve.stock_source == "none",
        NO_INTERVAL: not has_interval,
    }
    return Fit(
        estimate=1 - 2**w,
        ci_low=1 - 2 ** (w + half) if has_interval else None,
        ci_high=1 - 2 ** (w - half) if has_interval else None,
        level=level,
        unit=LEARNING_RATE,
        method=method,
        n_rows=len(years),
        n_models=None,
        n_clusters=None,
        span_days=span_days,
        first_date=first_date,
        last_date=last_date,
        r2=r2,
        sigma=sigma if math.isfinite(sigma) else None,
        dropped=curve.dropped,
        flags=tuple(flag for flag, is_raised in raised.items() if is_raised) + flags,
        params={
            "w": w,
            "se": se if has_interval else None,
            "df": df,
            "sigma": sigma if math.isfinite(sigma) else None,
            "doublings": float(curve.log_cumulative[-1] - curve.log_cumulative[0]) / math.log(2),
            "annual_decline": -float(curve.log_price[-1] - curve.log_price[0]) / elapsed,
            "production_growth": curve.production_growth,
            "initial_stock": curve.initial_stock,
            "stock": curve.stock,
            "stock_source": curve.stock_source,
            "vif": vif,
            "identification": "cannot_separate_from_time" if cannot_separate else "separable",
            "last_year": int(years[-1]),
            "ln_last_unit_price": float(curve.log_price[-1]),
            **params,
        },
    )


def _variance_inflation(curve: _Curve) -> float | None:
    """Return 1/(1 - R^2) of ln C on time; None when the two are one line (or there are but two years)."""
    unexplained = 1 - float(np.corrcoef(curve.years, curve.log_cumulative)[0, 1]) ** 2
    return 1 / unexplained if unexplained > 1e-12 else None


def _adjacent_differences(years: Floats, levels: Floats) -> Floats:
    differences: Floats = np.diff(levels)[np.diff(years) == 1]
    return differences


def _span(years: Floats) -> tuple[date, date, int]:
    first, last = date(int(years[0]), 1, 1), date(int(years[-1]), 1, 1)
    return first, last, (last - first).days


def _checked_tau(tau: Sequence[float]) -> Floats:
    ahead = np.asarray(tau, dtype=np.float64)
    if ahead.size == 0 or not (ahead > 0).all():
        raise ValueError(f"tau: expected years ahead above 0, got {list(tau)!r}")
    return ahead


def _band(ahead: Floats, centre: Floats, sd: Floats, df: int, level: float) -> pl.DataFrame:
    require_level(level)
    half = t_quantile(level, df) * sd
    return pl.DataFrame(
        {
            "tau_years": ahead,
            "unit_price_usd": np.exp(centre),
            "low": np.exp(centre - half),
            "high": np.exp(centre + half),
            "sd": sd,
        }
    )
