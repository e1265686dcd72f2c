"""Small strategies and bars that tests of the walk-forward share."""

from __future__ import annotations

import time
from typing import Any

import polars as pl

import maestro as ms
from maestro.bars import Bars

TABLES = ("folds", "trials", "equity", "trades")


class Cross(ms.Strategy):
    """Two averages; quick enough for small bars."""

    fast = ms.Int(5, 2, 20)
    slow = ms.Int(20, 5, 60)
    constraints = (ms.Constraint("fast < slow", lambda p: p.fast < p.slow),)

    def warmup(self, params):  # type: ignore[no-untyped-def]
        return params.slow

    def signals(self, bars: Bars) -> ms.Signals:
        fast, slow = ms.indicators.sma(bars.close, self.fast), ms.indicators.sma(bars.close, self.slow)
        return ms.Signals.flip(ms.indicators.crosses_above(fast, slow), ms.indicators.crosses_below(fast, slow))


class Slow(Cross):
    """The same, some milliseconds a set."""

    def signals(self, bars: Bars) -> ms.Signals:
        time.sleep(0.003)
        return super().signals(bars)


class FailsAbove(Cross):
    """Raises where the bars begin at a price above 100.5: in some folds, and not in others."""

    def signals(self, bars: Bars) -> ms.Signals:
        if bars.open[0] > 100.5:
            raise ValueError(f"the first open is {bars.open[0]:.2f}")
        return super().signals(bars)


class NeverTrades(ms.Strategy):
    """No signal at all: every Sharpe ratio is undefined."""

    n = ms.Int(5, 2, 20)

    def signals(self, bars: Bars) -> ms.Signals:
        return ms.Signals(bars.close < 0)


class FailsOnTest(Cross):
    """Works on training windows of 300 bars or fewer, and fails on the longer stretch with the test window."""

    def signals(self, bars: Bars) -> ms.Signals:
        if len(bars) > 300:
            raise RuntimeError("too long for me")
        return super().signals(bars)


RISING = ms.synthetic_bars(1_500, seed=4)
"""Of the three folds of `THREE`, the first begins at 100, the others at 104 and 106."""
FALLING = ms.synthetic_bars(1_500, seed=5)
THREE: dict[str, Any] = {"splitter": ms.Rolling(n_splits=4), "trials": 6}


def same(one: ms.WalkForward, other: ms.WalkForward) -> bool:
    """Whether two results are equal to the bit in everything that is computed."""
    for name in TABLES:
        left, right = getattr(one, name), getattr(other, name)
        assert left.schema == right.schema, name
        assert left.equals(right, null_equal=True), f"{name} differ: {differing(left, right)}"
    return one.id == other.id and repr(one.metrics) == repr(other.metrics) and one.spec == other.spec


def differing(left: pl.DataFrame, right: pl.DataFrame) -> list[str]:
    return [name for name in left.columns if not left[name].equals(right[name], null_equal=True)]
