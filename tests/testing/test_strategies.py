"""Built-in strategies keep the contract that strategies of users are tested by, and a broken one does not."""

from __future__ import annotations

import numpy as np
import pytest

import maestro as ms
from maestro.bars import Bars
from maestro.testing import StrategyContract


class TestEmaCross(StrategyContract):
    strategy = ms.strategies.STRATEGIES["EmaCrossStrategy"]


class TestChannel(StrategyContract):
    strategy = ms.strategies.STRATEGIES["ChannelStrategy"]


class Prophet(ms.Strategy):
    """Buys before it rises."""

    days = ms.Int(5, 2, 20)

    def signals(self, bars: Bars) -> ms.Signals:
        rises = np.append(bars.close[1:] > bars.close[:-1], False)
        return ms.Signals.flip(rises, ~rises)


def test_a_strategy_that_looks_ahead_fails() -> None:
    class Contract(StrategyContract):
        strategy = Prophet

    bars = ms.load_sample("AAPL")
    with pytest.raises(AssertionError, match="look-ahead"):
        Contract().test_it_does_not_look_ahead(bars)
    with pytest.raises(AssertionError):
        Contract().test_other_parameters_give_other_trades(bars)
    with pytest.raises(AssertionError):
        Contract().test_every_parameter_is_documented()
