"""The script of a run reproduces it: executed, it makes a run with the same id."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

import maestro as ms
from maestro.runs.script import python_lines
from maestro.runs.spec import ObjectSpec, RunSpec, SelectionSpec, SplitterSpec
from maestro.strategies import strategy_class
from maestro.walkforward.specification import recorded_space

BARS = ms.load_sample("IBM")
ORIGIN = "ms.load_sample('IBM')"


def spec(**settings: Any) -> RunSpec:
    return ms.plan(BARS, "EmaCrossStrategy", **{"splitter": "rolling:4,2,1", "trials": 5, **settings}).spec


def script(of: RunSpec, origin: str = ORIGIN, built_in: bool = True) -> str:
    from maestro.search.space import Space

    declared = recorded_space(Space(strategy_class("EmaCrossStrategy")[0], of.params))
    return python_lines(of, origin, declared, built_in)


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"seed": 7, "params": {"fast": 9}, "costs": ms.Costs(0.002, 0.0), "sizing": "cash:5000", "cash": 7_000.0},
        {"splitter": "calendar:2y,1y", "select": "vwr", "search": "random", "fill": "close"},
        {"splitter": "on-regime", "select": {"sharpe_ratio": 1.0, "vwr": 0.5}, "warm_start": True},
        {"space": {"fast": (5, 12)}},
    ],
)
def test_the_script_plans_the_same_run(settings: dict[str, Any]) -> None:
    planned = ms.plan(BARS, "EmaCrossStrategy", **{"splitter": "rolling:4,2,1", "trials": 5, **settings})
    code = script(planned.spec).replace("ms.walk_forward(", "ms.plan(")
    names: dict[str, Any] = {}
    exec(code, names)
    assert names["wf"].id == planned.id


def test_settings_that_are_defaults_are_left_out() -> None:
    lines = script(spec())
    assert "space=" not in lines
    assert "select=" not in lines
    assert "warm_start" not in lines
    assert lines.startswith(f"import maestro as ms\n\nbars = {ORIGIN}  # {BARS.name}, {len(BARS):,} bars, ")


def test_gaps_are_left_for_what_code_cannot_give() -> None:
    found = replace(
        spec(), strategy="Mine", search=ObjectSpec("CmaEsSampler", {"seed": 3}), splitter=SplitterSpec("Own", {"n": 2}),
        selection=SelectionSpec("pareto", ("sharpe_ratio", "vwr"), ()),
    )  # fmt: skip
    lines = script(found, origin="", built_in=False)
    assert "bars = ...  # " in lines
    assert "    Mine,  # the class of this name\n" in lines
    assert "splitter=...,  # Own {'n': 2}" in lines
    assert "search=...,  # CmaEsSampler {'seed': 3}" in lines
    assert "import maestro.walkforward\n" in lines
    assert "select=maestro.walkforward.Selection(('sharpe_ratio', 'vwr'), 'pareto')" in lines
