"""Break-even: by bisection, of one cost and of all costs at once."""

from __future__ import annotations

import math

import pytest

import maestro as ms
from maestro.errors import StrategyError
from maestro.validation.robustness.break_even import break_even, break_even_multiple
from maestro.validation.robustness.choices import choices_of


def test_the_root_of_a_line() -> None:
    asked: list[float] = []

    def total(cost: float) -> float:
        asked.append(cost)
        return 0.3 - cost

    assert break_even(total, 1.0) == pytest.approx(0.3, abs=1e-6)
    fine = len(asked)
    asked.clear()
    assert break_even(total, 1.0, precision=0.02) == pytest.approx(0.3, rel=0.02)
    assert len(asked) < fine / 2
    assert math.isnan(break_even(lambda cost: -cost, 1.0))
    assert math.isinf(break_even(lambda cost: 5.0 - cost, 1.0))


def test_at_the_multiple_the_return_changes_its_sign() -> None:
    choices = choices_of(ms.walk_forward(ms.load("sample:AAPL"), "EmaCrossStrategy", trials=12, workers=1))
    times = break_even_multiple(choices)
    assert 1 < times < 16
    for factor, sign in ((0.95, 1), (1.05, -1)):
        costs = ms.Costs(0.001 * times * factor, 0.0005 * times * factor)
        assert sign * choices.stitched(costs=costs).metrics["total_return"] > 0


class FailsLater(ms.Strategy):
    """Works in the search, and fails afterwards."""

    level = ms.Int(1, 1, 5)
    broken = False

    def warmup(self, params: object = None) -> int:
        return 0

    def signals(self, bars: ms.Bars) -> ms.Signals:
        if FailsLater.broken:
            raise RuntimeError("no")
        return ms.Signals.flip(bars.close > bars.open, bars.close < bars.open)


def test_a_strategy_that_fails_is_named_with_its_fold() -> None:
    choices = choices_of(ms.walk_forward(ms.load("sample:IBM"), FailsLater, trials=2, workers=1))
    FailsLater.broken = True
    try:
        with pytest.raises(StrategyError, match="FailsLater failed on fold 0: RuntimeError: no"):
            break_even_multiple(choices)
    finally:
        FailsLater.broken = False


def test_break_even_by_halving() -> None:
    assert break_even(lambda cost: 0.02 - cost, 0.05) == pytest.approx(0.02, abs=1e-8)
    assert math.isnan(break_even(lambda cost: -0.1 - cost, 0.05))
    assert break_even(lambda cost: 1.0 - cost, 0.05) == math.inf
