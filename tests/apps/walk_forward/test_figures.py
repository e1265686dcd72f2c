"""Figures of the Walk-forward app: rows of folds, parts of a fold, cells of a heat map, degradation per fold."""

from __future__ import annotations

import itertools

import polars as pl

import maestro as ms
from maestro.apps.walk_forward.figures import heat_figure, rows_of, windows_figure
from maestro.walkforward.splitters import Window


def test_many_folds_share_rows_in_which_none_overlaps_and_few_have_their_own() -> None:
    few = [Window(10 * k, 10 * k + 50, 10 * k + 50, 10 * k + 60) for k in range(9)]
    assert rows_of(few) == list(range(9))
    many = [Window(10 * k, 10 * k + 50, 10 * k + 50, 10 * k + 60) for k in range(150)]
    rows = rows_of(many)
    assert max(rows) == 5
    for row in range(6):
        own = [window for window, taken in zip(many, rows, strict=True) if taken == row]
        assert all(before.test_stop <= after.train_start for before, after in itertools.pairwise(own))
    expanding = [Window(0, 50 + 10 * k, 50 + 10 * k, 60 + 10 * k) for k in range(150)]
    assert rows_of(expanding) == list(range(150))
    bars = ms.synthetic_bars(2_000, seed=1)
    assert windows_figure(bars, expanding).height >= 600, "a row is never thinner than some pixels"
    assert windows_figure(bars, many).height == windows_figure(bars, few).height


def test_a_heat_map_of_equal_or_no_cells_still_has_a_range_of_colours() -> None:
    cells = pl.DataFrame({"x": [1.0], "y": [2.0], "width": [1.0], "height": [1.0], "mean": [0.5], "trials": [3]})
    for shown in (cells, cells.clear()):
        figure = heat_figure(shown, "fast", "slow", "sharpe_ratio")
        [bar] = figure.right
        assert bar.color_mapper.low < bar.color_mapper.high
