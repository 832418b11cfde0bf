"""The result every estimator returns, and the checks every estimator makes first.

What belongs here: `Fit`, the validators that name the column and the row, and the step from a log
rate to a factor with its interval. What does not: any estimator.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import numpy as np
import polars as pl

NO_INTERVAL = "no_interval"


@dataclass(frozen=True)
class Fit:
    """One estimate with its interval and everything needed to judge it.

    Attributes:
        estimate: the estimate in `unit`; infinite, with the flag `overflow`, when `exp(g)` does not fit
            in a float (then `params["g"]` still does).
        ci_low: lower end of the interval, or None when there is none.
        ci_high: upper end of the interval, or None when there is none.
        level: coverage the interval aims at, a share in (0, 1).
        unit: unit of `estimate`, for instance "factor per year".
        method: name of the estimator.
        n_rows: rows that entered the fit.
        n_models: distinct AI models among them, or None where rows carry no AI model.
        n_clusters: clusters of the standard error, or None where it is not clustered.
        span_days: days between the first and the last row.
        first_date: date of the first row.
        last_date: date of the last row.
        r2: share of variance explained, or None where it has no meaning.
        sigma: standard deviation of the residuals on the log scale, or None.
        dropped: rows left out, by reason; empty reasons are not listed.
        flags: warnings a reader must see, in the order they were raised.
        params: everything else the method defines, by symbol.
    """

    estimate: float
    ci_low: float | None
    ci_high: float | None
    level: float
    unit: str
    method: str
    n_rows: int
    n_models: int | None
    n_clusters: int | None
    span_days: int
    first_date: date
    last_date: date
    r2: float | None
    sigma: float | None
    dropped: dict[str, int] = field(default_factory=dict)
    flags: tuple[str, ...] = ()
    params: dict[str, Any] = field(default_factory=dict)


def require_columns(frame: pl.DataFrame, columns: Sequence[str], *, frame_name: str) -> None:
    """Raise a ValueError unless `frame` has every column and at least one row."""
    missing = [column for column in columns if column not in frame.columns]
    if missing:
        raise ValueError(f"{frame_name}: missing column {', '.join(missing)}; expected {', '.join(columns)}")
    if frame.is_empty():
        raise ValueError(f"{frame_name}: empty; expected at least one row of {', '.join(columns)}")


def require_dates(frame: pl.DataFrame, column: str, *, nullable: bool = False) -> None:
    """Raise a ValueError unless `column` is of type Date and, by default, without nulls."""
    dtype = frame.schema[column]
    if dtype != pl.Date and not (nullable and dtype == pl.Null):
        raise ValueError(f"{column}: expected dates, got {dtype}")
    if not nullable and frame[column].null_count():
        row = frame[column].is_null().arg_true()[0]
        raise ValueError(f"{column}: row {row} is null, expected a date")


def require_level(level: float) -> None:
    """Raise a ValueError unless `level` is a share strictly between 0 and 1."""
    if not 0 < level < 1:
        raise ValueError(f"level: expected a share in (0, 1), got {level!r}")


def require_span(dates: pl.Series) -> tuple[date, date, int]:
    """Return the first date, the last one and the days between.

    Raises:
        ValueError: naming the column, when there are fewer than two distinct dates.
    """
    first, last = dates.min(), dates.max()
    if not (isinstance(first, date) and isinstance(last, date)) or first == last:
        raise ValueError(f"{dates.name}: only one distinct date ({first!s}), expected at least two")
    return first, last, (last - first).days


def as_floats(frame: pl.DataFrame, *columns: str) -> pl.DataFrame:
    """Return `frame` with numeric `columns` as Float64; nulls stay.

    Raises:
        ValueError: naming the column and the row, when a column is not numeric or holds NaN or infinity.
    """
    for column in columns:
        dtype = frame.schema[column]
        if not (dtype.is_numeric() or dtype == pl.Null):
            raise ValueError(f"{column}: expected numbers, got {dtype}")
    frame = frame.with_columns(pl.col(*columns).cast(pl.Float64))
    for column in columns:
        bad = (~frame[column].is_finite()).fill_null(value=False).arg_true()
        if len(bad):
            raise ValueError(f"{column}: row {bad[0]} is {frame[column][bad[0]]}, expected a finite number or null")
    return frame


def drop_unpriced(frame: pl.DataFrame, column: str = "usd_per_mtok") -> tuple[pl.DataFrame, dict[str, int]]:
    """Return the rows with a positive price as Float64, and the count of the others by reason.

    Raises:
        ValueError: when the column is not finite, or no positive price is left.
    """
    frame = as_floats(frame, column)
    prices = frame[column]
    counts = {
        "missing_price": prices.null_count(),
        "zero_price": int((prices == 0).sum()),
        "negative_price": int((prices < 0).sum()),
    }
    kept = frame.filter(pl.col(column) > 0)
    if kept.is_empty():
        raise ValueError(f"{column}: none of {frame.height} rows is positive, expected at least one")
    return kept, {reason: count for reason, count in counts.items() if count}


def t_quantile(level: float, df: float) -> float:
    """Return the two-sided Student t quantile: P(|t| < quantile) = `level` at `df` degrees of freedom."""
    from scipy import stats

    return float(stats.t.ppf((1 + level) / 2, df))


def factor_interval(
    g: float, se: float, df: float, level: float
) -> tuple[float, float | None, float | None, tuple[str, ...]]:
    """Turn a log rate with its standard error into a factor with a t interval.

    `factor = exp(g)`, `[exp(g - q se), exp(g + q se)]` with q the two-sided t quantile at `df`.

    Args:
        g: log rate, per year.
        se: standard error of `g`, per year.
        df: degrees of freedom.
        level: coverage, a share in (0, 1).

    Returns:
        `(factor, ci_low, ci_high, flags)`. The ends are None, with the flag `no_interval`, when `df <= 0`
        or `se` or an end is not finite; the flag `overflow` marks a factor too large for a float.
    """
    with np.errstate(over="ignore"):
        factor = float(np.exp(g))
        flags = () if math.isfinite(factor) else ("overflow",)
        if df <= 0 or not math.isfinite(se):
            return factor, None, None, (*flags, NO_INTERVAL)
        half = t_quantile(level, df) * se
        low, high = float(np.exp(g - half)), float(np.exp(g + half))
    if not (math.isfinite(low) and math.isfinite(high)):
        return factor, None, None, (*flags, NO_INTERVAL)
    return factor, low, high, flags
