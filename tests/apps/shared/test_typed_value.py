"""Does the box beside a slider show its value, take exact ones, and name those that the rule refuses?"""

from __future__ import annotations

import pytest

import maestro as ms
from maestro.apps.backtest.state import BacktestState
from maestro.apps.shared.controls import StrategyControls
from maestro.apps.shared.typed_value import read_number
from maestro.errors import ParameterError


class Typed(ms.Strategy):
    n = ms.Int(20, 5, 50, maximum=200)
    x = ms.Float(0.5, 0.1, 1.0)
    share = ms.Float(0.01, 0.001, 0.1, log=True)
    up = ms.Bool(True)


@pytest.fixture
def controls() -> StrategyControls:
    return StrategyControls(BacktestState(own=Typed))


def test_slider_and_box_show_one_value(controls: StrategyControls) -> None:
    assert set(controls.typed) == {"n", "x", "share"}
    controls.widgets["n"].value = 30
    assert controls.typed["n"].box.value == "30"
    controls.typed["x"].box.value = "0.12345"
    assert (controls.state.params["x"], controls.widgets["x"].value) == (0.12345, 0.12345)
    controls.typed["share"].box.value = "0.0123456"
    assert (controls.state.params["share"], controls.widgets["share"].value) == (0.0123456, 0.0123456)
    controls.state.params = {"n": 7}
    assert [typed.box.value for typed in controls.typed.values()] == ["7", "0.5", "0.01"]


def test_values_beyond_the_slider_that_the_rule_takes_make_it_longer(controls: StrategyControls) -> None:
    controls.typed["n"].box.value = "150"
    assert (controls.state.params, controls.widgets["n"].end, controls.typed["n"].box.value) == ({"n": 150}, 150, "150")
    controls.state.params = {"n": 2}  # of the Back button
    assert (controls.widgets["n"].start, controls.widgets["n"].value) == (2, 2)


@pytest.mark.parametrize(
    ("name", "given", "message"),
    [
        ("n", "500", "n: n=500 is out of bounds; allowed: whole numbers from 1 to 200, searched in [5..50]"),
        ("n", "2.5", "n: '2.5' is not a whole number; allowed: whole numbers from 1 to 200"),
        ("n", "", "n: '' is not a whole number; allowed: "),
        ("x", "-1", "x: x=-1.0 is out of bounds; allowed: numbers from 0 to inf"),
        ("x", "nan", "x: x=nan is out of bounds; allowed: "),
        ("share", "much", "share: 'much' is not a number; allowed: "),
    ],
)
def test_a_refused_value_is_named_each_time_and_the_old_one_stays(
    controls: StrategyControls, name: str, given: str, message: str
) -> None:
    held = controls.typed[name].box.value
    for _ in range(2):
        controls.refused.say()
        controls.typed[name].box.value = given
        assert controls.refused.text.startswith(message)
        assert controls.refused.text.endswith(f" {held} is kept.")
        assert (controls.typed[name].box.value, controls.state.params) == (held, {})
    controls.typed["n"].box.value = "9"
    assert controls.refused.text == ""


def test_a_text_that_is_not_a_number_is_refused() -> None:
    assert read_number(ms.Int(1, 1, 5), " 1,000 ") == 1_000
    assert read_number(ms.Float(1.0, 0.0, 5.0), "1e-3") == 0.001
    with pytest.raises(ParameterError, match="not a whole number"):
        read_number(ms.Int(1, 1, 5), "1.0")


def test_commas_are_read_between_thousands_only() -> None:
    share = ms.Float(0.5, 0.1, 1.0)
    assert read_number(share, " 1,234,567.5 ") == 1_234_567.5
    for text in ("0,5", "1,5", "1,2345", ",5", "1,,234"):
        with pytest.raises(ParameterError, match="is not a number"):
            read_number(share, text)
