"""Stability of a chosen parameter from fold to fold, compared with random picks."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import polars as pl

from maestro.walkforward.columns import Range

STEADY, RANDOM = 0.35, 0.75
"""Movement below the first is called steady, above the second no better than chance."""


def movement(values: pl.Series, searched: Range) -> float:
    """Mean step between neighbouring folds over the mean step of independent uniform picks; 0 never moves.

    Parameters
    ----------
    values : Series, one per fold, in order
        Numbers, booleans or options.
    searched : Range
        Searched range. Two independent uniform picks from an interval lie a third of it apart on average,
        from `m` evenly spaced values (m² - 1) / (3m) spacings; two picks from `k` options differ with
        probability 1 - 1/k.

    Returns
    -------
    float
        About 1 for random picks; NaN with fewer than three folds, or if there was nothing to choose.
        Worked: 10, 30, 20 searched in [0, 60] as real numbers: mean step 15, expected 20, movement 0.75.
    """
    picks = values.drop_nulls()
    if len(picks) < 3:
        return math.nan
    if searched.options or not picks.dtype.is_numeric():
        options = len(set(searched.options) | set(picks.to_list()))
        texts = picks.cast(pl.String)
        changes = float((texts[1:] != texts[:-1]).mean())  # type: ignore[arg-type]
        return changes / (1 - 1 / options) if options > 1 else math.nan
    low, high, step = searched.low, searched.high, searched.step
    numbers = picks.cast(pl.Float64).to_numpy()
    if not math.isfinite(low) or not high > low:
        return math.nan
    if searched.log and low * high > 0:
        low, high = sorted((math.log(abs(low)), math.log(abs(high))))
        numbers, step = np.log(np.abs(numbers)), None
    if step:
        count = int((high - low) // step) + 1
        expected = step * (count * count - 1) / (3 * count)
    else:
        expected = (high - low) / 3
    return float(np.abs(np.diff(numbers)).mean() / expected) if expected > 0 else math.nan


def in_words(value: float) -> str:
    """``steady``, ``moves``, ``like picks at random``; empty if there is no figure."""
    if not math.isfinite(value):
        return ""
    return "steady" if value <= STEADY else "moves" if value < RANDOM else "like picks at random"


def edges(values: pl.Series, searched: Range, share: float = 0.02) -> int:
    """Folds in which the choice lies at a bound of the search (within `share` of its width)."""
    picks = values.drop_nulls()
    if searched.options or not searched.stated or not picks.dtype.is_numeric() or not searched.high > searched.low:
        return 0
    numbers: Any = picks.cast(pl.Float64).to_numpy()
    low, high = searched.low, searched.high
    if searched.log and low * high > 0:
        low, high = sorted((math.log(abs(low)), math.log(abs(high))))
        numbers = np.log(np.abs(numbers))
    margin = share * (high - low)
    return int(((numbers <= low + margin) | (numbers >= high - margin)).sum())
