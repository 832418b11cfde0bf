import time
from datetime import date, timedelta

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from pipelines.analysis.frontier import FRONTIER_SCHEMA, crossing_interval, monthly_series, price_frontier

START = date(2024, 1, 1)
SCHEMA = {
    "ai_model": pl.String,
    "developer": pl.String,
    "provider": pl.String,
    "valid_from": pl.Date,
    "valid_to": pl.Date,
    "usd_per_mtok": pl.Float64,
    "score": pl.Float64,
    "score_se": pl.Float64,
}


def day(n):
    return START + timedelta(days=n)


def offers(*rows):
    """Rows of (ai_model, provider, first day, last day or None, price, score[, score_se])."""
    return pl.DataFrame(
        [
            (m, "dev", p, day(a), None if b is None else day(b), usd, score, *(se or (None,)))
            for m, p, a, b, usd, score, *se in rows
        ],
        schema=SCHEMA,
        orient="row",
    )


def frontier_rows(frame):
    return [((d - START).days, usd, m, p) for d, usd, m, p in frame.rows()]


FOUR = offers(
    ("a", "x", 0, 50, 10.0, 80.0),
    ("b", "x", 10, 30, 4.0, 85.0),
    ("c", "y", 20, None, 4.0, 90.0),
    ("d", "y", 40, None, 6.0, 99.0),
    ("cheap", "y", 0, None, 0.1, 50.0),
    ("free", "y", 0, None, 0.0, 99.0),
    ("unscored", "y", 0, None, 0.1, None),
    ("unpriced", "y", 0, None, None, 99.0),
)


def test_records_by_hand():
    records = price_frontier(FOUR, threshold=80)
    assert frontier_rows(records) == [(0, 10.0, "a", "x"), (10, 4.0, "b", "x")]
    assert records.schema == FRONTIER_SCHEMA


def test_available_by_hand_the_tie_stands_until_the_earlier_offer_ends():
    available = price_frontier(FOUR, threshold=80, series="available")
    assert frontier_rows(available) == [(0, 10.0, "a", "x"), (10, 4.0, "b", "x"), (30, 4.0, "c", "y")]
    assert available.schema == FRONTIER_SCHEMA


def test_threshold_is_included_and_ceiling_excluded():
    assert frontier_rows(price_frontier(FOUR, threshold=85, ceiling=90)) == [(10, 4.0, "b", "x")]


def test_available_rises_and_leaves_a_gap():
    frame = offers(("a", "x", 0, 10, 1.0, 1.0), ("b", "x", 5, 20, 3.0, 1.0), ("c", "x", 30, None, 2.0, 1.0))
    assert frontier_rows(price_frontier(frame, threshold=1, series="available")) == [
        (0, 1.0, "a", "x"),
        (10, 3.0, "b", "x"),
        (20, None, None, None),
        (30, 2.0, "c", "x"),
    ]


def test_ties_on_one_date_go_by_ai_model_then_provider():
    frame = offers(("b", "x", 0, None, 1.0, 1.0), ("a", "z", 0, None, 1.0, 1.0), ("a", "y", 0, None, 1.0, 1.0))
    for series in ("records", "available"):
        assert frontier_rows(price_frontier(frame, threshold=1, series=series)) == [(0, 1.0, "a", "y")]


def test_an_empty_interval_was_never_on_offer():
    frame = offers(("a", "x", 0, 0, 1.0, 1.0), ("b", "x", 1, None, 2.0, 1.0))
    for series in ("records", "available"):
        assert frontier_rows(price_frontier(frame, threshold=1, series=series)) == [(1, 2.0, "b", "x")]


def test_nothing_eligible_is_an_empty_frontier():
    for series in ("records", "available"):
        frontier = price_frontier(FOUR, threshold=1000, series=series)
        assert frontier.is_empty()
        assert frontier.schema == FRONTIER_SCHEMA


@st.composite
def offer_frames(draw):
    row = st.tuples(
        st.sampled_from("abcd"),
        st.sampled_from("xyz"),
        st.integers(0, 60),
        st.none() | st.integers(0, 40),
        st.sampled_from([0.0, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0]),
        st.sampled_from([10.0, 20.0, 30.0]),
    )
    rows = draw(st.lists(row, min_size=1, max_size=25))
    return offers(*[(m, p, a, None if b is None else a + b, usd, s) for m, p, a, b, usd, s in rows])


@settings(max_examples=60, deadline=None)
@given(offer_frames())
def test_records_strictly_fall_over_strictly_later_dates(frame):
    records = price_frontier(frame, threshold=20)
    assert (records["usd_per_mtok"].diff().drop_nulls() < 0).all()
    assert records["date"].is_unique().all()
    assert records["date"].is_sorted()


@settings(max_examples=60, deadline=None)
@given(offer_frames())
def test_available_is_the_minimum_of_the_valid_offers_on_every_day(frame):
    available = {d: usd for d, usd, *_ in price_frontier(frame, threshold=20, series="available").rows()}
    standing = None
    for n in range(110):
        today = day(n)
        standing = available.get(today, standing)
        valid = frame.filter(
            pl.col("score") >= 20,
            pl.col("usd_per_mtok") > 0,
            pl.col("valid_from") <= today,
            pl.col("valid_to").is_null() | (pl.col("valid_to") > today),
        )
        assert standing == valid["usd_per_mtok"].min()


