import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.analysis.serving_capacity import (
    Demand,
    InstalledBase,
    Throughput,
    accelerator_seconds_per_token,
    coverage,
    throughput_from_day,
)

# The day DeepSeek published, 27-28 February 2025, on H800s (one H100-equivalent each in 8-bit compute).
DEEPSEEK = throughput_from_day(
    input_tokens_per_day=608e9,
    output_tokens_per_day=168e9,
    nodes=226.75,
    accelerators_per_node=8,
    prefill_input_tokens_per_second_node=73_700,
    decode_output_tokens_per_second_node=14_800,
)
# UN World Population Prospects 2024, 1 July 2025, medium variant.
WORLD = Demand(tokens_per_person_day=10_000, population_persons=8_231_613_070)
STOCK = InstalledBase(low_h100e=10e6, central_h100e=20e6, high_h100e=40e6)
READINGS = ("output_only", "output_with_prefill", "fleet_day", "in_out_total")


def test_the_published_day_gives_the_published_throughput():
    assert DEEPSEEK.decode_output_tokens_per_second == 1850
    assert DEEPSEEK.prefill_input_tokens_per_second == 9212.5
    assert DEEPSEEK.fleet_output_tokens_per_second == pytest.approx(1071.9, abs=0.05)
    assert DEEPSEEK.fleet_input_tokens_per_second == pytest.approx(3879.3, abs=0.05)


def test_the_published_day_is_served_by_the_published_fleet():
    """Decode plus prefill at the stated node rates is the stated mean fleet, to a tenth of a percent."""
    day = Demand(tokens_per_person_day=168e9, population_persons=1)
    needed = coverage(day, DEEPSEEK, STOCK, reading="output_with_prefill").accelerators_needed_h100e
    assert needed == pytest.approx(226.75 * 8, rel=1e-3)
    whole = coverage(day, DEEPSEEK, STOCK, reading="fleet_day").accelerators_needed_h100e
    assert whole == pytest.approx(226.75 * 8)


@pytest.mark.parametrize(
    ("reading", "million_h800"),
    [("output_only", 0.515), ("output_with_prefill", 0.889), ("fleet_day", 0.889), ("in_out_total", 0.192)],
)
def test_ten_thousand_tokens_for_everyone(reading, million_h800):
    needed = coverage(WORLD, DEEPSEEK, STOCK, reading=reading).accelerators_needed_h100e
    assert needed / 1e6 == pytest.approx(million_h800, abs=0.0006)


def test_shares_by_hand():
    result = coverage(
        Demand(tokens_per_person_day=86_400, population_persons=1000),
        Throughput(10.0, 10.0, 1.0, 1.0, 1.0),
        InstalledBase(low_h100e=100, central_h100e=200, high_h100e=400),
        reading="output_only",
        utilisation_share=0.5,
        serving_share=0.25,
        compute_multiple=2,
    )
    assert result.accelerators_needed_h100e == pytest.approx(400)
    assert (result.low_share, result.central_share, result.high_share) == (
        pytest.approx(4),
        pytest.approx(8),
        pytest.approx(16),
    )


def test_h100_equivalents_convert():
    slower = throughput_from_day(
        input_tokens_per_day=608e9,
        output_tokens_per_day=168e9,
        nodes=226.75,
        accelerators_per_node=8,
        prefill_input_tokens_per_second_node=73_700,
        decode_output_tokens_per_second_node=14_800,
        h100e_per_accelerator=2.0,
    )
    for reading in READINGS:
        ratio = accelerator_seconds_per_token(slower, reading) / accelerator_seconds_per_token(DEEPSEEK, reading)
        assert ratio == pytest.approx(2)


@given(st.floats(1, 1e6), st.floats(1e3, 1e10), st.floats(0.05, 1), st.floats(0.05, 1), st.sampled_from(READINGS))
def test_less_to_work_with_never_needs_less(tokens, persons, utilisation, free, reading):
    demand = Demand(tokens_per_person_day=tokens, population_persons=persons)
    best = coverage(demand, DEEPSEEK, STOCK, reading=reading)
    real = coverage(demand, DEEPSEEK, STOCK, reading=reading, utilisation_share=utilisation, serving_share=free)
    assert best.low_share <= best.central_share <= best.high_share
    assert real.accelerators_needed_h100e >= best.accelerators_needed_h100e
    assert real.central_share >= best.central_share


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"reading": "peak"}, "reading: expected"),
        ({"utilisation_share": 0}, "utilisation_share: expected a share"),
        ({"serving_share": 1.5}, "serving_share: expected a share"),
        ({"compute_multiple": 0}, "compute_multiple: expected more than 0"),
        ({"demand": Demand(0, 1)}, "tokens_per_person_day: expected more than 0"),
    ],
)
def test_bad_arguments_are_named(arguments, message):
    call = {
        "demand": WORLD,
        "throughput": DEEPSEEK,
        "installed_base": STOCK,
        "reading": "fleet_day",
    } | arguments
    with pytest.raises(ValueError, match=message):
        coverage(**call)


def test_bad_inputs_are_named():
    with pytest.raises(ValueError, match="expected to rise"):
        InstalledBase(low_h100e=2, central_h100e=1, high_h100e=3)
    with pytest.raises(ValueError, match="low_h100e: expected more than 0"):
        InstalledBase(low_h100e=0, central_h100e=1, high_h100e=3)
    with pytest.raises(ValueError, match="fleet_output_tokens_per_second: expected more than 0"):
        Throughput(1.0, 1.0, 0.0, 1.0, 1.0)
    with pytest.raises(ValueError, match="nodes, accelerators_per_node"):
        throughput_from_day(
            input_tokens_per_day=1,
            output_tokens_per_day=1,
            nodes=0,
            accelerators_per_node=8,
            prefill_input_tokens_per_second_node=1,
            decode_output_tokens_per_second_node=1,
        )
