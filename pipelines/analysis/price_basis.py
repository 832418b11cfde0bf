"""From metered prices to the one price that is compared.

What belongs here: the arithmetic of a price basis (M0). What does not: which price belongs to which
AI model, and any estimate over time.
"""

import polars as pl

INPUT_WEIGHT = 0.75


def blended_price(
    input_usd_per_mtok: str | pl.Expr,
    output_usd_per_mtok: str | pl.Expr,
    *,
    input_weight: float = INPUT_WEIGHT,
) -> pl.Expr:
    """Return the blended list price (M0a) as a polars expression.

    `blended = w * input + (1 - w) * output`, in USD per million tokens, as Float64.

    The weight assumes a mix of tokens: 3/4 is three input tokens for each output token, the
    convention of most trackers. Reasoning AI models and chat differ, and the answer with them.

    Args:
        input_usd_per_mtok: column name or expression, USD per million input tokens.
        output_usd_per_mtok: column name or expression, USD per million output tokens.
        input_weight: `w`, the share of input tokens, in [0, 1].

    Returns:
        An expression: null where either side is null, 0 where both are free.

    Raises:
        ValueError: when `input_weight` is not in [0, 1].
    """
    if not 0 <= input_weight <= 1:
        raise ValueError(f"input_weight: expected a share in [0, 1], got {input_weight!r}")
    sides = [
        (pl.col(side) if isinstance(side, str) else side).cast(pl.Float64)
        for side in (input_usd_per_mtok, output_usd_per_mtok)
    ]
    return input_weight * sides[0] + (1 - input_weight) * sides[1]
