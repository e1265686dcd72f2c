"""Geometry: the run's own windows give the run, on processes too."""

from __future__ import annotations

from typing import Any

import pytest

import maestro as ms
from maestro.errors import SettingsError
from maestro.validation import geometry_map
from tests.validation.robustness.rules import N


def test_the_runs_own_geometry_is_the_run(wf: ms.WalkForward) -> None:
    found = geometry_map(wf, workers=1)
    own = found.table.filter(train=found.train, test=found.test, offset=0).row(0, named=True)
    assert (found.train, found.test) == (200, 100)
    assert own["folds"] == 9
    for name in ("sharpe_ratio", "total_return", "max_drawdown"):
        assert own[name] == wf.metrics[name]
    rows = found.table
    assert set(rows["train"]) == {100, 150, 200, 300, 400}
    assert set(rows["test"]) == {50, 100, 200}
    assert (rows["folds"] == (N - rows["offset"] - rows["train"]) // rows["test"]).all()
    # What all have in common begins after the longest training and offset, and ends with the first to end.
    first, last = found.common
    hour = 3_600_000_000
    start = 400 + rows.filter(train=400)["offset"].max()  # type: ignore[operator]
    ends = rows["offset"] + rows["train"] + rows["folds"] * rows["test"]
    assert (first - int(wf.bars.time[0])) // hour == start  # type: ignore[union-attr]
    assert (last - int(wf.bars.time[0])) // hour == ends.min() - 1  # type: ignore[operator, union-attr]
    grid = found.grid()
    assert len(grid) == 15
    assert (grid["low"] <= grid["median"]).all()
    assert found.spread[0] <= found.spread[1] <= found.spread[2]


def test_processes_give_the_same_map(wf: ms.WalkForward) -> None:
    few = {"trains": (0.5, 1.0), "tests": (1.0,), "offsets": (0.0, 0.5), "trials": 4}
    assert geometry_map(wf, workers=2, **few).table.equals(geometry_map(wf, workers=1, **few).table)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"trains": ()}, "trains"), ({"tests": (0.0,)}, "tests"), ({"trains": (50,)}, "no geometry"),
        ({"trials": 0}, "trials=0"), ({"workers": 0}, "workers=0"),
    ],
)  # fmt: skip
def test_impossible_geometries_are_refused(wf: ms.WalkForward, given: dict[str, Any], words: str) -> None:
    with pytest.raises(SettingsError, match=words):
        geometry_map(wf, **given)
