"""Ranges: highest and lowest, channels, the Ichimoku lines, true range and its Wilder average.

A window that contains NaN is NaN, later ones are not. Before the first full window every value is NaN.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from maestro._core.compiled import njit
from maestro.indicators.cache import kept
from maestro.indicators.inputs import FAINT, frozen, series, several, whole
from maestro.typing import FloatArray

_BLOCK = 64
"""Bars of a decaying average from one look at what is left of old values to the next."""


@njit(cache=True, nogil=True, borrows=True)
def _higher(near: Any, far: Any, out: Any) -> None:
    for i in range(out.shape[0]):
        x, y = near[i], far[i]
        out[i] = x if (x > y) | (x != x) else y  # a NaN among the two wins


@njit(cache=True, nogil=True)
def extreme(values: Any, period: int, lag: int, sign: float) -> Any:
    """Highest (`sign` 1.0) or lowest (-1.0) of the `period` values that end `lag` bars ago.

    Windows are doubled until they are wide enough: few passes, each over many bars at once.
    """
    n = values.shape[0]
    out = np.empty(n)
    first = min(period - 1 + lag, n)
    out[:first] = np.nan
    now = sign * values  # now[i] is of the bars i to i + width - 1
    after = np.empty(n)
    width = 1
    while width < period and width < n:
        step = min(width, period - width)
        count = n - width - step + 1
        _higher(now[:count], now[step : step + count], after[:count])
        now, after = after, now
        width += step
    found = out[first:]
    for i in range(found.shape[0]):
        found[i] = sign * now[i]
    return out


@njit(cache=True, nogil=True)
def _true_range(high: Any, low: Any, close: Any) -> Any:
    n = close.shape[0]
    out = np.empty(n)
    out[:1] = np.nan
    for i in range(1, n):
        before = close[i - 1]
        widest = high[i] - low[i]
        up = abs(high[i] - before)
        down = abs(low[i] - before)
        widest = widest if widest >= up else up
        widest = widest if widest >= down else down
        out[i] = widest if (high[i] - low[i]) + up + down < np.inf else np.nan  # a NaN in one of them is a NaN
    return out


@njit(cache=True, nogil=True, fastmath={"contract"})
def wilder(values: Any, period: int) -> Any:
    """Wilder's average, weight 1 / period, seeded with the mean of `period` values; starts again after a NaN."""
    n = values.shape[0]
    out = np.empty(n)
    k = 1.0 / period
    q = 1.0 - k
    i = 0
    while i < n:
        run = 0
        mean = 0.0
        while i < n and run < period:
            if values[i] - values[i] == 0.0:  # not so for NaN and infinity
                run += 1
                mean += values[i]
            else:
                run = 0
                mean = 0.0
            out[i] = np.nan
            i += 1
        if run < period:
            break
        mean /= period
        out[i - 1] = mean
        end = i
        while i == end and i < n:
            if abs(mean) < FAINT:
                mean = 0.0
            end = min(i + _BLOCK, n)
            while i < end and values[i] - values[i] == 0.0:
                mean = q * mean + k * values[i]
                out[i] = mean
                i += 1
    return out


@kept
def highest(values: FloatArray, period: int, lag: int = 0) -> FloatArray:
    """Highest of `period` values, the last of them `lag` bars ago (0: this bar; 1: the bars before it).

    NaN for the first ``period − 1 + lag`` bars. With lag 0 as TA-Lib's ``MAX``.

    >>> highest([1.0, 3.0, 2.0], 2)
    array([nan,  3.,  3.])
    """
    return frozen(extreme(series(values), whole(period), whole(lag, "lag", 0), 1.0))


@kept
def lowest(values: FloatArray, period: int, lag: int = 0) -> FloatArray:
    """Lowest of `period` values, the last of them `lag` bars ago; as `highest`."""
    return frozen(extreme(series(values), whole(period), whole(lag, "lag", 0), -1.0))


class Channel(NamedTuple):
    """Upper and lower bound."""

    upper: FloatArray
    lower: FloatArray


@kept
def donchian(high: FloatArray, low: FloatArray, period: int) -> Channel:
    """Donchian channel: highest high and lowest low of the `period` bars **before** each bar, which can break it.

    NaN for the first `period` bars.
    """
    high, low = several(high=high, low=low)
    return Channel(highest(high, period, 1), lowest(low, period, 1))


@kept
def midrange(high: FloatArray, low: FloatArray, period: int) -> FloatArray:
    """Middle of the range of the last `period` bars: (highest high + lowest low) / 2; TA-Lib's ``MIDPRICE``."""
    high, low = several(high=high, low=low)
    return frozen((highest(high, period) + lowest(low, period)) / 2.0)


class Ichimoku(NamedTuple):
    """Tenkan and kijun lines, and the spans A and B as they stand over each bar (known `kijun` bars before)."""

    tenkan: FloatArray
    kijun: FloatArray
    span_a: FloatArray
    span_b: FloatArray


@kept
def ichimoku(high: FloatArray, low: FloatArray, tenkan: int = 9, kijun: int = 26, senkou_b: int = 52) -> Ichimoku:
    """Ichimoku lines; the spans are shifted **forward** by `kijun` bars, so nothing later than t − kijun is in them.

    Tenkan and kijun lines are mid-ranges over windows that include t; span A is the mean of the two, span B
    the mid-range over `senkou_b`, both of t − kijun.
    """
    high, low = several(high=high, low=low)
    fast, base = midrange(high, low, whole(tenkan, "tenkan")), midrange(high, low, whole(kijun, "kijun"))
    wide = midrange(high, low, whole(senkou_b, "senkou_b"))
    return Ichimoku(fast, base, _later((fast + base) / 2.0, kijun), _later(wide, kijun))


def _later(values: FloatArray, bars: int) -> FloatArray:
    shifted = np.full_like(values, np.nan)
    shifted[bars:] = values[: max(len(values) - bars, 0)]
    return frozen(shifted)


@kept
def true_range(high: FloatArray, low: FloatArray, close: FloatArray) -> FloatArray:
    """True range: the widest of high − low and the distances of high and low from the previous close.

    NaN at the first bar. As TA-Lib's ``TRANGE``.
    """
    return frozen(_true_range(*several(high=high, low=low, close=close)))


@kept
def atr(high: FloatArray, low: FloatArray, close: FloatArray, period: int = 14) -> FloatArray:
    """Average true range (Wilder, 1978): weight 1 / period, seeded with the mean of the first `period` true ranges.

    NaN for the first `period` bars. As TA-Lib's ``ATR``; after a NaN it starts again.
    """
    return frozen(wilder(true_range(high, low, close), whole(period)))
