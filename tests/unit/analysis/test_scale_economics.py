import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from pipelines.analysis.scale_economics import scale_payback


def test_undiscounted_by_hand():
    result = scale_payback(600_000, 1e-5, 40e9, years=5, discount_rate=0)
    assert result.break_even_spend_usd == pytest.approx(60e9)
    assert result.break_even_annual_spend_usd_per_year == pytest.approx(12e9)
    assert result.annual_saving_usd_per_year == pytest.approx(400_000)
    assert result.payback_years == pytest.approx(1.5)
    assert result.net_present_value_usd == pytest.approx(1_400_000)


def test_discounted_by_hand():
    result = scale_payback(1000, 0.1, 6000, years=2, discount_rate=0.1)
    assert result.net_present_value_usd == pytest.approx(600 / 1.1 + 600 / 1.21 - 1000)
    assert result.break_even_spend_usd == pytest.approx(10_000)
    assert result.break_even_annual_spend_usd_per_year == pytest.approx(10_000 / (1 / 1.1 + 1 / 1.21))


def test_a_saving_below_the_interest_never_pays_back():
    result = scale_payback(1000, 0.1, 900, years=50, discount_rate=0.1)
    assert result.payback_years is None
    assert result.net_present_value_usd < 0


@given(st.floats(1e3, 1e7), st.floats(1e-6, 1), st.floats(1e6, 1e11), st.floats(0.5, 50), st.floats(0, 0.3))
def test_payback_and_break_even_have_no_net_present_value(cost, share, spend, years, rate):
    assume(rate == 0 or rate > 1e-6)
    result = scale_payback(cost, share, spend, years, rate)
    at_spend = scale_payback(cost, share, result.break_even_annual_spend_usd_per_year, years, rate)
    assert at_spend.net_present_value_usd == pytest.approx(0, abs=1e-6 * cost)
    assert at_spend.payback_years == pytest.approx(years, rel=1e-6)
    if result.payback_years is not None and result.payback_years > 1e-6:
        at_payback = scale_payback(cost, share, spend, result.payback_years, rate)
        assert at_payback.net_present_value_usd == pytest.approx(0, abs=1e-6 * cost)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((0, 0.1, 1, 1, 0), "cost: expected"),
        ((1, 0, 1, 1, 0), "saving_share: expected"),
        ((1, 1.1, 1, 1, 0), "saving_share: expected"),
        ((1, 0.1, -1, 1, 0), "annual_spend: expected"),
        ((1, 0.1, 1, float("inf"), 0), "years: expected"),
        ((1, 0.1, 1, 1, -0.1), "discount_rate: expected"),
    ],
)
def test_bad_arguments_are_named(arguments, message):
    with pytest.raises(ValueError, match=message):
        scale_payback(*arguments)
