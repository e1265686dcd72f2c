"""Buy and hold: what the market itself gave over the bars that were traded; the only benchmark of all results."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from maestro.metrics.equity import NAMES, from_equity
from maestro.typing import FloatArray


def buy_and_hold(opens: Any, closes: Any, cash: float, *, places: Any = None) -> FloatArray:
    """Equity at each close [currency] of buying at the first open with all the cash and holding, without costs.

    Parameters
    ----------
    opens, closes : float64[n]
        Prices of the bars, in order of time.
    cash : float
        Starting cash [currency].
    places : int64[n], optional
        Number of each bar in the series, ascending. Where numbers are missing, bars were not tested: the position is
        sold at the close before them and bought again at the open after them, so that it stands still in between.

    Notes
    -----
    Worked: opens 10, 12, 20, closes 11, 13, 22 and places 0, 1, 5 turn 100 into 110, 130 and 143.
    """
    opens, closes = np.asarray(opens, np.float64), np.asarray(closes, np.float64)
    if not len(closes):
        return np.empty(0)
    starts = np.zeros(1, np.int64)
    if places is not None:
        starts = np.append(starts, np.flatnonzero(np.diff(np.asarray(places, np.int64)) > 1) + 1)
    equity = np.empty(len(closes))
    value = float(cash)
    for begin, end in zip(starts, [*starts[1:], len(closes)], strict=True):
        equity[begin:end] = value * closes[begin:end] / opens[begin]
        value = equity[end - 1]
    return equity


def holding_metrics(equity: Any, cash: float, *, periods_per_year: float) -> dict[str, float]:
    """Metrics of buy and hold from its equity at each close; NaN where it has no bar, or is not known for all."""
    values = np.asarray(equity, np.float64)
    if not len(values) or not np.isfinite(values).all() or not 0 < periods_per_year < math.inf:
        return dict.fromkeys(NAMES, math.nan)
    return {**dict.fromkeys(NAMES, math.nan), **from_equity(values, cash, periods_per_year=periods_per_year)}
