"""Return of each bar from an equity curve."""

from __future__ import annotations

import numpy as np

from maestro.typing import FloatArray


def bar_returns(equity: FloatArray, cash: float) -> FloatArray:
    """Return of each bar, as a fraction; 0 after the account is ruined.

    Parameters
    ----------
    equity : float64[n]
        Equity at each close [currency].
    cash : float
        Equity before the first bar [currency].
    """
    before = np.concatenate(([cash], equity[:-1]))
    returns: FloatArray = np.divide(equity, before, out=np.ones(len(equity)), where=before > 0) - 1.0
    return returns
