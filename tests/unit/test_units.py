"""Conversions: the four forms of a decline, prices per token, serving cost."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.units import (
    decline_from_factor,
    decline_from_log_rate,
)


def test_a_tenfold_decline_has_its_four_published_forms():
    decline = decline_from_factor(10)
    assert decline.factor_per_year == pytest.approx(10)
    assert decline.percent_per_year == pytest.approx(90)
    assert decline.halving_months == pytest.approx(12 * math.log(2) / math.log(10))
    assert decline.orders_per_year == pytest.approx(1)


def test_a_price_that_halves_in_a_year_halves_in_twelve_months():
    assert decline_from_factor(2).halving_months == pytest.approx(12)


@pytest.mark.parametrize("g", [0.0, -0.5])
def test_a_price_that_does_not_fall_has_no_halving_time(g):
    decline = decline_from_log_rate(g)
    assert decline.halving_months is None
    assert decline.percent_per_year <= 0


@given(st.floats(min_value=-20, max_value=20))
def test_the_forms_of_a_rate_agree_with_each_other(g):
    decline = decline_from_log_rate(g)
    assert decline.factor_per_year == pytest.approx(10**decline.orders_per_year)
    assert 1 - decline.percent_per_year / 100 == pytest.approx(1 / decline.factor_per_year)
    assert (decline.halving_months is not None) == (g > 0)


@given(st.floats(min_value=-20, max_value=20))
def test_a_factor_and_its_log_rate_give_the_same_forms(g):
    again = decline_from_factor(decline_from_log_rate(g).factor_per_year)
    assert again.orders_per_year == pytest.approx(g / math.log(10), abs=1e-12)


@pytest.mark.parametrize("factor", [0, -1, math.inf, math.nan])
def test_a_factor_that_is_no_positive_number_is_refused_by_name(factor):
    with pytest.raises(ValueError, match="factor_per_year"):
        decline_from_factor(factor)
