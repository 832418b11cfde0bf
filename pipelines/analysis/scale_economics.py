"""What a small saving is worth at the scale of a large buyer.

What belongs here: payback arithmetic. What does not: the cost bases themselves, or serving costs.
"""

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class ScalePayback:
    """What an effort returns.

    Attributes:
        break_even_spend_usd: total spend on which the saving equals the effort, C/s, undiscounted.
        break_even_annual_spend_usd_per_year: yearly spend at which the discounted savings of the horizon
            equal the effort.
        annual_saving_usd_per_year: saving per year at the given spend.
        payback_years: years until the discounted savings equal the effort, or None when they never do;
            it may lie beyond the horizon.
        net_present_value_usd: discounted savings of the horizon less the effort.
    """

    break_even_spend_usd: float
    break_even_annual_spend_usd_per_year: float
    annual_saving_usd_per_year: float
    payback_years: float | None
    net_present_value_usd: float


def scale_payback(
    cost: float, saving_share: float, annual_spend: float, years: float, discount_rate: float
) -> ScalePayback:
    """Return what a relative saving on a yearly spend pays back on a one-off effort.

    With C the effort, s the share saved, A the yearly spend, n the horizon, r the discount rate and the
    annuity `a(n) = (1 - (1+r)^-n) / r` (n when r = 0): break-even spend `C/s`, break-even yearly spend
    `C / (s a(n))`, saving `s A` per year, payback `n*` with `s A a(n*) = C`, net present value
    `s A a(n) - C`. Savings fall due at year ends; a(n) interpolates between them.

    Args:
        cost: C, total USD of the effort, for instance four years of one salary with overheads.
        saving_share: s, share of the spend saved in (0, 1]; 0.001 % is 1e-5.
        annual_spend: A, USD per year.
        years: n, years over which the saving is enjoyed, above 0.
        discount_rate: r, per year, 0 or more.

    Raises:
        ValueError: naming the argument that is out of range.

    Assumptions: the whole saving starts at once and neither spend nor share changes.
    """
    for name, number in (("cost", cost), ("annual_spend", annual_spend), ("years", years)):
        if not (number > 0 and math.isfinite(number)):
            raise ValueError(f"{name}: expected a finite number above 0, got {number!r}")
    if not 0 < saving_share <= 1:
        raise ValueError(f"saving_share: expected a share in (0, 1], got {saving_share!r}")
    if not (discount_rate >= 0 and math.isfinite(discount_rate)):
        raise ValueError(f"discount_rate: expected 0 or more per year, got {discount_rate!r}")
    annuity = -math.expm1(-years * math.log1p(discount_rate)) / discount_rate if discount_rate else years
    annual_saving = saving_share * annual_spend
    return ScalePayback(
        break_even_spend_usd=cost / saving_share,
        break_even_annual_spend_usd_per_year=cost / (saving_share * annuity),
        annual_saving_usd_per_year=annual_saving,
        payback_years=_payback_years(cost / annual_saving, discount_rate),
        net_present_value_usd=annual_saving * annuity - cost,
    )


def _payback_years(undiscounted_years: float, discount_rate: float) -> float | None:
    """Solve a(n) = C / (s A) for n."""
    if not discount_rate:
        return undiscounted_years
    left = 1 - undiscounted_years * discount_rate
    return -math.log(left) / math.log1p(discount_rate) if left > 0 else None
