"""The compiled signature of an order step, so that the engine can call any strategy's own (see `Orders`)."""

from __future__ import annotations

from numba import boolean, float64, int64, types

_SERIES = types.Array(float64, 1, "C", readonly=True)
_TABLE = types.Array(float64, 2, "C", readonly=True)
ORDER_STEP = int64(int64, boolean, _SERIES, _TABLE, _SERIES, _SERIES, float64[::1], float64[:, ::1])
"""step(t, allowed, bar, columns, numbers, account, state, book) -> action"""
