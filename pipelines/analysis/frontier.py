"""The price frontier: the least one pays for a capability, over time.

What belongs here: which offer sets the price at a threshold on a date (M1). What does not: how fast
that price falls (`price_decline`), or where scores come from (`capability`).
"""

import heapq
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Literal, NamedTuple

import polars as pl

from pipelines.analysis.fit import as_floats, require_columns, require_dates

OFFER_COLUMNS = ("ai_model", "developer", "provider", "valid_from", "valid_to", "usd_per_mtok", "score")
FRONTIER_SCHEMA = pl.Schema(
    {"date": pl.Date(), "usd_per_mtok": pl.Float64(), "ai_model": pl.String(), "provider": pl.String()}
)


@dataclass(frozen=True)
class Crossing:
    """When a threshold is first reached, read at the score and one standard error either side.

    Attributes:
        earliest_date: first date with `score + score_se >= threshold`, or None when never.
        central_date: first date with `score >= threshold`, or None when never.
        latest_date: first date with `score - score_se >= threshold`, or None when never.
        n_without_se: eligible offers without `score_se`; they count with no error.
    """

    earliest_date: date | None
    central_date: date | None
    latest_date: date | None
    n_without_se: int


def price_frontier(
    offers: pl.DataFrame,
    *,
    threshold: float,
    ceiling: float | None = None,
    series: Literal["records", "available"] = "records",
) -> pl.DataFrame:
    """Return the price frontier at a capability threshold (M1), one row per change.

    Eligible are offers with `score >= threshold` and, with a ceiling, `score < ceiling`. Free, negative
    and unpriced offers and offers without a score never enter (the caller counts them), nor does an
    offer whose interval `[valid_from, valid_to)` is empty.

    `records`: a row per strictly new minimum, at most one per date; a tie is no record; withdrawals and
    increases are ignored. `available`: the minimum over the offers valid on each date at which an offer
    starts or ends, with a row when price, AI model or provider changes; it can rise, and a null price
    with null names marks dates without an offer. Among equal prices the earliest `valid_from` stands,
    then the first AI model and provider by name.

    Args:
        offers: columns `ai_model, developer, provider` (strings), `valid_from, valid_to` (dates, a null
            `valid_to` is open), `usd_per_mtok` (USD per million tokens), `score`; any row order.
        threshold: lowest score that counts, in the unit of `score`.
        ceiling: score from which an offer no longer counts, or None.
        series: `records` or `available`.

    Returns:
        Columns `date, usd_per_mtok, ai_model, provider`, by date; empty when nothing is eligible.

    Raises:
        ValueError: naming the column, when one is missing, not of its type, not finite, or an offer ends
            before it starts; or when `series` is unknown.

    Assumptions: the score is known without error (see `crossing_interval`) and the same for each offer.
    """
    if series not in ("records", "available"):
        raise ValueError(f"series: expected 'records' or 'available', got {series!r}")
    eligible = _eligible(_checked_offers(offers), threshold, ceiling)
    return _records(eligible) if series == "records" else _available(eligible)


def crossing_interval(offers: pl.DataFrame, *, threshold: float, ceiling: float | None = None) -> Crossing:
    """Return the dates at which `threshold` is first met for the score and for score +/- `score_se`.

    A threshold met by one AI model inside its own error has a late latest date: the width of the
    interval says how far the start of a frontier rests on a noisy score.

    Args:
        offers: as in `price_frontier`, with `score_se` in the unit of `score`.
        threshold: lowest score that counts.
        ceiling: score from which an offer no longer counts, or None.

    Returns:
        The three dates; with a ceiling they need not be ordered.

    Raises:
        ValueError: as `price_frontier`; when `score_se` is missing or negative.
    """
    require_columns(offers, ("score_se",), frame_name="offers")
    checked = as_floats(_checked_offers(offers), "score_se")
    if (checked["score_se"] < 0).any():
        raise ValueError("score_se: found a negative standard error, expected zero or more")
    se = pl.col("score_se").fill_null(0)
    optimistic, central, pessimistic = (
        _eligible(checked.with_columns(pl.col("score") + sign * se), threshold, ceiling) for sign in (1, 0, -1)
    )
    return Crossing(
        earliest_date=_first_date(optimistic),
        central_date=_first_date(central),
        latest_date=_first_date(pessimistic),
        n_without_se=central["score_se"].null_count(),
    )


