"""Crossings of two lines, or of a line and a level: booleans, true at the bar of the crossing."""

from __future__ import annotations

from numbers import Real
from typing import Any

import numpy as np

from maestro._core.compiled import njit
from maestro.indicators.inputs import series, several
from maestro.typing import BoolArray, FloatArray


@njit(cache=True, nogil=True)
def _rises_over(a: Any, b: Any) -> Any:
    n = a.shape[0]
    out = np.zeros(n, np.bool_)
    for i in range(1, n):
        out[i] = (a[i] > b[i]) & (a[i - 1] <= b[i - 1])
    return out


@njit(cache=True, nogil=True)
def _rises_over_level(a: Any, level: float, sign: float) -> Any:
    n = a.shape[0]
    out = np.zeros(n, np.bool_)
    for i in range(1, n):
        out[i] = (sign * a[i] > level) & (sign * a[i - 1] <= level)
    return out


def crosses_above(a: FloatArray, b: FloatArray | float) -> BoolArray:
    """Tell where `a` crosses above `b`: ``a[t] > b[t]`` and ``a[t − 1] <= b[t − 1]``; false where a value is NaN.

    >>> crosses_above([1.0, 2.0, 4.0], [2.0, 2.0, 3.0])
    array([False, False,  True])
    """
    if isinstance(b, Real):
        return _rises_over_level(series(a, "a"), float(b), 1.0)  # type: ignore[no-any-return]
    return _rises_over(*several(a=a, b=b))  # type: ignore[no-any-return]


def crosses_below(a: FloatArray, b: FloatArray | float) -> BoolArray:
    """Tell where `a` crosses below `b`: ``a[t] < b[t]`` and ``a[t − 1] >= b[t − 1]``; false where a value is NaN."""
    if isinstance(b, Real):
        return _rises_over_level(series(a, "a"), -float(b), -1.0)  # type: ignore[no-any-return]
    return _rises_over(*several(b=b, a=a))  # type: ignore[no-any-return]
