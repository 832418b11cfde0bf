import math
from datetime import date

import polars as pl
import pytest
from scipy import stats

from pipelines.analysis import fit


def test_factor_interval_is_symmetric_on_the_log_scale():
    factor, low, high, flags = fit.factor_interval(math.log(10), 0.5, 7, 0.9)
    half = stats.t.ppf(0.95, 7) * 0.5
    assert factor == pytest.approx(10)
    assert (low, high) == (pytest.approx(10 * math.exp(-half)), pytest.approx(10 * math.exp(half)))
    assert flags == ()


@pytest.mark.parametrize(("se", "df"), [(0.1, 0), (0.1, -1), (math.nan, 5), (math.inf, 5), (400.0, 1)])
def test_no_interval_is_made_up(se, df):
    factor, low, high, flags = fit.factor_interval(1.0, se, df, 0.9)
    assert factor == pytest.approx(math.e)
    assert (low, high, flags) == (None, None, ("no_interval",))


def test_a_factor_beyond_a_float_is_flagged():
    assert fit.factor_interval(800.0, 1.0, 5, 0.9) == (math.inf, None, None, ("overflow", "no_interval"))


def test_unpriced_rows_are_dropped_and_counted_by_reason():
    frame = pl.DataFrame({"usd_per_mtok": [1.0, 0.0, 0.0, -2.0, None]})
    kept, dropped = fit.drop_unpriced(frame)
    assert kept["usd_per_mtok"].to_list() == [1.0]
    assert dropped == {"missing_price": 1, "zero_price": 2, "negative_price": 1}


def test_decimal_prices_are_read():
    frame = pl.DataFrame({"usd_per_mtok": pl.Series(["0.15", "2"]).cast(pl.Decimal(18, 9))})
    assert fit.drop_unpriced(frame)[0]["usd_per_mtok"].to_list() == [0.15, 2.0]


@pytest.mark.parametrize(
    ("check", "message"),
    [
        (lambda f: fit.require_columns(f, ("score",), frame_name="offers"), "offers: missing column score"),
        (lambda f: fit.require_columns(f.clear(), ("day",), frame_name="offers"), "offers: empty"),
        (lambda f: fit.require_dates(f, "usd_per_mtok"), "usd_per_mtok: expected dates"),
        (lambda f: fit.require_dates(f, "day"), "day: row 1 is null"),
        (lambda f: fit.require_span(f["day"]), "day: only one distinct date"),
        (lambda f: fit.as_floats(f, "usd_per_mtok"), "usd_per_mtok: row 1 is nan"),
        (lambda f: fit.as_floats(f, "name"), "name: expected numbers"),
        (lambda f: fit.drop_unpriced(f, "unpriced"), "unpriced: none of 2 rows is positive"),
        (lambda _: fit.require_level(90), "level: expected a share"),
    ],
)
def test_errors_name_the_column(check, message):
    frame = pl.DataFrame(
        {
            "day": [date(2024, 1, 1), None],
            "usd_per_mtok": [1.0, math.nan],
            "name": ["a", "b"],
            "unpriced": [0, -1],
        }
    )
    with pytest.raises(ValueError, match=message):
        check(frame)
