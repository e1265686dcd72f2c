"""Dispersion: the population standard deviation of a window, bands around its mean, and distance in deviations.

A window that contains NaN is NaN, later ones are not. Over equal values the deviation is exactly 0, and
what divides by it or is laid around it (bands, z-score) is NaN: no price can be far from a mean of itself.
TA-Lib gives 0 or the mean there.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from maestro._core.compiled import njit
from maestro.errors import ParameterError
from maestro.indicators.averages import sma
from maestro.indicators.cache import kept
from maestro.indicators.inputs import frozen, series, whole
from maestro.typing import FloatArray

_LANES = 256


@njit(cache=True, nogil=True, error_model="numpy", fastmath={"contract"})
def _std(values: Any, mean: Any, period: int) -> Any:
    """Second pass over each window around its mean, many windows abreast and four bars of each at a time.

    The mean of equal values is that value to the bit (`window_mean`), so their deviation is exactly 0.
    """
    n = values.shape[0]
    out = np.empty(n)
    out[: min(period - 1, n)] = np.nan
    total = np.empty(_LANES)
    for begin in range(period - 1, n, _LANES):
        end = min(begin + _LANES, n)
        m = mean[begin:end]
        s = total[: end - begin]
        s[:] = 0.0
        j = 0
        while j + 4 <= period:
            a = values[begin - j : end - j]
            b = values[begin - j - 1 : end - j - 1]
            c = values[begin - j - 2 : end - j - 2]
            d = values[begin - j - 3 : end - j - 3]
            for i in range(s.shape[0]):
                s[i] += ((a[i] - m[i]) ** 2 + (b[i] - m[i]) ** 2) + ((c[i] - m[i]) ** 2 + (d[i] - m[i]) ** 2)
            j += 4
        while j < period:
            a = values[begin - j : end - j]
            for i in range(s.shape[0]):
                s[i] += (a[i] - m[i]) ** 2
            j += 1
        o = out[begin:end]
        for i in range(o.shape[0]):
            o[i] = math.sqrt(s[i] / period)
    return out


@njit(cache=True, nogil=True, error_model="numpy", fastmath={"contract"})
def _bands(mean: Any, deviation: Any, factor: float) -> tuple[Any, Any]:
    n = mean.shape[0]
    upper = np.empty(n)
    lower = np.empty(n)
    for i in range(n):
        width = factor * deviation[i] if deviation[i] > 0.0 else np.nan
        upper[i] = mean[i] + width
        lower[i] = mean[i] - width
    return upper, lower


@njit(cache=True, nogil=True, error_model="numpy")
def _zscore(values: Any, mean: Any, deviation: Any) -> Any:
    n = values.shape[0]
    out = np.empty(n)
    for i in range(n):
        out[i] = (values[i] - mean[i]) / deviation[i] if deviation[i] > 0.0 else np.nan
    return out


@kept
def std(values: FloatArray, period: int) -> FloatArray:
    """Population standard deviation (ddof 0) of the last `period` values, in two passes, without a zero threshold.

    NaN for the first ``period − 1`` bars; 0 over equal values. TA-Lib's ``STDDEV`` without its rounding.

    >>> std([1.0, 3.0, 3.0], 2)
    array([nan,  1.,  0.])
    """
    values, period = series(values), whole(period)
    return frozen(_std(values, sma(values, period), period))


class Bands(NamedTuple):
    """Upper band, middle and lower band."""

    upper: FloatArray
    middle: FloatArray
    lower: FloatArray


@kept
def bollinger(values: FloatArray, period: int = 20, num_std: float = 2.0) -> Bands:
    """Bollinger bands: SMA(period) ± num_std · population standard deviation.

    NaN for the first ``period − 1`` bars. As TA-Lib's ``BBANDS`` with simple averages, except over equal
    values, where the bands are NaN here (the middle is not).

    Raises
    ------
    ParameterError
        A period below 1, or `num_std` not a finite number of 0 or more.
    """
    values, period = series(values), whole(period)
    factor = float(num_std)
    if not 0.0 <= factor < math.inf:
        raise ParameterError(f"num_std={num_std} is not a number of deviations; give a finite number, 0 or more.")
    middle = sma(values, period)
    upper, lower = _bands(middle, std(values, period), factor)
    return Bands(frozen(upper), middle, frozen(lower))


@kept
def zscore(values: FloatArray, period: int) -> FloatArray:
    """Distance of each value from the mean of the last `period`, in their population standard deviations.

    NaN for the first ``period − 1`` bars and over equal values. Never beyond ±√(period − 1).

    >>> zscore([1.0, 3.0, 3.0], 2)
    array([nan,  1., nan])
    """
    values, period = series(values), whole(period)
    return frozen(_zscore(values, sma(values, period), std(values, period)))
