"""Conversions: the four forms of a decline, prices per token, serving cost."""

import math
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.units import (
    decline_from_factor,
    decline_from_log_rate,
    usd_per_mtok_from_gpu_hour,
    usd_per_mtok_from_usd_per_token,
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


def test_a_price_per_token_is_converted_exactly():
    assert usd_per_mtok_from_usd_per_token(Decimal("0.00000015")) == Decimal("0.15")


@given(st.decimals(min_value=0, max_value=1000, places=9))
def test_price_per_token_loses_no_digit(usd_per_mtok):
    per_token = usd_per_mtok.scaleb(-6)
    assert usd_per_mtok_from_usd_per_token(per_token) == usd_per_mtok


def test_serving_cost_of_a_busy_gpu():
    # 3.6 USD buy 3,600 s; at 1,000 tokens/s those are 3.6 million tokens.
    assert usd_per_mtok_from_gpu_hour(3.6, 1000, 1) == pytest.approx(1)


def test_half_the_utilisation_costs_twice_as_much():
    assert usd_per_mtok_from_gpu_hour(2, 500, 0.5) == pytest.approx(2 * usd_per_mtok_from_gpu_hour(2, 500, 1))


@pytest.mark.parametrize(
    ("tokens_per_second", "utilisation_share", "named"),
    [(0, 0.5, "tokens_per_second"), (-1, 0.5, "tokens_per_second"), (1, 0, "utilisation"), (1, 1.01, "utilisation")],
)
def test_impossible_throughput_and_utilisation_are_refused_by_name(tokens_per_second, utilisation_share, named):
    with pytest.raises(ValueError, match=named):
        usd_per_mtok_from_gpu_hour(2, tokens_per_second, utilisation_share)
