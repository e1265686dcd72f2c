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
    controls.widgets["fee"].value = "-0.00025"
    assert controls.state.fee == -0.00025
    bt = ms.backtest(ms.load_sample("AAPL"), "EmaCrossStrategy", costs=ms.Costs(fee=controls.state.fee))
    assert bt.metrics["fees"] < 0
    with pytest.raises(ValueError, match="fee"):
        controls.state.fee = -0.02


@pytest.mark.parametrize(
    ("name", "refused"),
    [
        ("fee", "0.9"),
        ("fee", "-0.5"),
        ("slippage", "-0.1"),
        ("cash", "-5"),
        ("cash", ""),
        ("cash", "inf"),
        ("fee", "x"),
    ],
)
def test_a_refused_value_is_named_and_its_box_shows_what_is_in_force(name: str, refused: str) -> None:
    controls = TradeControls(TradeState())
    held, shown = getattr(controls.state, name), controls.widgets[name].value
    controls.widgets[name].value = refused
    assert getattr(controls.state, name) == held
    assert controls.widgets[name].value == shown
    assert controls.problem.text.startswith(f"{controls.widgets[name].label}: {refused!r} is not allowed")
    assert controls.problem.text.endswith(f"{shown} is kept.")
    controls.widgets["cash"].value = "250,000"
    assert controls.state.cash == 250_000
    assert controls.widgets["cash"].value == "250000"
    assert controls.problem.text == ""
