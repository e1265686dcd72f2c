"""Walk-forward efficiency: the share of the in-sample growth that is left out of sample."""

from __future__ import annotations

import math
from typing import Any

import numpy as np


def mean_annual_return(annual_returns: Any, lengths: Any) -> float:
    """Compound annual return over several periods: their log growth, averaged with their lengths as weights.

    Parameters
    ----------
    annual_returns : float64[n]
        Compound annual return of each period [fraction]; NaN values are left out.
    lengths : float64[n]
        Length of each period, in any unit; periods without a length are left out.

    Returns
    -------
    float
        NaN if no period is left. Worked: 20 % over 3 years and -10 % over 1 year give 11.67 %.
    """
    values, weights = np.asarray(annual_returns, np.float64), np.asarray(lengths, np.float64)
    usable = np.isfinite(values) & (weights > 0)
    if not usable.any():
        return math.nan
    # A period that lost everything has no log growth: it counts as a loss of all but a trillionth.
    growth = np.log1p(np.maximum(values[usable], -1.0 + 1e-12))
    return float(np.expm1(np.average(growth, weights=weights[usable])))


def efficiency(out_of_sample: float, in_sample: float) -> float:
    """Annual return out of sample over that in sample, both compound.

    NaN if the return in sample is not above 0, as there is nothing to keep, and if the one out of sample is NaN, as it
    is for an account that was ruined: it has no annual growth.

    Source: R. Pardo, The Evaluation and Optimization of Trading Strategies, 2008. Worked: 6 % of 12 % is 0.5.
    """
    return out_of_sample / in_sample if in_sample > 0 else math.nan
