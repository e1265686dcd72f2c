"""Results of a strategy over the values of two of its parameters, the others as they are, by one sweep."""

from __future__ import annotations

import math
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import polars as pl

from maestro.bars import Bars
from maestro.engine import Costs
from maestro.errors import MaestroError, SettingsError
from maestro.search.space import Space
from maestro.strategies import Strategy
from maestro.strategies.parameters import Choice
from maestro.typing import Fill
from maestro.validation.robustness.neighbourhood import NEEDLE, PLATEAU, Shape
from maestro.walkforward.sweep import sweep

LEVELS = 21
"""Values per parameter at most; the distance of two is then 5 % of the range, as in `ms.validation.neighbourhood`."""
NEAR = 2
"""Cells up to which another cell is a neighbour."""
MEASURED = ("sharpe_ratio", "total_return", "annual_return", "max_drawdown", "volatility", "sortino_ratio",
            "calmar_ratio", "vwr", "win_rate", "profit_factor", "num_trades", "exposure", "turnover")  # fmt: skip
"""Metrics that can colour the cells."""
Outcome = Literal["measured", "ruined", "failed", "undefined"]


@dataclass(frozen=True)
class Axis:
    """One parameter and its values in order, as controls and tables hold them."""

    name: str
    values: tuple[Any, ...]

    def place(self, value: Any) -> float | None:
        """Position of a value: a whole number on a cell, a fraction between two; None outside of the range."""
        if value in self.values:
            return float(self.values.index(value))
        numbers = all(isinstance(one, (int, float)) and not isinstance(one, bool) for one in (*self.values, value))
        if not numbers or not self.values[0] <= value <= self.values[-1]:
            return None
        return float(np.interp(value, self.values, np.arange(len(self.values))))


@dataclass(frozen=True)
class HeatMapRequest:
    """What a plane depends on; the values of its own two parameters are not part of it."""

    bars: Bars
    strategy: type[Strategy]
    others: Mapping[str, Any]
    x: str
    y: str
    costs: Costs
    sizing: str
    cash: float
    fill: Fill

    @property
    def key(self) -> tuple[Any, ...]:
        """Equal for equal planes."""
        others = repr(sorted(self.others.items()))
        return (self.bars.fingerprint, self.bars.periods_per_year, self.strategy, others, self.x, self.y, self.costs,
                self.sizing, self.cash, self.fill)  # fmt: skip


@dataclass(frozen=True)
class Plane:
    """Results of all cells.

    Attributes
    ----------
    x, y : Axis
    cells : polars frame, one row per set that was simulated
        i, j (places on the axes), the metrics (null where it failed), ruined, error. Sets that break a constraint, or
        whose warm-up does not fit, have no row.
    notes : tuple of str
        Of the sweep.
    """

    x: Axis
    y: Axis
    cells: pl.DataFrame
    notes: tuple[str, ...] = ()

    def outcomes(self, metric: str) -> pl.Series:
        """For each cell whether the metric is a number there, and if not, why."""
        value, ruined = pl.col(metric).cast(pl.Float64), pl.col("ruined").fill_null(0) > 0
        outcome = (
            pl.when(pl.col("error").is_not_null()).then(pl.lit("failed"))
            .when(ruined).then(pl.lit("ruined"))
            .when(value.is_finite().fill_null(False)).then(pl.lit("measured"))
            .otherwise(pl.lit("undefined"))
        )  # fmt: skip
        return self.cells.select(outcome=outcome)["outcome"]


@dataclass(frozen=True)
class Neighbours:
    """What the neighbours of the current values keep of a metric."""

    metric: str
    count: int
    kept: float
    """Median share; those that are ruined or fail keep nothing. NaN where the metric itself is not above 0."""
    lost: int
    """Neighbours that are ruined, fail or have no number."""

    @property
    def shape(self) -> Shape:
        """``plateau``, ``slope`` or ``needle``, by the thresholds of `ms.validation.neighbourhood`."""
        if math.isnan(self.kept):
            return "undefined"
        return "plateau" if self.kept >= PLATEAU else "needle" if self.kept < NEEDLE else "slope"


