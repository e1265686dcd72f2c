"""Do the controls of a strategy write values that the strategy takes, whatever options it has?"""

from __future__ import annotations

import json
from typing import Any

import pytest

import maestro as ms
from maestro.apps.backtest.state import BacktestState
from maestro.apps.shared.controls import StrategyControls, TradeControls, control
from maestro.apps.shared.state import TradeState
from tests.strategies.test_options import OPTIONS


@pytest.mark.parametrize("name", OPTIONS)
def test_a_list_of_options_gives_what_the_strategy_takes(name: str) -> None:
    given, cells = OPTIONS[name]
    choice = ms.Choice(next(iter(given)), given)

    class Chosen(ms.Strategy):
        x = choice

    state = BacktestState(own=Chosen, strategy="Chosen")
    controls = StrategyControls(state)
    box: Any = controls.widgets["x"]
    assert box.options == list(cells)
    assert box.value == cells[0]
    for option, cell in zip(choice.options, cells, strict=True):
        box.value = cell
        assert Chosen(**state.params).params["x"] is option
        json.dumps(state.params, allow_nan=False)
    state.params = {"x": cells[0]}
    assert box.value == cells[0]
    assert control("x", choice, choice.options[-1]).value == cells[-1]


def test_a_value_that_is_refused_leaves_the_control_at_the_default() -> None:
    state = BacktestState(params={"fast": "no number"})
    assert StrategyControls(state).widgets["fast"].value == 50


def test_a_rebate_of_a_maker_can_be_entered() -> None:
    controls = TradeControls(TradeState())
    box = controls.widgets["fee"]
    assert (box.start, controls.widgets["slippage"].start) == (-0.01, 0)
    box.value = -0.00025
    assert controls.state.fee == -0.00025
    bt = ms.backtest(ms.load_sample("AAPL"), "EmaCrossStrategy", costs=ms.Costs(fee=controls.state.fee))
    assert bt.metrics["fees"] < 0
    with pytest.raises(ValueError, match="fee"):
        controls.state.fee = -0.02
