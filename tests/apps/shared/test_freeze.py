"""The card that reproduces a screen follows the state, escapes markup, and says what has no link."""

from __future__ import annotations

import maestro as ms
from maestro.apps.backtest.state import BacktestState
from maestro.apps.market.state import MarketState
from maestro.apps.shared.freeze import Freeze


def test_back_restores_the_settings_of_an_earlier_link_in_one_event() -> None:
    state = BacktestState()
    freeze, events = Freeze(state), []
    state.param.watch(lambda *changes: events.append({change.name for change in changes}), list(state.settings()))
    first = freeze.address.search
    state.param.update(params={"fast": 7}, fee=0.0)
    second = freeze.address.search
    state.data = "sample:IBM"
    assert len({first, second, freeze.address.search}) == 3
    events.clear()
    freeze.address._handle_msg({"search": second, "forward": False})
    assert (state.data, state.params, state.fee) == ("sample:AAPL", {"fast": 7}, 0.0)
    freeze.address._handle_msg({"search": first, "forward": False})
    assert state.settings() == BacktestState().settings()
    assert events == [{"data"}, {"params", "fee"}]
    assert freeze.address.search == first


def test_a_class_of_a_notebook_has_no_link_and_the_page_has_a_remedy() -> None:
    class Mine(ms.Strategy):
        n = ms.Int(5, 2, 9)

    freeze = Freeze(BacktestState(own=Mine))
    for name in ("Link", "Papermill"):
        assert "Mine is defined in this notebook or program" in freeze._texts[name].object
        assert "my_rules.py:Mine" in freeze._texts[name].object
    assert "ms.backtest(bars, Mine" in freeze._texts["Python"].object
    assert freeze.download.disabled
    freeze.state.strategy = "RSIStrategy"
    assert "strategy=RSIStrategy" in freeze._texts["Link"].object
    assert not freeze.download.disabled


def test_what_is_frozen_follows_the_state_and_obeys_no_markup() -> None:
    state = MarketState()
    freeze = Freeze(state)
    state.data = "<img src=x onerror=alert(1)>"
    for pane in freeze._texts.values():
        assert "<img" not in pane.object
        assert pane.object.startswith("<pre>")
    assert "&lt;img src=x" in freeze._texts["Python"].object
