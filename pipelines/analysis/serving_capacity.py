"""How many accelerators it takes to serve a token budget to everyone, as a share of those there are.

What belongs here: the closed form from tokens per person and day to a share of the installed base. What
does not: what serving costs (`serving_cost`), or where throughput and stocks come from.
"""

from dataclasses import dataclass
from typing import Literal

from pipelines.units import SECONDS_PER_DAY

Reading = Literal["output_only", "output_with_prefill", "fleet_day", "in_out_total"]


@dataclass(frozen=True)
class Demand:
    """Tokens wanted.

    Attributes:
        tokens_per_person_day: tokens per person and day; output tokens, but for `in_out_total`, where
            input and output are counted together.
        population_persons: persons served.
    """

    tokens_per_person_day: float
    population_persons: float

    @property
    def tokens_per_second(self) -> float:
        """Mean tokens per second."""
        return self.tokens_per_person_day * self.population_persons / SECONDS_PER_DAY


@dataclass(frozen=True)
class Throughput:
    """What one accelerator (H100-equivalent) does for one AI model, in tokens per second.

    Attributes:
        decode_output_tokens_per_second: output of an accelerator that only decodes.
        prefill_input_tokens_per_second: input of one that only prefills, cache hits counted as work.
        fleet_output_tokens_per_second: output per accelerator of the whole fleet, mean of a day.
        fleet_input_tokens_per_second: input per accelerator of the whole fleet, mean of a day.
        input_tokens_per_output_token: input tokens that come with one output token.
    """

    decode_output_tokens_per_second: float
    prefill_input_tokens_per_second: float
    fleet_output_tokens_per_second: float
    fleet_input_tokens_per_second: float
    input_tokens_per_output_token: float

    def __post_init__(self) -> None:
        """Raise a ValueError naming the first throughput that is not positive."""
        _require_positive(self)


@dataclass(frozen=True)
class InstalledBase:
    """Accelerators there are, in H100-equivalents: a central estimate with a 5-95 % range.

    Attributes:
        low_h100e: 5 % quantile.
        central_h100e: median.
        high_h100e: 95 % quantile.
    """

    low_h100e: float
    central_h100e: float
    high_h100e: float

    def __post_init__(self) -> None:
        """Raise a ValueError unless 0 < low <= central <= high."""
        _require_positive(self)
        if not self.low_h100e <= self.central_h100e <= self.high_h100e:
            raise ValueError(f"low_h100e, central_h100e, high_h100e: expected to rise, got {self}")


@dataclass(frozen=True)
class Coverage:
    """What serving the demand takes.

    Attributes:
        accelerators_needed_h100e: accelerators, in H100-equivalents.
        low_share: share of the free stock when the stock is at its high end; above 1 = not enough.
        central_share: share of the free stock at its central estimate.
        high_share: share of the free stock when the stock is at its low end.
    """

    accelerators_needed_h100e: float
    low_share: float
    central_share: float
    high_share: float


def throughput_from_day(
    *,
    input_tokens_per_day: float,
    output_tokens_per_day: float,
    nodes: float,
    accelerators_per_node: float,
    prefill_input_tokens_per_second_node: float,
    decode_output_tokens_per_second_node: float,
    h100e_per_accelerator: float = 1.0,
) -> Throughput:
    """Return the throughput per H100-equivalent from a published day of a fleet.

    `fleet = tokens per day / (nodes * accelerators per node * 86400)`; `node / accelerators per node` for the
    two kinds of node; all divided by the H100-equivalents of one accelerator.

    Args:
        input_tokens_per_day: input tokens of the day, cache hits included.
        output_tokens_per_day: output tokens of the day.
        nodes: nodes in use, mean of the day.
        accelerators_per_node: accelerators in one node.
        prefill_input_tokens_per_second_node: input tokens per second of a prefill node.
        decode_output_tokens_per_second_node: output tokens per second of a decode node.
        h100e_per_accelerator: H100-equivalents of one accelerator; 1 for an H800 in 8-bit compute.

    Raises:
        ValueError: when a number is not positive.

    Reference: DeepSeek, open-infra-index, "One More Thing: DeepSeek-V3/R1 Inference System" (2025).
    """
    h100e_per_node = accelerators_per_node * h100e_per_accelerator
    fleet_h100e_seconds = nodes * h100e_per_node * SECONDS_PER_DAY
    if min(fleet_h100e_seconds, h100e_per_node, output_tokens_per_day) <= 0:
        raise ValueError(
            "nodes, accelerators_per_node, h100e_per_accelerator, output_tokens_per_day: expected more than 0"
        )
    return Throughput(
        decode_output_tokens_per_second=decode_output_tokens_per_second_node / h100e_per_node,
        prefill_input_tokens_per_second=prefill_input_tokens_per_second_node / h100e_per_node,
        fleet_output_tokens_per_second=output_tokens_per_day / fleet_h100e_seconds,
        fleet_input_tokens_per_second=input_tokens_per_day / fleet_h100e_seconds,
        input_tokens_per_output_token=input_tokens_per_day / output_tokens_per_day,
    )


