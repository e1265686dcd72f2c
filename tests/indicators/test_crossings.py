"""Crossings of two lines, by hand."""

from __future__ import annotations

import math

import numpy as np

import maestro.indicators as ind


def test_crossings_by_hand() -> None:
    nan = math.nan
    a = np.array([1.0, 2.0, 3.0, 2.0, 2.0, 1.0, nan, 3.0, 1.0])
    b = np.array([2.0, 2.0, 2.0, 2.0, 2.0, 2.0, 2.0, 2.0, nan])
    np.testing.assert_array_equal(np.flatnonzero(ind.crosses_above(a, b)), [2])
    np.testing.assert_array_equal(np.flatnonzero(ind.crosses_below(a, b)), [5])
    np.testing.assert_array_equal(ind.crosses_above(a[:8], 2.0), ind.crosses_above(a[:8], b[:8]))
    np.testing.assert_array_equal(ind.crosses_below(a[:8], 2), ind.crosses_below(a[:8], b[:8]))
    assert ind.crosses_above(a, b).dtype == np.bool_
