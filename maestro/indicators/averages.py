"""Moving averages: simple, exponential, volume-weighted, and their convergence (MACD).

All follow the one NaN rule: a window that contains NaN is NaN and later ones are not; a recursive average
starts again, from its seed, after a NaN. Before the first full window every value is NaN.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from maestro._core.compiled import njit
from maestro.errors import ParameterError
from maestro.indicators.cache import kept
from maestro.indicators.inputs import FAINT, frozen, series, several, whole
from maestro.typing import FloatArray

_BLOCK = 64


@njit(cache=True, nogil=True, error_model="numpy")
def window_mean(values: Any, period: int) -> Any:
    """Mean of each window, out of sums from both sides of a block boundary (van Herk's scheme).

    Nothing is subtracted, so nothing drifts and no NaN or large value outlives its window. Sums are of
    distances from the value at the boundary: the mean of equal values is that value, to the bit.
    """
    n = values.shape[0]
    out = np.empty(n)
    out[: min(period - 1, n)] = np.nan
    left = np.empty(period)
    for last in range(period - 1, n, period):
        anchor = values[last]
        total = 0.0
        for j in range(period - 1, -1, -1):
            total += values[last - period + 1 + j] - anchor
            left[j] = total
        out[last] = anchor + total / period
        right = 0.0
        for j in range(1, min(period, n - last)):
            right += values[last + j] - anchor
            out[last + j] = anchor + (left[j] + right) / period
    return out


@njit(cache=True, nogil=True, fastmath={"contract"})
def exponential(values: Any, period: int) -> Any:
    """EMA seeded with the mean of `period` values; after a NaN it starts again.

    Written as q·e + k·x, two bars a step, so that one multiplication and addition a step is all that waits for
    the step before. Runs on distances from an anchor that moves along, as equal values would otherwise drift
    by a rounding error a bar.
    """
    n = values.shape[0]
    out = np.empty(n)
    k = 2.0 / (period + 1.0)
    q = 1.0 - k
    qq = q * q
    i = 0
    while i < n:
        run = 0
        while i < n and run < period:
            run = run + 1 if values[i] - values[i] == 0.0 else 0  # not so for NaN and infinity
            out[i] = np.nan
            i += 1
        if run < period:
            break
        anchor = values[i - 1]
        mean = 0.0
        for j in range(i - period, i):
            mean += values[j] - anchor
        mean /= period
        out[i - 1] = anchor + mean
        while i < n:
            mean += anchor - values[i]
            if abs(mean) < FAINT:
                mean = 0.0
            anchor = values[i]
            end = min(i + _BLOCK, n)
            for j in range(np.uint64(i), np.uint64(end - 1), np.uint64(2)):  # unsigned: no wrap-around to check
                first = k * (values[j] - anchor)
                second = k * (values[j + np.uint64(1)] - anchor)
                out[j] = anchor + (q * mean + first)
                mean = qq * mean + (q * first + second)
                out[j + np.uint64(1)] = anchor + mean
            if end - i & 1:  # the last bar of all
                mean = q * mean + k * (values[end - 1] - anchor)
                out[end - 1] = anchor + mean
            if mean - mean != 0.0:  # a NaN in this block: up to it all is well, from it on a new run is sought
                while i < end and values[i] - values[i] == 0.0:
                    i += 1
                break
            i = end
    return out


@njit(cache=True, nogil=True)
def _macd(values: Any, fast: int, slow: int, signal: int) -> tuple[Any, Any, Any]:
    """MACD in one pass, in TA-Lib's own arithmetic: near its zero crossings the difference forgives no other."""
    n = values.shape[0]
    line = np.full(n, np.nan)
    smooth = np.full(n, np.nan)
    histogram = np.full(n, np.nan)
    k_fast = 2.0 / (fast + 1.0)
    k_slow = 2.0 / (slow + 1.0)
    k_signal = 2.0 / (signal + 1.0)
    i = 0
    while i < n:
        run = 0
        while i < n and run < slow:
            run = run + 1 if values[i] - values[i] == 0.0 else 0  # not so for NaN and infinity
            i += 1
        if run < slow:
            break
        near = far = 0.0
        for j in range(i - slow, i):
            far += values[j]
        for j in range(i - fast, i):
            near += values[j]
        near /= fast
        far /= slow
        seed = near - far
        count = 1
        while count < signal and i < n and values[i] - values[i] == 0.0:
            near += k_fast * (values[i] - near)
            far += k_slow * (values[i] - far)
            seed += near - far
            count += 1
            i += 1
        if count < signal:
            continue
        mean = seed / signal
        line[i - 1] = near - far
        smooth[i - 1] = mean
        histogram[i - 1] = near - far - mean
        while i < n and values[i] - values[i] == 0.0:
            near += k_fast * (values[i] - near)
            far += k_slow * (values[i] - far)
            gap = near - far
            mean += k_signal * (gap - mean)
            line[i] = gap
            smooth[i] = mean
            histogram[i] = gap - mean
            i += 1
    return line, smooth, histogram


@njit(cache=True, nogil=True, error_model="numpy")
def _vwap(close: Any, volume: Any, period: int) -> Any:
    n = close.shape[0]
    out = np.empty(n)
    out[: min(period - 1, n)] = np.nan
    left = np.empty(period)
    left_volume = np.empty(period)
    for last in range(period - 1, n, period):
        anchor = close[last]
        total = weight = 0.0
        for j in range(period - 1, -1, -1):
            bar = last - period + 1 + j
            total += (close[bar] - anchor) * volume[bar]
            weight += volume[bar]
            left[j] = total
            left_volume[j] = weight
        out[last] = anchor + total / weight
        right = right_volume = 0.0
        for j in range(1, min(period, n - last)):
            right += (close[last + j] - anchor) * volume[last + j]
            right_volume += volume[last + j]
            out[last + j] = anchor + (left[j] + right) / (left_volume[j] + right_volume)
    return out


@kept
def sma(values: FloatArray, period: int) -> FloatArray:
    """Simple moving average: the mean of the `period` values up to and including each bar.

    NaN for the first ``period - 1`` bars. As TA-Lib's ``SMA``, without the drift of a running sum.

    >>> sma([1.0, 2.0, 6.0], 2)
    array([nan, 1.5, 4. ])
    """
    return frozen(window_mean(series(values), whole(period)))


@kept
def ema(values: FloatArray, period: int) -> FloatArray:
    """Exponential moving average, weight 2 / (period + 1), seeded with the mean of the first `period` values.

    NaN for the first ``period - 1`` bars. As TA-Lib's ``EMA``; after a NaN it starts again.

    >>> ema([1.0, 3.0, 5.0], 2)
    array([nan, 2., 4.])
    """
    return frozen(exponential(series(values), whole(period)))


@kept
def vwap(close: FloatArray, volume: FloatArray, period: int) -> FloatArray:
    """Rolling volume-weighted average price: Σ(close·volume) / Σvolume of the last `period` bars.

    NaN for the first ``period - 1`` bars and where the window has no volume.

    >>> vwap([10.0, 20.0], [3.0, 1.0], 2)
    array([ nan, 12.5])
    """
    close, volume = several(close=close, volume=volume)
    return frozen(_vwap(close, volume, whole(period)))


class MACD(NamedTuple):
    """Moving average convergence/divergence: the line, its signal line, and line minus signal."""

    line: FloatArray
    signal: FloatArray
    histogram: FloatArray


@kept
def macd(values: FloatArray, fast: int = 12, slow: int = 26, signal: int = 9) -> MACD:
    """MACD: EMA(fast) − EMA(slow), its EMA(signal) and their difference.

    As TA-Lib's ``MACD``: the fast EMA is seeded at bar ``slow − 1`` too, with the mean of the `fast` values
    up to it, and all three are NaN for the first ``slow + signal − 2`` bars.

    Raises
    ------
    ParameterError
        A period below 1, or fast not below slow.
    """
    fast, signal = whole(fast, "fast"), whole(signal, "signal")
    if fast >= whole(slow, "slow"):
        raise ParameterError(f"fast={fast} is not below slow={slow}; give a slow period longer than the fast one.")
    line, smooth, histogram = _macd(series(values), fast, slow, signal)
    return MACD(frozen(line), frozen(smooth), frozen(histogram))
