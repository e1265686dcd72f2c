"""Normal probabilities and quantiles, compiled: over arrays, in loops that the compiler turns into vector instructions.

The C library's `exp` and `erfc` take one number at a time and would take most of the time of a TPE search.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from maestro._core.compiled import njit

_HALF = math.sqrt(0.5)
_LOG_ROOT_2PI = 0.5 * math.log(2 * math.pi)
_LOGISTIC = math.sqrt(3) / math.pi
_LOG2_E = 1.4426950408889634
_LN2_HIGH, _LN2_LOW = 6.93147180369123816490e-01, 1.90821492927058770002e-10
_ROUND = 1.5 * 2.0**52
"""Added to a number below 2**51 it leaves the nearest whole number in the last bits."""
_LEAST, _FARTHEST = -180.0, 13.3
"""Exponent below which `exp` counts as 0, and argument from which `erfc` is one value: both are about 1e-78."""
_NOTHING = 1e-61
"""Probabilities below are 0: products of such numbers leave the range in which the processor is fast, and no sum of
densities notices them, as one of its terms is never small."""
_CENTRE = 3.0
"""Of the map (t - 3)/(t + 3) from [0, inf) to [-1, 1), on which `erfc` is fitted."""


@njit(cache=True, nogil=True, error_model="numpy")
def _log_ndtr(x: float) -> float:
    """Logarithm of the normal distribution function."""
    if x > 6.0:
        return -0.5 * math.erfc(x * _HALF)
    if x < -1.0:
        return math.log(0.5 * math.erfc(-x * _HALF))
    if x < 1.0:
        return math.log(0.5 + 0.5 * math.erf(x * _HALF))
    return math.log(1.0 - 0.5 * math.erfc(x * _HALF))


@njit(cache=True, nogil=True, error_model="numpy")
def _ndtri_exp(y: float) -> float:
    """Solve ``_log_ndtr(x) = y`` by Newton's method."""
    flipped = y > -1e-2
    z = math.log(-math.expm1(y)) if flipped else y
    if z < -5.0:
        x = -math.sqrt(-2.0 * (z + _LOG_ROOT_2PI))
    else:
        x = -_LOGISTIC * math.log(math.expm1(-z))
    for _ in range(100):
        value = _log_ndtr(x)
        change = (value - z) * math.exp(value + 0.5 * x * x + _LOG_ROOT_2PI)
        x -= change
        if abs(change) < 1e-8 * abs(x):
            break
    return -x if flipped else x


@njit(cache=True, nogil=True, error_model="numpy")
def truncation(a: float, b: float) -> tuple[float, float]:
    """Logarithms of the normal probability between a <= 0 and b >= 0, and of that beyond the end nearer to it."""
    mass = math.log1p(-(0.5 + 0.5 * math.erf(a * _HALF)) - (0.5 + 0.5 * math.erf(-b * _HALF)))
    edge = a if a < 0.0 else -b
    return mass, _log_ndtr(edge) if edge > -37.0 else -math.inf


@njit(cache=True, nogil=True, error_model="numpy")
def truncated_normal(q: float, a: float, mass: float, outside: float) -> float:
    """Quantile `q` of the standard normal distribution from a <= 0 on, with its `truncation`."""
    if q == 0.0:
        return a
    inside = (math.log(q) if a < 0.0 else math.log1p(-q)) + mass
    below = inside
    if outside > -math.inf:  # farther out the remaining mass is negligible
        top = max(inside, outside)
        below = top + math.log1p(math.exp(min(inside, outside) - top))
    x = _ndtri_exp(below)
    return x if a < 0.0 else -x


@njit(cache=True, nogil=True, error_model="numpy", fastmath={"contract"})
def _exp_fraction(x: float) -> float:
    """e to the x for x within ln(2)/2, by its Taylor series."""
    p = 1.6059043836821613e-10
    p = p * x + 2.08767569878681e-09
    p = p * x + 2.505210838544172e-08
    p = p * x + 2.755731922398589e-07
    p = p * x + 2.7557319223985893e-06
    p = p * x + 2.48015873015873e-05
    p = p * x + 0.0001984126984126984
    p = p * x + 0.001388888888888889
    p = p * x + 0.008333333333333333
    p = p * x + 0.041666666666666664
    p = p * x + 0.16666666666666666
    p = p * x + 0.5
    p = p * x + 1.0
    p = p * x + 1.0
    return p


