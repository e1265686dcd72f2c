"""Compiled types of the kernels' arguments: stated once, so that no call compiles a second variant."""

from __future__ import annotations

from numba import boolean, float64, int64, types

SERIES = types.Array(float64, 1, "C", readonly=True)
TABLE = types.Array(float64, 2, "C", readonly=True)
FLAGS = types.Array(boolean, 1, "C", readonly=True)
INDEX = types.Array(int64, 1, "C", readonly=True)
WRITE_1D = types.Array(float64, 1, "C")
WRITE_2D = types.Array(float64, 2, "C")
