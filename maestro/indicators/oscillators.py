"""Oscillators: relative strength, stochastics, momentum and rate of change.

A window that contains NaN is NaN, later ones are not; the RSI starts again after a NaN. Where there is no
movement at all (RSI) or no range (stochastic) the value is NaN, where TA-Lib gives 0.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from maestro._core.compiled import njit
from maestro.indicators.averages import sma
from maestro.indicators.cache import kept
from maestro.indicators.inputs import FAINT, frozen, series, whole
from maestro.indicators.ranges import highest, lowest
from maestro.typing import FloatArray


@njit(cache=True, nogil=True, error_model="numpy", fastmath={"contract"})
def _rsi(values: Any, period: int) -> Any:
    n = values.shape[0]
    out = np.empty(n)
    k = 1.0 / period
    q = 1.0 - k
    i = 0
    while i < n:
        run = 0
        gain = loss = 0.0
        while i < n and run <= period:
            if values[i] - values[i] == 0.0:  # not so for NaN and infinity
                if run:
                    change = values[i] - values[i - 1]
                    gain += max(change, 0.0)
                    loss += max(-change, 0.0)
                run += 1
            else:
                run = 0
                gain = loss = 0.0
            out[i] = np.nan
            i += 1
        if run <= period:
            break
        gain /= period
        loss /= period
        strength = 100.0 * (gain / (gain + loss))
        out[i - 1] = strength
        while i < n:
            change = values[i] - values[i - 1]
            if change - change != 0.0:
                break
            gain = q * gain + k * max(change, 0.0)
            loss = q * loss + k * max(-change, 0.0)
            if change != 0.0:  # without movement the ratio stays as it is, also in its last digit
                strength = 100.0 * (gain / (gain + loss))
            elif gain + loss < FAINT:
                gain = loss = 0.0
            out[i] = strength
            i += 1
    return out


@njit(cache=True, nogil=True, error_model="numpy")
def _position(values: Any, low: Any, high: Any) -> Any:
    n = values.shape[0]
    out = np.empty(n)
    for i in range(n):
        width = high[i] - low[i]
        out[i] = 100.0 * ((values[i] - low[i]) / width) if width > 0.0 else np.nan
    return out


@njit(cache=True, nogil=True, error_model="numpy")
def _change(values: Any, period: int, relative: bool) -> Any:
    n = values.shape[0]
    out = np.empty(n)
    out[: min(period, n)] = np.nan
    for i in range(period, n):
        before = values[i - period]
        if relative:
            out[i] = (values[i] - before) / before if before != 0.0 else np.nan
        else:
            out[i] = values[i] - before
    return out


@kept
def rsi(values: FloatArray, period: int = 14) -> FloatArray:
    """Relative strength index (Wilder, 1978), 0 to 100: 100 · average gain / (average gain + average loss).

    Both averages have weight 1 / period and are seeded with the mean of the first `period` changes. NaN for
    the first `period` bars, and until the first movement. As TA-Lib's ``RSI``, which gives 0 there.

    Raises
    ------
    ParameterError
        A period below 2.
    """
    return frozen(_rsi(series(values), whole(period, minimum=2)))


@kept
def stochastic(values: FloatArray, period: int = 14) -> FloatArray:
    """Place of each value in the range of the last `period`, 0 to 100; NaN where they are all equal.

    NaN for the first ``period − 1`` bars.

    >>> stochastic([1.0, 2.0, 5.0, 3.0], 3)
    array([         nan,          nan, 100.        ,  33.33333333])
    """
    values, period = series(values), whole(period)
    return frozen(_position(values, lowest(values, period), highest(values, period)))


class StochRSI(NamedTuple):
    """K, the smoothed stochastic of the RSI, and D, the mean of K."""

    k: FloatArray
    d: FloatArray


@kept
def stoch_rsi(values: FloatArray, rsi_period: int = 14, stoch_period: int = 14, k: int = 3, d: int = 3) -> StochRSI:
    """Stochastic RSI: K = SMA(k) of the stochastic of RSI(rsi_period) over stoch_period, D = SMA(d) of K.

    K is NaN for the first ``rsi_period + stoch_period + k − 2`` bars, D for ``d − 1`` more.
    """
    strength = rsi(series(values), whole(rsi_period, "rsi_period", 2))
    smooth = sma(stochastic(strength, whole(stoch_period, "stoch_period")), whole(k, "k"))
    return StochRSI(smooth, sma(smooth, whole(d, "d")))


@kept
def momentum(values: FloatArray, period: int = 10) -> FloatArray:
    """Change over `period` bars, ``x[t] − x[t − period]``; NaN for the first `period`. As TA-Lib's ``MOM``."""
    return frozen(_change(series(values), whole(period), False))


@kept
def rate_of_change(values: FloatArray, period: int = 10) -> FloatArray:
    """Relative change over `period` bars, ``x[t] / x[t − period] − 1``, a fraction; as TA-Lib's ``ROCP``.

    NaN for the first `period` bars and where the earlier value is 0 (TA-Lib gives 0 there).
    """
    return frozen(_change(series(values), whole(period), True))