@njit(cache=True, nogil=True, error_model="numpy", fastmath={"contract"})
def _erfc_factor(x: float) -> float:
    """(1 + 2 t) exp(t**2) erfc(t) at x = (t - 3)/(t + 3): a Chebyshev fit within 1e-15, in powers.

    Source of the form: M. Shepherd and J. Laframboise, "Chebyshev approximation of (1 + 2x) exp(x**2) erfc x" (1981).
    """
    p = 9.862533510345587e-10
    p = p * x - 3.1813541434969274e-09
    p = p * x - 1.3312919661038687e-08
    p = p * x + 2.7843881265502222e-08
    p = p * x + 1.0183620603842736e-07
    p = p * x - 1.205414228648938e-07
    p = p * x - 6.166011460398726e-07
    p = p * x + 3.3669790806407595e-07
    p = p * x + 3.472370944977168e-06
    p = p * x - 7.187883834404266e-07
    p = p * x - 2.0100542268525612e-05
    p = p * x + 4.94412434222366e-06
    p = p * x + 0.0001250993424583729
    p = p * x - 0.00010515831297813128
    p = p * x - 0.0007798322696543306
    p = p * x + 0.0018886900977441495
    p = p * x + 0.0025293918156939696
    p = p * x - 0.023770514891530075
    p = p * x + 0.0683080273440099
    p = p * x - 0.11927366341676002
    p = p * x + 0.1296451587027594
    p = p * x - 0.04756229435342038
    p = p * x - 0.13562110612458117
    p = p * x + 1.2530080582697296
    return p


@njit(cache=True, nogil=True, error_model="numpy", fastmath={"contract"})
def exponentials(x: Any) -> Any:
    """e to the x, float64[n], for x <= 0, within 3e-16 relative; 0 below 1e-78."""
    n = x.shape[0]
    out, whole = np.empty(n), np.empty(n)
    bits = out.view(np.int64)
    for i in range(n):
        rounded = (x[i] if x[i] > _LEAST else _LEAST) * _LOG2_E + _ROUND
        out[i] = rounded
        whole[i] = rounded - _ROUND
    for i in range(n):
        bits[i] = (bits[i] << 52) + (1023 << 52)  # two to the whole number
    for i in range(n):
        found = out[i] * _exp_fraction((x[i] - whole[i] * _LN2_HIGH) - whole[i] * _LN2_LOW)
        out[i] = found if x[i] > _LEAST else 0.0
    return out


@njit(cache=True, nogil=True, error_model="numpy", fastmath={"contract"})
def masses(a: Any, b: Any) -> Any:
    """Twice the normal probability between a and b >= a, float64[n], exact in either tail down to 1e-60."""
    n = a.shape[0]
    t = np.empty(2 * n)
    for i in range(n):
        left, right = abs(a[i]) * _HALF, abs(b[i]) * _HALF
        t[i] = left if left < _FARTHEST else _FARTHEST
        t[n + i] = right if right < _FARTHEST else _FARTHEST
    tails = exponentials(-t * t)
    for i in range(2 * n):
        tails[i] *= _erfc_factor((t[i] - _CENTRE) / (t[i] + _CENTRE)) / (1.0 + 2.0 * t[i])
    out = np.empty(n)
    for i in range(n):
        inside = 2.0 - tails[i] - tails[n + i]
        outside = abs(tails[i] - tails[n + i])
        found = inside if (a[i] <= 0.0) & (b[i] >= 0.0) else outside
        out[i] = found if found > _NOTHING else 0.0
    for i in range(n):
        if out[i] < 0.01 and a[i] <= 0.0 and b[i] >= 0.0:  # where the subtraction has lost digits
            out[i] = math.erf(b[i] * _HALF) - math.erf(a[i] * _HALF)
    return out
