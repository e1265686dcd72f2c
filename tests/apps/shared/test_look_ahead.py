"""The look-ahead line checks user-defined strategies, says what was found, and forgets earlier questions."""

from __future__ import annotations

import numpy as np
import pytest

import maestro as ms
from maestro.apps.backtest.state import BacktestState
from maestro.apps.shared.look_ahead import LookAheadLine
from tests.support.patience import GIVE_UP


class Honest(ms.Strategy):
    n = ms.Int(5, 2, 9)

    def signals(self, bars: ms.Bars) -> ms.Signals:
        long = bars.close > bars.open
        return ms.Signals(long_entry=long, long_exit=~long)


class Peeking(ms.Strategy):
    n = ms.Int(5, 2, 9)

    def signals(self, bars: ms.Bars) -> ms.Signals:
        long = np.append(bars.close[1:] > bars.close[:-1], False)
        return ms.Signals(long_entry=long, long_exit=~long)


class Raising(ms.Strategy):
    n = ms.Int(5, 2, 9)

    def signals(self, bars: ms.Bars) -> ms.Signals:
        raise KeyError("volume2")


@pytest.fixture(scope="module")
def bars() -> ms.Bars:
    return ms.synthetic_bars(300, seed=2)


@pytest.mark.parametrize(
    ("strategy", "begin"),
    [
        (Honest, "Look-ahead check passed ("),
        (Peeking, "Look-ahead check FAILED, "),
        (Raising, "Look-ahead check not possible: "),
    ],
)
def test_the_line_states_the_finding(strategy: type[ms.Strategy], begin: str, bars: ms.Bars) -> None:
    line = LookAheadLine()
    line.check(strategy, {}, bars)
    assert line.thread is not None
    line.thread.join(GIVE_UP)
    assert line.line.text.startswith(begin)
    assert ("volume2" in line.line.text) == (strategy is Raising)


def test_built_in_strategies_and_an_answer_that_comes_late_show_nothing(bars: ms.Bars) -> None:
    line = LookAheadLine()
    line.check(BacktestState(strategy="RSIStrategy").chosen(), {}, bars)
    assert (line.thread, line.line.text) == (None, "")
    line._show(("another", "series"), ("Look-ahead check passed", "success"))
    assert line.line.text == ""
