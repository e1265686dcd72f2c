"""Break-even: the cost, or the multiple of all costs, at which the out-of-sample return is zero."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

from maestro.engine import Costs
from maestro.validation.robustness.choices import Choices

HIGHEST_MULTIPLE = 16.0
"""Multiple of the costs up to which a break-even is searched for."""
_PRECISION = 0.02
_HIGHEST_RATE = 0.49
"""Fee and slippage are fractions below one half, see `Costs`."""


def break_even(total_return: Callable[[float], float], highest: float, *, precision: float = 0.0) -> float:
    """Cost at which a total return falls to zero, by bisection.

    Parameters
    ----------
    total_return : callable
        Total return at a cost.
    highest : float
        Cost up to which to search.
    precision : float
        Width at which to stop, as a share of the result; the default halves the range 24 times.

    Returns
    -------
    float
        NaN if there is no profit at a cost of 0, infinite if there still is one at `highest`.
    """
    if not total_return(0.0) > 0:
        return math.nan
    if total_return(highest) > 0:
        return math.inf
    low, high = 0.0, highest
    for _ in range(24):
        if high - low <= precision * high:
            break
        middle = (low + high) / 2
        low, high = (middle, high) if total_return(middle) > 0 else (low, middle)
    return (low + high) / 2


def multiplied(costs: Costs, multiple: float) -> Costs:
    """Costs with fee and slippage times a number, each at most `_HIGHEST_RATE`."""
    fee, slippage = (min(rate * multiple, _HIGHEST_RATE) for rate in (costs.fee, costs.slippage))
    return replace(costs, fee=fee, slippage=slippage)


def break_even_multiple(choices: Choices) -> float:
    """Multiple of fee and slippage, both at once, at which the choices break even; to 2 %, up to `HIGHEST_MULTIPLE`.

    NaN and infinite as in `break_even`. Higher costs also change what sizes the account can pay for, and nothing else:
    the signals stay as they are.
    """
    signals, costs = choices.signals(), choices.plan.costs

    def total_return(multiple: float) -> float:
        return choices.stitched(signals=signals, costs=multiplied(costs, multiple)).metrics["total_return"]

    return break_even(total_return, HIGHEST_MULTIPLE, precision=_PRECISION)
