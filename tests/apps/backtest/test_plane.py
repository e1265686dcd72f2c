"""A plane of two parameters: its axes, the places on them, and the verdict on the neighbours."""

from __future__ import annotations

import math

import numpy as np
import polars as pl
import pytest

import maestro as ms
from maestro.apps.backtest import plane


class Kinds(ms.Strategy):
    """A parameter of every kind."""

    whole = ms.Int(4, 2, 6)
    real = ms.Float(0.3, 0.1, 0.9, step=0.1)
    log = ms.Float(0.01, 0.001, 1.0, log=True)
    switch = ms.Bool(False)
    word = ms.Choice("mean", ("mean", "last"))
    alone = ms.Int(1, 0, 9, search=False)

    def signals(self, bars: ms.Bars) -> ms.Signals:
        return ms.Signals(bars.close > bars.open, bars.close < bars.open)


def test_axes_have_the_declared_values_without_float_dust() -> None:
    axes = plane.axes_of(Kinds, {})
    assert list(axes) == ["whole", "real", "log", "switch", "word"]
    assert axes["whole"].values == (2, 3, 4, 5, 6)
    assert axes["real"].values == (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)
    assert (len(axes["log"].values), axes["log"].values[0], axes["log"].values[-1]) == (plane.LEVELS, 0.001, 1.0)
    assert axes["word"].values == ("mean", "last")


def test_a_value_stands_on_its_cell_or_between_two() -> None:
    axis = plane.Axis("n", (5, 10, 20))
    assert [axis.place(value) for value in (5, 10, 15, 20, 4, 21)] == [0.0, 1.0, 1.5, 2.0, None, None]
    assert plane.Axis("how", ("a", "b")).place("b") == 1.0
    assert plane.Axis("how", ("a", "b")).place("c") is None


def test_every_pair_of_kinds_gives_a_plane() -> None:
    bars = ms.synthetic_bars(300, seed=1)
    for x, y in (("whole", "word"), ("switch", "real"), ("log", "switch")):
        asked = plane.HeatMapRequest(bars, Kinds, {}, x, y, ms.Costs(), "percent:1.0", 1e5, "next_open")
        found = plane.compute(asked)
        assert len(found.cells) == len(found.x.values) * len(found.y.values)
        assert found.outcomes("sharpe_ratio").unique().to_list() == ["measured"]
    missing = plane.HeatMapRequest(bars, Kinds, {}, "none", "real", ms.Costs(), "percent:1.0", 1e5, "next_open")
    with pytest.raises(ms.errors.SettingsError, match="Kinds has no parameter 'none' to vary; there are: whole, real"):
        plane.compute(missing)


def test_the_verdict_on_the_neighbours_counts_lost_ones_as_nothing() -> None:
    axis = plane.Axis("a", (0, 1, 2, 3, 4)), plane.Axis("b", (0, 1, 2, 3, 4))
    i, j = (grid.ravel() for grid in np.indices((5, 5)))
    value = np.where((i == 2) & (j == 2), 2.0, 1.6)
    cells = pl.DataFrame({"i": i, "j": j, "sharpe_ratio": value, "ruined": 0.0, "error": None})
    here = {"a": 2, "b": 2}
    near = plane.neighbours(plane.Plane(*axis, cells), here, "sharpe_ratio", 2.0)
    assert near is not None
    assert (near.count, near.kept, near.lost, near.shape) == (24, 0.8, 0, "plateau")
    ruined = cells.with_columns(ruined=(pl.col("i") < 3).cast(pl.Float64))
    near = plane.neighbours(plane.Plane(*axis, ruined), here, "sharpe_ratio", 2.0)
    assert near is not None
    assert (near.kept, near.lost, near.shape) == (0.0, 14, "needle")
    near = plane.neighbours(plane.Plane(*axis, cells), here, "sharpe_ratio", -0.1)
    assert near is not None
    assert math.isnan(near.kept)
    assert near.shape == "undefined"
    assert plane.neighbours(plane.Plane(*axis, cells), {"a": 9, "b": 2}, "sharpe_ratio", 2.0) is None
