"""Arguments of a simulation that are refused, and runs that can be repeated."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import maestro as ms
from maestro.engine.simulator import Simulator, require_stop
from maestro.errors import SettingsError, StrategyError

BARS = ms.synthetic_bars(100)
SETTINGS: dict[str, Any] = {"costs": ms.Costs(), "sizing": ms.Sizing.percent(1.0)}


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"cash": 0}, "cash=0 is not an amount above 0"), ({"cash": float("inf")}, "is not an amount above 0"),
        ({"cash": 1e101}, "is not between 1e-100 and 1e100"), ({"fill": "open"}, "fill='open' is unknown"),
        ({"window": (50, 50)}, "window 50..50 does not lie in the 100 bars"), ({"window": (0, 101)}, "window 0..101"),
    ],
)  # fmt: skip
def test_impossible_arguments_are_refused(given: dict[str, Any], message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        Simulator(BARS, **SETTINGS, **given)


def test_a_recorded_run_has_the_metrics_of_the_quick_one() -> None:
    simulator = Simulator(BARS, **SETTINGS)
    signals = ms.Signals.flip(BARS.close > BARS.open, BARS.close < BARS.open)
    metrics = simulator.metrics(signals).copy()
    books = simulator.record(signals)
    assert books.equity[-1] == metrics[ms.metrics.NAMES.index("final_equity")]
    assert len(books.trades) >= metrics[ms.metrics.NAMES.index("num_trades")]
    np.testing.assert_array_equal(simulator.metrics(signals), metrics)


def test_signals_of_other_bars_are_refused() -> None:
    with pytest.raises(StrategyError, match="50 signals for 100 bars; give one per bar"):
        Simulator(BARS, **SETTINGS).metrics(ms.Signals(np.zeros(50, bool)))


def test_sizing_by_risk_needs_a_stop() -> None:
    require_stop(ms.Signals(np.zeros(5, bool), trail=0.05))
    with pytest.raises(StrategyError, match="this strategy has no stop or trail"):
        require_stop(ms.Signals(np.zeros(5, bool)))
