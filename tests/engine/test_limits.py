"""What neither vectorbt nor backtrader can do."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import maestro as ms
from maestro.engine.limits import common_refusals, is_grid
from maestro.engine.protocol import Task

BARS = ms.synthetic_bars(200)
GRID = ms.strategy("GridTradingStrategy", period=20).signals(BARS)
PLAIN = ms.Signals(np.zeros(200, bool))


@pytest.mark.parametrize(
    ("signals", "sizing", "refusals"),
    [
        (PLAIN, ms.Sizing.volatility(0.4), []),
        (GRID, ms.Sizing.percent(1.0), []),
        (GRID, ms.Sizing.volatility(0.4), ["a grid with volatility sizing"]),
        (PLAIN, ms.Sizing.percent(1.0, max_exposure=3.0), ["max_exposure=3, because it cannot borrow"]),
    ],
)
def test_refusals_in_words(signals: Any, sizing: ms.Sizing, refusals: list[str]) -> None:
    task = Task(BARS, None, signals, ms.Costs(), sizing, 1e5, "next_open")
    assert list(common_refusals(task)) == refusals


def test_only_the_built_in_grid_is_a_grid() -> None:
    assert is_grid(GRID)
    assert not is_grid(PLAIN)
