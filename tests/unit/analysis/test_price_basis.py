from decimal import Decimal

import polars as pl
import pytest

from pipelines.analysis.price_basis import blended_price


def test_blend_is_three_to_one_and_keeps_nulls():
    frame = pl.DataFrame({"i": [10.0, None, 1.0, 0.0], "o": [30.0, 1.0, None, 0.0]})
    assert frame.select(blended_price("i", "o")).to_series().to_list() == [15.0, None, None, 0.0]


def test_blend_takes_decimals_and_expressions():
    frame = pl.DataFrame({"i": [Decimal("0.15")], "o": [Decimal("0.60")]})
    assert frame.select(blended_price(pl.col("i"), pl.col("o"))).item() == pytest.approx(0.2625)


@pytest.mark.parametrize(("input_weight", "expected"), [(0, 30.0), (1, 10.0), (0.5, 20.0)])
def test_the_weight_is_that_of_the_input(input_weight, expected):
    frame = pl.DataFrame({"i": [10.0], "o": [30.0]})
    assert frame.select(blended_price("i", "o", input_weight=input_weight)).item() == expected


@pytest.mark.parametrize("input_weight", [-0.1, 1.1, float("nan")])
def test_a_weight_outside_zero_to_one_is_refused(input_weight):
    with pytest.raises(ValueError, match="input_weight: expected a share in"):
        blended_price("i", "o", input_weight=input_weight)