@settings(max_examples=40, deadline=None)
@given(offer_frames(), st.randoms(use_true_random=False), st.sampled_from(["records", "available"]))
def test_order_of_rows_and_columns_does_not_matter(frame, random, series):
    rows, columns = list(range(frame.height)), frame.columns[:]
    random.shuffle(rows)
    random.shuffle(columns)
    assert_frame_equal(
        price_frontier(frame[rows].select(columns), threshold=20, series=series),
        price_frontier(frame, threshold=20, series=series),
    )


@settings(max_examples=40, deadline=None)
@given(offer_frames(), st.sampled_from(["records", "available"]))
def test_scaling_prices_scales_the_frontier(frame, series):
    scaled = price_frontier(frame.with_columns(pl.col("usd_per_mtok") * 4), threshold=20, series=series)
    expected = price_frontier(frame, threshold=20, series=series).with_columns(pl.col("usd_per_mtok") * 4)
    assert_frame_equal(scaled, expected)


def test_forty_thresholds_over_thousands_of_offers_are_quick():
    rng = np.random.default_rng(1)
    n = 3000
    start = rng.integers(0, 1500, n)
    frame = pl.DataFrame(
        {
            "ai_model": [f"m{i % 400}" for i in range(n)],
            "developer": ["dev"] * n,
            "provider": [f"p{i % 30}" for i in range(n)],
            "valid_from": [day(int(s)) for s in start],
            "valid_to": [day(int(s + w)) for s, w in zip(start, rng.integers(1, 400, n), strict=True)],
            "usd_per_mtok": np.exp(rng.normal(0, 2, n)),
            "score": rng.uniform(0, 100, n),
        }
    )
    began = time.perf_counter()
    for threshold in range(40):
        price_frontier(frame, threshold=threshold, series="available")
    assert time.perf_counter() - began < 5


def test_crossing_interval_brackets_the_threshold():
    frame = offers(
        ("early", "x", 0, None, 5.0, 48.0, 3.0),
        ("mid", "x", 10, None, 5.0, 51.0, 3.0),
        ("late", "x", 20, None, 5.0, 54.0, 3.0),
        ("unsure", "x", 30, None, 5.0, 60.0, None),
    )
    crossing = crossing_interval(frame, threshold=50)
    assert (crossing.earliest_date, crossing.central_date, crossing.latest_date) == (day(0), day(10), day(20))
    assert crossing.n_without_se == 1
    never = crossing_interval(frame, threshold=90)
    assert (never.earliest_date, never.central_date, never.latest_date) == (None, None, None)


def test_monthly_series_carries_forward_and_keeps_the_gap():
    frontier = pl.DataFrame(
        {
            "date": [date(2024, 3, 20), date(2024, 1, 15), date(2024, 2, 1), date(2024, 5, 1)],
            "usd_per_mtok": [None, 8.0, 4.0, 1.0],
        }
    )
    monthly = monthly_series(frontier, last=date(2024, 6, 30))
    assert monthly.rows() == [
        (date(2024, 2, 1), 4.0),
        (date(2024, 3, 1), 4.0),
        (date(2024, 4, 1), None),
        (date(2024, 5, 1), 1.0),
        (date(2024, 6, 1), 1.0),
    ]
    assert_frame_equal(monthly_series(monthly, last=date(2024, 6, 30)), monthly)
    assert monthly_series(frontier, first=date(2024, 4, 2), last=date(2024, 5, 31)).rows() == [(date(2024, 5, 1), 1.0)]
    assert monthly_series(frontier, last=date(2024, 1, 31)).is_empty()


def test_monthly_series_crosses_the_year_end():
    frontier = pl.DataFrame({"date": [date(2023, 12, 2)], "usd_per_mtok": [8.0]})
    assert monthly_series(frontier, last=date(2024, 1, 1)).rows() == [(date(2024, 1, 1), 8.0)]


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda f: f.drop("provider"), "offers: missing column provider"),
        (lambda f: f.clear(), "offers: empty"),
        (lambda f: f.with_columns(valid_from=pl.lit("2024-01-01")), "valid_from: expected dates"),
        (lambda f: f.with_columns(valid_from=pl.lit(None, pl.Date)), "valid_from: row 0 is null"),
        (lambda f: f.with_columns(valid_to=pl.lit(date(2020, 1, 1))), "valid_to: offer of a by x ends"),
        (lambda f: f.with_columns(usd_per_mtok=pl.lit(float("inf"))), "usd_per_mtok: row 0 is inf"),
        (lambda f: f.with_columns(score=pl.lit(float("nan"))), "score: row 0 is nan"),
    ],
)
def test_bad_offers_are_named(spoil, message):
    with pytest.raises(ValueError, match=message):
        price_frontier(spoil(FOUR), threshold=80)


def test_other_bad_input_is_named():
    with pytest.raises(ValueError, match="series: expected 'records' or 'available'"):
        price_frontier(FOUR, threshold=80, series="lowest")
    with pytest.raises(ValueError, match="offers: missing column score_se"):
        crossing_interval(FOUR.drop("score_se"), threshold=80)
    with pytest.raises(ValueError, match="score_se: found a negative"):
        crossing_interval(FOUR.with_columns(score_se=pl.lit(-1.0)), threshold=80)
    twice = pl.DataFrame({"date": [START, START], "usd_per_mtok": [1.0, 2.0]})
    with pytest.raises(ValueError, match="frontier: date 2024-01-01 stands in two rows"):
        monthly_series(twice, last=START)