def accelerator_seconds_per_token(throughput: Throughput, reading: Reading) -> float:
    """Return the H100-equivalent seconds one token of the demand takes under a reading.

    `output_only`: 1/decode. `output_with_prefill`: 1/decode + (input per output)/prefill. `fleet_day`:
    1/fleet output, so the input of that fleet, its idle and its spare nodes come along. `in_out_total`:
    1/(fleet input + fleet output), the reading that counts both kinds against the budget.

    Raises:
        ValueError: when `reading` is unknown.
    """
    if reading == "output_only":
        return 1 / throughput.decode_output_tokens_per_second
    if reading == "output_with_prefill":
        return (
            1 / throughput.decode_output_tokens_per_second
            + throughput.input_tokens_per_output_token / throughput.prefill_input_tokens_per_second
        )
    if reading == "fleet_day":
        return 1 / throughput.fleet_output_tokens_per_second
    if reading == "in_out_total":
        return 1 / (throughput.fleet_input_tokens_per_second + throughput.fleet_output_tokens_per_second)
    raise ValueError(
        f"reading: expected 'output_only', 'output_with_prefill', 'fleet_day' or 'in_out_total', got {reading!r}"
    )


def coverage(
    demand: Demand,
    throughput: Throughput,
    installed_base: InstalledBase,
    *,
    reading: Reading,
    utilisation_share: float = 1.0,
    serving_share: float = 1.0,
    compute_multiple: float = 1.0,
) -> Coverage:
    """Return the accelerators that serve `demand`, and their share of the stock free for serving.

    `needed = tokens per second * seconds per token(reading) * compute_multiple / utilisation_share`;
    `share = needed / (stock * serving_share)`.

    Args:
        demand: tokens per person and day, and persons.
        throughput: tokens per second of one H100-equivalent for the AI model it was measured on.
        installed_base: the stock in H100-equivalents.
        reading: what the tokens of the demand stand for, see `accelerator_seconds_per_token`.
        utilisation_share: mean load over peak, in (0, 1]; leave it at 1 for the two fleet readings, whose
            throughput is already the mean of a day.
        serving_share: share of the stock free for serving, in (0, 1]; the rest trains.
        compute_multiple: compute per token of the AI model served over that of the one measured.

    Raises:
        ValueError: naming the argument that is out of range.

    Assumptions: one equivalence for all accelerators (8-bit compute), throughput that scales with it, and
    demand spread evenly over the day but for `utilisation_share`.
    """
    for name, share in (("utilisation_share", utilisation_share), ("serving_share", serving_share)):
        if not 0 < share <= 1:
            raise ValueError(f"{name}: expected a share in (0, 1], got {share!r}")
    if not compute_multiple > 0:
        raise ValueError(f"compute_multiple: expected more than 0, got {compute_multiple!r}")
    _require_positive(demand)
    needed = (
        demand.tokens_per_second
        * accelerator_seconds_per_token(throughput, reading)
        * compute_multiple
        / utilisation_share
    )
    return Coverage(
        accelerators_needed_h100e=needed,
        low_share=needed / (installed_base.high_h100e * serving_share),
        central_share=needed / (installed_base.central_h100e * serving_share),
        high_share=needed / (installed_base.low_h100e * serving_share),
    )


def _require_positive(inputs: Demand | Throughput | InstalledBase) -> None:
    for name, number in vars(inputs).items():
        if not number > 0:
            raise ValueError(f"{name}: expected more than 0, got {number!r}")
