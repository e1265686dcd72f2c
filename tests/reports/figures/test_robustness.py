"""Figures of robustness: values in their cells, a line between profit and loss, and labels of disturbances."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import polars as pl
import pytest

from maestro.reports.figures import robustness as drawn
from maestro.validation.robustness import CostMap


def test_the_line_of_break_even_parts_profit_from_loss() -> None:
    grid = np.array([[3.0, 1.0, -1.0], [1.0, -1.0, -2.0], [0.5, -2.0, -3.0]])
    figure = drawn._map(grid, "abc", "xyz", str, "", "")
    before = len(figure.renderers)
    drawn._zero_line(figure, grid)
    [line] = figure.renderers[before:]
    assert line.data_source.data["y"] == [2.5, 2.5, 0.5, 0.5, -0.5, -0.5]
    drawn._zero_line(figure, np.abs(grid))  # profit everywhere: nothing to part
    assert len(figure.renderers) == before + 1


def test_values_of_a_table_are_in_their_cells() -> None:
    rows = pl.DataFrame({"x": [1, 2, 1, 9], "y": [5, 5, 7, 5], "v": [0.1, None, 0.3, 0.9]})
    grid = drawn._grid(rows, "x", "y", "v", [1, 2], [5, 7])
    np.testing.assert_array_equal(grid, [[0.1, math.nan], [0.3, math.nan]])


@pytest.mark.parametrize(
    ("row", "ending"),
    [
        ({"kind": "delay", "level": 1.0}, " 1 bar"), ({"kind": "delay", "level": 2.0}, " 2 bars"),
        ({"kind": "noise", "level": 0.5}, " of a bar’s volatility"),
    ],
)  # fmt: skip
def test_disturbances_show_their_level(row: dict[str, Any], ending: str) -> None:
    assert drawn.disturbance(row).endswith(ending)
    assert drawn.disturbance({**row, "level": None}) in drawn.KINDS.values()


def test_a_missing_break_even_is_explained() -> None:
    table = str(drawn.break_even_table(CostMap(pl.DataFrame(), pl.DataFrame(), 0.001, 0.0, math.nan, math.inf, 0.002)))
    assert "no profit even at 0" in table
    assert "beyond what was looked at" in table
    assert "0.200" in table