def axes_of(strategy: type[Strategy], params: Mapping[str, Any]) -> dict[str, Axis]:
    """Parameters that a heat map can have as axes: those that a search may vary.

    Raises
    ------
    MaestroError
        The strategy refuses the parameters, or has none that can be searched.
    """
    declared = strategy.parameters(dict(params))
    usual = {name: one.default for name, one in declared.items() if not one.search}
    space = Space(strategy, {**usual, **{name: params[name] for name in usual if name in params}})
    axes = {}
    for one in space.dimensions:
        cells = [declared[one.name].cell(value) for value in one.levels(LEVELS).tolist()]
        if one.kind == "float":
            cells = [float(f"{value:.4g}") if one.step is None else float(f"{value:.12g}") for value in cells]
        axes[one.name] = Axis(one.name, tuple(cells if one.options else sorted(dict.fromkeys(cells))))
    return axes


def compute(asked: HeatMapRequest, cancel: threading.Event | None = None) -> Plane:
    """Simulate all cells.

    Raises
    ------
    MaestroError
        No such parameters, no set that the constraints allow, or `RunCancelled`.
    """
    declared = asked.strategy.parameters(dict(asked.others))
    axes = axes_of(asked.strategy, asked.others)
    for name in (asked.x, asked.y):
        if name not in axes:
            raise SettingsError(
                f"{asked.strategy.__name__} has no parameter {name!r} to vary; there are: {', '.join(axes)}."
            )
    if asked.x == asked.y:
        raise SettingsError(f"both axes are {asked.x}; choose two different parameters.")
    x, y = axes[asked.x], axes[asked.y]
    fixed = {
        name: asked.others.get(name, one.default) for name, one in declared.items() if name not in (x.name, y.name)
    }
    ranges: dict[str, Any] = {}
    for axis in (x, y):
        if declared[axis.name].kind in ("int", "float"):
            ranges[axis.name] = Choice(axis.values[0], axis.values)
    found = sweep(
        asked.bars, asked.strategy, n=len(x.values) * len(y.values), sampler="grid", params=fixed, space=ranges,
        costs=asked.costs, sizing=asked.sizing, cash=asked.cash, fill=asked.fill, executor="serial", cancel=cancel,
        progress=False,
    )  # fmt: skip
    places = {
        name: [axis.values.index(value) for value in found.table[axis.name].to_list()]
        for name, axis in (("i", x), ("j", y))
    }
    kept = found.table.select(*dict.fromkeys((*MEASURED, "ruined")), "error")
    cells = pl.DataFrame({name: pl.Series(values, dtype=pl.Int64) for name, values in places.items()})
    return Plane(x, y, pl.concat([cells, kept], how="horizontal"), found.notes)


def neighbours(plane: Plane, params: Mapping[str, Any], metric: str, value: float) -> Neighbours | None:
    """Compare the cells around the current values with the metric there; None where there is nothing to compare."""
    at = [axis.place(params.get(axis.name)) for axis in (plane.x, plane.y)]
    if metric not in ("sharpe_ratio", "total_return", "annual_return", "sortino_ratio", "calmar_ratio", "vwr"):
        return None
    if at[0] is None or at[1] is None:
        return None
    near = (
        ((pl.col("i") - at[0]).abs() <= NEAR) & ((pl.col("j") - at[1]).abs() <= NEAR)
        & ~((pl.col("i") == at[0]) & (pl.col("j") == at[1]))
    )  # fmt: skip
    cells = plane.cells.with_columns(plane.outcomes(metric)).filter(near)
    if not len(cells):
        return None
    good = (cells["outcome"] == "measured").to_numpy()
    kept = math.nan
    if value > 0:
        kept = float(np.median(np.where(good, cells[metric].cast(pl.Float64).fill_null(0.0).to_numpy(), 0.0))) / value
    return Neighbours(metric, len(cells), kept, int((~good).sum()))


def current(strategy: type[Strategy], params: Mapping[str, Any]) -> dict[str, Any]:
    """All parameters with the values in force, as controls hold them."""
    declared = strategy.parameters(dict(params))
    found = {}
    for name, one in declared.items():
        try:
            found[name] = one.cell(one.check(name, params.get(name, one.default)))
        except MaestroError:  # the backtest refuses it, and says so
            found[name] = None
    return found
