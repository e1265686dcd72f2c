"""Neighbourhoods: plateaus and needles are recognised, steps keep to ranges and grids."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import polars as pl
import pytest

import maestro as ms
from maestro.errors import SettingsError
from maestro.search.dimensions import dimension
from maestro.validation import neighbourhood
from maestro.validation.robustness.choices import choices_of
from maestro.validation.robustness.neighbourhood import _displacements, _moved, _step
from maestro.walkforward.fold import evaluator
from tests.validation.robustness.rules import Foresight


def test_the_choice_itself_is_the_runs(wf: ms.WalkForward) -> None:
    found = neighbourhood(wf)
    assert found.names == ("fast", "slow")
    choice = found.table.row(0, named=True)
    assert (choice["fast"], choice["slow"], choice["kept"]) == (0, 0, 1.0)
    assert choice["in_sample"] == pytest.approx(wf.folds["is_sharpe_ratio"].mean(), rel=1e-12)
    assert choice["out_of_sample"] == pytest.approx(wf.folds["oos_sharpe_ratio"].mean(), rel=1e-12)
    assert found.folds["chosen"].to_list() == wf.folds["is_sharpe_ratio"].to_list()
    assert len(found.table) == 25
    assert len(found.profile("fast")) == 5
    assert found.profile("slow")["fast"].to_list() == [0] * 5


def test_a_neighbour_is_what_its_backtest_gives(wf: ms.WalkForward, bars: ms.Bars) -> None:
    found = neighbourhood(wf, steps=1)
    choices = choices_of(wf)
    row = found.table.filter((pl.col("fast") == 1) & (pl.col("slow") == 0)).row(0, named=True)
    assert found.sizes == {"fast": 1.0, "slow": 2.0}
    values = []
    for window, params in zip(choices.windows, choices.params, strict=True):
        moved = {**params, "fast": params["fast"] + 1}
        if moved["fast"] <= 20 and moved["fast"] < moved["slow"]:
            measure = evaluator(choices.plan, bars[window.train_start : window.train_stop])
            values.append(float(measure(moved)[0]))
    values = [one for one in values if not math.isnan(one)]  # nothing was traded
    assert row["folds"] == len(values)
    assert row["in_sample"] == pytest.approx(np.mean(values), rel=1e-12)


@pytest.mark.parametrize(("width", "shape"), [(60.0, "plateau"), (13.5, "slope"), (2.0, "needle")])
def test_a_planted_plateau_and_a_planted_needle_are_distinguished(bars: ms.Bars, width: float, shape: str) -> None:
    run = ms.walk_forward(
        bars, Foresight(width=width), trials=40, workers=1, params={"width": width}, splitter="rolling:5,2,1"
    )
    found = neighbourhood(run)
    assert found.shape == shape, found.kept
    assert shape in repr(found)


def test_neighbours_stay_inside_the_ranges_and_rules(bars: ms.Bars) -> None:
    run = ms.walk_forward(bars, "EmaCrossStrategy", trials=4, workers=1, space={"fast": (18, 20), "slow": (20, 22)})
    found = neighbourhood(run, steps=3)
    assert found.table["folds"].max() == 9
    assert found.table.filter(pl.col("fast") == 3)["folds"].sum() == 0  # 18 to 20 has no value 3 steps up
    assert found.table.filter(pl.col("folds") == 0)["in_sample"].null_count() == (found.table["folds"] == 0).sum()


def test_steps_keep_to_grids_scales_and_bounds() -> None:
    whole = dimension("n", ms.Int(10, 1, 101))
    assert _step(whole, 0.05) == 5.0
    assert [_moved(whole, 10, k, 0.05) for k in (-2, -1, 0, 1, 2)] == [None, 5, 10, 15, 20]
    grid = dimension("x", ms.Float(0.5, 0.0, 1.0, step=0.1))
    assert _moved(grid, 0.5, 1, 0.01) == pytest.approx(0.6)
    scaled = dimension("y", ms.Float(0.1, 0.001, 10.0, log=True))
    assert _moved(scaled, 0.1, 1, 0.05) == pytest.approx(0.1 * 10_000**0.05)
    assert _moved(scaled, 0.1, -1, 0.05) == pytest.approx(0.1 / 10_000**0.05)
    small = dimension("k", ms.Int(2, 1, 1000, log=True))
    assert [_moved(small, 2, k, 0.01) for k in (-1, 1, 2)] == [1, 3, 4]
    switch = dimension("b", ms.Bool(False))
    assert [_moved(switch, False, k, 0.05) for k in (-1, 0, 1, 2)] == [None, False, True, None]


def test_of_too_many_displacements_a_seeded_draw_keeps_the_axes() -> None:
    moves, left = _displacements(6, 2, 200, seed=4)
    again, _ = _displacements(6, 2, 200, seed=4)
    assert (moves == again).all()
    assert (len(moves), left) == (200, 5**6 - 200)
    assert len({tuple(row) for row in moves.tolist()}) == 200
    axes = [row for row in moves.tolist() if sum(k != 0 for k in row) <= 1]
    assert len(axes) == 25
    assert (moves[0] == 0).all()
    assert not (moves == _displacements(6, 2, 200, seed=5)[0]).all()


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"steps": 0}, "steps=0"), ({"size": 0.0}, "size=0.0"), ({"metric": "sharp"}, "no metric is called"),
        ({"most": 3}, "no room"),
    ],
)  # fmt: skip
def test_impossible_neighbourhoods_are_refused(wf: ms.WalkForward, given: dict[str, Any], words: str) -> None:
    with pytest.raises(SettingsError, match=words):
        neighbourhood(wf, **given)


def test_options_have_no_neighbours(bars: ms.Bars) -> None:
    class Optional(ms.Strategy):
        kind = ms.Choice("a", ("a", "b", "c"))

        def signals(self, bars: ms.Bars) -> ms.Signals:
            up = bars.close > bars.open
            return ms.Signals(up, ~up)

    with pytest.raises(SettingsError, match="nothing that Optional was searched over has neighbours"):
        neighbourhood(ms.walk_forward(bars, Optional, trials=3, workers=1))
