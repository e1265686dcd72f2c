"""Parameter stability: movement against picks at random, and choices at a bound."""

from __future__ import annotations

import math

import numpy as np
import polars as pl
import pytest

from maestro.validation.robustness.parameter_stability import edges, movement
from maestro.walkforward.columns import Range


def test_movement_is_one_for_picks_at_random_and_zero_for_none() -> None:
    rng = np.random.default_rng(1)
    n = 20_000
    assert movement(pl.Series(rng.uniform(3, 9, n)), Range(3, 9)) == pytest.approx(1.0, abs=0.02)
    assert movement(pl.Series(rng.integers(5, 12, n)), Range(5, 11, 1)) == pytest.approx(1.0, abs=0.02)
    assert movement(pl.Series(np.exp(rng.uniform(-3, 2, n))), Range(math.exp(-3), math.exp(2), None, True)) == (
        pytest.approx(1.0, abs=0.02)
    )
    assert movement(pl.Series(rng.choice(["a", "b", "c"], n)), Range(options=("a", "b", "c"))) == (
        pytest.approx(1.0, abs=0.02)
    )
    assert movement(pl.Series([10.0, 30.0, 20.0]), Range(0, 60)) == pytest.approx(0.75)
    assert movement(pl.Series([7, 7, 7, 7]), Range(5, 11, 1)) == 0.0
    assert math.isnan(movement(pl.Series([7, 8]), Range(5, 11, 1)))
    assert math.isnan(movement(pl.Series([True, True, True]), Range(options=(True,))))


def test_choices_at_a_bound_are_counted() -> None:
    assert edges(pl.Series([5, 6, 11, 8]), Range(5, 11, 1)) == 2
    assert edges(pl.Series([5, 6, 11, 8]), Range(5, 11, 1, stated=False)) == 0