def monthly_series(frontier: pl.DataFrame, *, first: date | None = None, last: date) -> pl.DataFrame:
    """Return the step series of a frontier on the first day of each month.

    Each month carries the last price dated on or before its first day. A month that falls in a gap (a
    row with a null price) has a null price: the gap is kept, not bridged.

    Args:
        frontier: columns `date`, `usd_per_mtok` (null = no offer); distinct dates, any order.
        first: first day to consider; by default the first date of the frontier.
        last: last day to consider, as a rule the day of the newest snapshot: a frontier that stopped
            moving must run on to that day or its decline is overstated.

    Returns:
        Columns `date` (month starts in [`first`, `last`]), `usd_per_mtok`; months before the first price
        are left out; empty when none is left.

    Raises:
        ValueError: when a column is missing, a price not finite, or two rows share a date.
    """
    require_columns(frontier, ("date", "usd_per_mtok"), frame_name="frontier")
    require_dates(frontier, "date")
    require_distinct_dates(frontier, "frontier")
    steps = as_floats(frontier, "usd_per_mtok").select("date", "usd_per_mtok").sort("date")
    opening = steps["date"][0]
    start = opening if first is None else max(first, opening)
    month = start if start.day == 1 else date(start.year + start.month // 12, start.month % 12 + 1, 1)
    if month > last:
        return steps.clear()
    months = pl.date_range(month, last, interval="1mo", eager=True).alias("date").to_frame().set_sorted("date")
    return months.join_asof(steps, on="date", strategy="backward")


def require_distinct_dates(frame: pl.DataFrame, frame_name: str) -> None:
    """Raise a ValueError naming the first date that two rows share."""
    repeated = frame["date"].filter(frame["date"].is_duplicated())
    if len(repeated):
        raise ValueError(f"{frame_name}: date {repeated.sort()[0]} stands in two rows, expected one row per date")


def _checked_offers(offers: pl.DataFrame) -> pl.DataFrame:
    require_columns(offers, OFFER_COLUMNS, frame_name="offers")
    require_dates(offers, "valid_from")
    require_dates(offers, "valid_to", nullable=True)
    offers = as_floats(offers, "usd_per_mtok", "score").with_columns(pl.col("valid_to").cast(pl.Date))
    backwards = offers.filter(pl.col("valid_to") < pl.col("valid_from"))
    if not backwards.is_empty():
        raise ValueError(
            f"valid_to: offer of {backwards['ai_model'][0]} by {backwards['provider'][0]} ends "
            f"{backwards['valid_to'][0]} before it starts {backwards['valid_from'][0]}"
        )
    return offers


def _eligible(offers: pl.DataFrame, threshold: float, ceiling: float | None) -> pl.DataFrame:
    is_eligible = (
        (pl.col("score") >= threshold)
        & (pl.col("usd_per_mtok") > 0)
        & (pl.col("valid_to").is_null() | (pl.col("valid_to") > pl.col("valid_from")))
    )
    if ceiling is not None:
        is_eligible &= pl.col("score") < ceiling
    return offers.filter(is_eligible)


def _records(eligible: pl.DataFrame) -> pl.DataFrame:
    lowest_before = pl.col("usd_per_mtok").cum_min().shift(1)
    return (
        eligible.sort("valid_from", "usd_per_mtok", "ai_model", "provider")
        .unique("valid_from", keep="first", maintain_order=True)
        .filter(lowest_before.is_null() | (pl.col("usd_per_mtok") < lowest_before))
        .select(pl.col("valid_from").alias("date"), "usd_per_mtok", "ai_model", "provider")
        .cast(FRONTIER_SCHEMA)
    )


class _Valid(NamedTuple):
    """A valid offer, ordered by who sets the frontier: price, then age, then names."""

    usd_per_mtok: float
    valid_from: date
    ai_model: str
    provider: str
    valid_to: date


def _available(eligible: pl.DataFrame) -> pl.DataFrame:
    return pl.DataFrame(list(_changes(eligible)), schema=FRONTIER_SCHEMA, orient="row")


def _changes(eligible: pl.DataFrame) -> Iterator[tuple[date, float | None, str | None, str | None]]:
    """Sweep the change dates once; the heap's top is the frontier once ended offers are popped."""
    starting = [
        _Valid(*row)
        for row in eligible.sort("valid_from")
        .select("usd_per_mtok", "valid_from", "ai_model", "provider", pl.col("valid_to").fill_null(date.max))
        .iter_rows()
    ]
    change_dates = sorted({o.valid_from for o in starting} | {o.valid_to for o in starting} - {date.max})
    valid: list[_Valid] = []
    standing: tuple[float | None, str | None, str | None] = (None, None, None)
    next_start = 0
    for day in change_dates:
        while next_start < len(starting) and starting[next_start].valid_from <= day:
            heapq.heappush(valid, starting[next_start])
            next_start += 1
        while valid and valid[0].valid_to <= day:
            heapq.heappop(valid)
        lowest = (valid[0].usd_per_mtok, valid[0].ai_model, valid[0].provider) if valid else (None, None, None)
        if lowest != standing:
            yield day, *lowest
            standing = lowest


def _first_date(eligible: pl.DataFrame) -> date | None:
    first = eligible["valid_from"].min()
    return first if isinstance(first, date) else None
