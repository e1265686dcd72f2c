"""The specification of a walk-forward holds what determines its result, and nothing that JSON would change."""

from __future__ import annotations

import json
from typing import Any

import pytest

import maestro as ms
from maestro.errors import SettingsError
from maestro.runs import source_hash
from maestro.runs.spec import RunSpec
from maestro.search.space import Space
from maestro.strategies import strategy_class
from maestro.walkforward.specification import recorded_space
from maestro.walkforward.splitters import Window

BARS = ms.load_sample("IBM")


class Given:
    """A user-defined splitter; `described` is what its `to_dict` returns."""

    def __init__(self, described: Any) -> None:
        self.described = described

    def split(self, bars: ms.Bars) -> list[Window]:
        return [Window(0, 500, 500, 700), Window(200, 700, 700, 900)]

    def to_dict(self) -> Any:
        return self.described


def planned(**settings: Any) -> RunSpec:
    return ms.plan(BARS, "EmaCrossStrategy", **{"splitter": "rolling:4,2,1", "trials": 5, **settings}).spec


def test_it_holds_every_setting_of_the_run() -> None:
    spec = planned(seed=3, costs=ms.Costs(0.002, 0.001), sizing="cash:5000", cash=7_000.0, params={"fast": 9})
    assert (spec.strategy, spec.trials, spec.seed, spec.cash) == ("EmaCrossStrategy", 5, 3, 7_000.0)
    assert spec.source == source_hash(strategy_class("EmaCrossStrategy")[0])
    assert dict(spec.params) == {"fast": 9}
    assert list(spec.space) == ["slow"]
    assert (spec.costs.fee, spec.costs.slippage, spec.sizing.kind) == (0.002, 0.001, "cash")
    assert (spec.bars.fingerprint, spec.bars.n) == (BARS.fingerprint, len(BARS))
    assert (spec.bars.start, spec.bars.end, spec.periods_per_year) == (BARS.start, BARS.end, BARS.periods_per_year)
    assert spec.bars.notes == BARS.notes


def test_json_changes_nothing() -> None:
    spec = planned(splitter="on-regime", select={"sharpe_ratio": 1.0, "vwr": 0.5})
    assert RunSpec.from_dict(json.loads(json.dumps(spec.to_dict()))) == spec


def test_options_of_a_choice_are_recorded_as_json_holds_them() -> None:
    space = Space(strategy_class("EmaCrossStrategy")[0], {}, {"fast": (5, 12)})
    recorded = recorded_space(space)
    assert {name: one.to_dict() for name, one in recorded.items()} == {d.name: d.to_dict() for d in space.dimensions}


def test_a_user_defined_splitter_is_recorded_with_its_windows() -> None:
    spec = planned(splitter=Given({"windows": 2}))
    assert (spec.splitter.kind, dict(spec.splitter.settings)) == ("Given", {"windows": 2})
    assert spec.windows == ((0, 500, 500, 700), (200, 700, 700, 900))


@pytest.mark.parametrize("described", [{"bars": {1, 2}}, 7])
def test_a_splitter_that_json_cannot_hold_is_refused(described: Any) -> None:
    with pytest.raises(SettingsError, match=r"Given\.to_dict\(\) does not return a dictionary of what JSON can hold"):
        planned(splitter=Given(described))
