"""Do the controls of the search write ranges and fixed values, follow them, and refuse those that are not valid?"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import maestro as ms
from maestro.apps.walk_forward.app import App
from maestro.apps.walk_forward.ranges import RangeControls
from maestro.apps.walk_forward.state import WalkForwardState


class Searched(ms.Strategy):
    n = ms.Int(20, 5, 50)
    x = ms.Float(0.5, 0.1, 1.0, maximum=2.0)
    share = ms.Float(0.01, 0.001, 0.1, log=True)
    kind = ms.Choice("a", ("a", "b", "c"))
    up = ms.Bool(True)
    quiet = ms.Int(3, 1, 9, search=False)


@pytest.fixture
def controls() -> RangeControls:
    made = RangeControls(WalkForwardState(own=Searched))
    made.edit.value = True
    return made


def ends(controls: RangeControls, name: str) -> dict[str, Any]:
    return {end: box.value for end, box in controls.ends[name].items()}


def test_the_search_is_described_and_shown_in_controls(controls: RangeControls) -> None:
    assert "Searched: n [5..50], x [0.1..1], share [0.001..0.1] log scale, kind " in controls.words.object
    assert {name: tick.value for name, tick in controls.fix.items()} == {
        "n": False, "x": False, "share": False, "kind": False, "up": False, "quiet": True,
    }  # fmt: skip
    assert ends(controls, "x") == {"low": "0.1", "high": "1", "step": ""}
    assert set(controls.sliders) == {"n", "x"}, "a log scale has boxes only"
    assert controls.sliders["n"].value == (5, 50)
    assert set(controls.values) == {"quiet"}


@pytest.mark.parametrize(
    ("name", "end", "given", "space"),
    [
        ("n", "low", "10", {"n": [10, 50]}),
        ("n", "high", "1,000", {"n": [5, 1000]}),
        ("n", "step", "5", {"n": [5, 50, 5]}),
        ("x", "step", "0.3", {"x": [0.1, 1.0, 0.3]}),
        ("x", "high", "2", {"x": [0.1, 2.0]}),
        ("share", "low", "0.01", {"share": [0.01, 0.1]}),
        ("share", "step", "0.033", {"share": [0.001, 0.1, 0.033]}),
    ],
)
def test_a_typed_end_changes_the_range(
    controls: RangeControls, name: str, end: str, given: str, space: dict[str, Any]
) -> None:
    before = ends(controls, name)
    controls.ends[name][end].value = given
    assert (controls.state.space, controls.problem.text) == (space, "")
    controls.ends[name][end].value = before[end]
    assert controls.state.space == {}, "the declared range needs no setting"


def test_a_slider_changes_both_ends_without_dust(controls: RangeControls) -> None:
    controls._drag("x", (0.1 + 0.2, 0.7))
    assert controls.state.space == {"x": [0.3, 0.7]}
    assert ends(controls, "x") == {"low": "0.3", "high": "0.7", "step": ""}
    controls.state.space = {"n": [2, 80, 3]}  # of a link
    assert ends(controls, "n") == {"low": "2", "high": "80", "step": "3"}
    assert (controls.sliders["n"].start, controls.sliders["n"].end, controls.sliders["n"].value) == (2, 80, (2, 80))


def test_a_tick_fixes_a_parameter_to_a_value_that_can_be_typed(controls: RangeControls) -> None:
    controls.ends["n"]["low"].value = "10"
    controls.fix["n"].value = True
    assert (controls.state.params, controls.state.space) == ({"n": 20}, {})
    assert "Fixed: n=20." in controls.words.object
    controls.values["n"].value = 33
    assert controls.state.params == {"n": 33}
    controls.fix["quiet"].value = False
    assert controls.state.space == {"quiet": [1, 9]}
    controls.fix["n"].value = False
    assert (controls.state.params, controls.values) == ({}, {})
    controls.fix["quiet"].value = True
    assert (controls.state.params, controls.state.space) == ({"quiet": 3}, {})
    controls.fix["kind"].value = True
    assert controls.state.params["kind"] == "a"
    controls.values["kind"].value = "c"
    assert controls.state.params["kind"] == "c"


def test_options_of_a_choice_are_chosen(controls: RangeControls) -> None:
    controls.ends["kind"]["options"].value = ["a", "c"]
    assert controls.state.space == {"kind": ["a", "c"]}
    controls.ends["kind"]["options"].value = []
    assert controls.problem.text.startswith("Options of kind: ")
    assert controls.ends["kind"]["options"].value == ["a", "c"]


@pytest.mark.parametrize(
    ("name", "end", "given", "message"),
    [
        ("n", "low", "60", "n: low: range [60..50] is empty; give the lower end first."),
        ("n", "low", "2.5", "n: low: '2.5' is not a whole number; allowed: "),
        ("n", "low", "0", "n: low: n=0 is out of bounds; allowed: whole numbers from 1"),
        ("n", "step", "90", "n: step: range [5..50] with step 90: the step must be above 0 and within the range."),
        ("x", "high", "3", "x: high: x=3.0 is out of bounds; allowed: numbers from 0 to 2"),
        ("x", "high", "inf", "x: high: inf in its range is not finite; allowed: "),
    ],
)
def test_a_refused_end_is_named_each_time_and_the_range_in_force_is_shown(
    controls: RangeControls, name: str, end: str, given: str, message: str
) -> None:
    before = ends(controls, name)
    for _ in range(2):
        controls.problem.say()
        controls.ends[name][end].value = given
        assert controls.problem.text.startswith(message)
        assert (ends(controls, name), controls.state.space) == (before, {})


def test_one_parameter_stays_free() -> None:
    class One(ms.Strategy):
        n = ms.Int(20, 5, 50)

    controls = RangeControls(WalkForwardState(own=One))
    controls.edit.value = True
    controls.fix["n"].value = True
    assert controls.problem.text.startswith("Fix n: One has nothing to search")
    assert (controls.fix["n"].value, controls.state.params) == (False, {})


def test_the_page_searches_the_ranges_of_the_controls_and_the_declared_range_has_the_same_run(tmp_path: Path) -> None:
    app = App(ms.synthetic_bars(1_500, seed=5), runs_dir=str(tmp_path), trials=2)
    app.ranges.edit.value = True
    assert app.asked is not None
    usual, high = app.asked.id, app.ranges.ends["fast"]["high"].value
    app.ranges.ends["fast"]["high"].value = "12"
    assert app.asked.id != usual
    assert app.wf is not None
    assert app.wf.trials["fast"].max() <= 12  # type: ignore[operator]
    assert "'fast': (5, 12)" in app.state.python()
    app.ranges.ends["fast"]["high"].value = high
    assert app.asked.id == usual
    app.state.strategy = "Nobody"
    assert (app.ranges.words.object, app.ranges._place.objects) == ("", [])
    app.state.strategy = "RSIStrategy"
    assert app.ranges.fix
    assert "Searched: " in app.ranges.words.object
