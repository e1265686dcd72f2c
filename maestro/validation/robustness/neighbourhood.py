"""Plateau or peak: results of the neighbours of the chosen parameters, in and out of sample."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any, Literal

import numpy as np
import polars as pl

from maestro import metrics as m
from maestro.bars import Bars
from maestro.engine import Simulator
from maestro.errors import MaestroError, SettingsError
from maestro.execution.counting import Counter, counting
from maestro.indicators import ColumnCache, using
from maestro.reproduce.recorded import Recorded
from maestro.search.dimensions import Dimension
from maestro.search.tpe import check_seed
from maestro.typing import FloatArray, IntArray, Parameters
from maestro.validation.robustness.choices import Choices, choices_of
from maestro.walkforward.fold import evaluator
from maestro.walkforward.plan import Plan

Shape = Literal["plateau", "slope", "needle", "undefined"]
PLATEAU, NEEDLE = 0.75, 0.5
"""Median share of the chosen score that neighbours keep, from which it is a plateau, below which a needle."""
MOST = 625
"""Most neighbours per fold; of more a seeded draw is taken, those along the axes always."""


@dataclass(frozen=True)
class Neighbourhood:
    """Result of `neighbourhood`.

    Attributes
    ----------
    table : polars frame, one row per displacement
        The steps of each parameter away from the choice (the choice itself has zeros), folds (in how many it is a
        feasible set inside the searched ranges), in_sample and out_of_sample (mean of the metric over these folds),
        kept (median over the folds of the neighbour's in-sample metric over that of the choice).
    folds : polars frame, one row per fold
        The choice's metric in sample, the neighbours' median and worst, kept (median share), neighbours.
    names : tuple of str
        Searched parameters that have neighbours; options of a choice have no order and none.
    sizes : dict of float
        What a step is, by parameter; a factor where it is searched on a log scale.
    metric : str
    steps : int
    left_out : int
        Displacements beyond `most`, left out by a seeded draw.
    """

    table: pl.DataFrame
    folds: pl.DataFrame
    names: tuple[str, ...]
    sizes: dict[str, float]
    metric: str
    steps: int
    left_out: int = 0

    @property
    def kept(self) -> float:
        """Median over the folds of the share of the chosen metric that neighbours keep in sample; NaN where unknown."""
        known = self.folds["kept"].drop_nulls().drop_nans()
        return float(known.median()) if len(known) else math.nan  # type: ignore[arg-type]

    @property
    def shape(self) -> Shape:
        """``plateau``: half of the neighbours keep 75 % of the choice or more; ``needle``: less than 50 %."""
        if math.isnan(self.kept):
            return "undefined"
        return "plateau" if self.kept >= PLATEAU else "needle" if self.kept < NEEDLE else "slope"

    @property
    def positive(self) -> float:
        """Share of displacements, the choice included, whose mean metric out of sample is above zero."""
        known = self.table["out_of_sample"].drop_nulls().drop_nans()
        return float((known > 0).mean()) if len(known) else math.nan  # type: ignore[arg-type]

    def profile(self, name: str) -> pl.DataFrame:
        """Rows along one parameter, the others as chosen."""
        others = [other for other in self.names if other != name]
        along = self.table.filter(pl.all_horizontal(pl.col(other) == 0 for other in others) if others else pl.lit(True))
        return along.sort(name)

    def __repr__(self) -> str:
        return (
            f"Neighbourhood({self.shape}: neighbours within {self.steps} steps keep {self.kept:.0%} of the chosen "
            f"{self.metric} in sample; {self.positive:.0%} of them are above 0 out of sample; {len(self.table):,} sets "
            f"a fold over {', '.join(self.names)})"
        )


def neighbourhood(
    wf: Recorded,
    bars: Bars | None = None,
    *,
    steps: int = 2,
    size: float = 0.05,
    metric: str | None = None,
    most: int = MOST,
    seed: int = 0,
    strategy: Any = None,
    cancel: threading.Event | None = None,
    progress: bool | Callable[[int], None] | None = None,
) -> Neighbourhood:
    """Evaluate the parameter sets around each fold's choice, on its training and on its test window.

    Neighbours are all combinations of up to `steps` steps up and down in every searched number or switch. A set outside
    the searched ranges, or one that breaks a constraint, does not count.

    Parameters
    ----------
    wf : WalkForward, live or loaded
    bars : Bars, optional
        Those of the run; loaded again by name if not given.
    steps : int
        Number of steps in each direction, at least 1.
    size : float
        Size of a step as a share of the searched range; at least one step of its grid.
    metric : str, optional
        Metric to compare; by default the first metric of the selection.
    most : int
        Maximum number of displacements.
    seed : int
        Seed of the draw if there are more.
    strategy : type of Strategy, optional
        Class of a user-defined strategy, for a run loaded from disk.
    cancel : threading.Event, optional
        Set it to stop; `RunCancelled` follows.
    progress : bool or callable, optional
        True shows a bar, which a notebook also shows by itself for work over a second; a callable
        gets the number of backtests done since the last call.

    Raises
    ------
    SettingsError
        No searched parameter has neighbours, an unknown metric, or a number out of bounds.
    BarsError, RunError, RunCancelled
    """
    if isinstance(steps, bool) or not isinstance(steps, int) or not 1 <= steps <= 20:
        raise SettingsError(f"steps={steps!r} is not a whole number from 1 to 20.")
    if not 0 < size <= 0.5:
        raise SettingsError(f"size={size!r} is not a share of a range; give a number above 0, at most 0.5.")
    check_seed(seed)
    choices = choices_of(wf, bars, strategy)
    name = (choices.plan.selection.metrics[0] if metric is None else metric).removeprefix("-")
    if name not in m.NAMES:
        raise SettingsError(f"no metric is called {name!r}; there are: {', '.join(m.NAMES)}.")
    dimensions = [d for d in choices.plan.space.dimensions if d.kind != "choice"]
    if not dimensions:
        raise SettingsError(f"nothing that {choices.plan.strategy.__name__} was searched over has neighbours.")
    moves, left_out = _displacements(len(dimensions), steps, most, seed)
    with counting(progress, len(moves) * len(choices.params), "neighbours", "set", cancel) as counter:
        inside, outside = _measured(choices, dimensions, moves, size, m.NAMES.index(name), counter)
    names = tuple(d.name for d in dimensions)
    sizes = {d.name: _step(d, size) for d in dimensions}
    return Neighbourhood(
        _table(names, moves, inside, outside), _folds(choices, moves, inside), names, sizes, name, steps, left_out
    )


def _displacements(count: int, steps: int, most: int, seed: int) -> tuple[IntArray, int]:
    """Displacements, a row each, the choice itself first."""
    if isinstance(most, bool) or not isinstance(most, int) or most < 2 * steps * count + 1:
        raise SettingsError(f"most={most!r} leaves no room for {2 * steps * count + 1} sets along the axes.")
    axes = [tuple(k if j == i else 0 for j in range(count)) for i in range(count) for k in range(-steps, steps + 1)]
    along = list(dict.fromkeys([(0,) * count, *axes]))
    total = (2 * steps + 1) ** count
    if total <= most:
        box = product(range(-steps, steps + 1), repeat=count)
        return np.array(list(dict.fromkeys([*along, *box])), np.int64), 0
    rng = np.random.default_rng(seed)
    chosen = dict.fromkeys(along)
    while len(chosen) < most:
        chosen.update(dict.fromkeys(map(tuple, rng.integers(-steps, steps + 1, (most - len(chosen), count)).tolist())))
    return np.array(list(chosen), np.int64), total - len(chosen)


def _step(dimension: Dimension, size: float) -> float:
    """Length of a step, in values; a factor on a log scale."""
    d = dimension
    if d.log:
        return float((d.code_high / d.code_low) ** size)
    grid = d.step or 0.0
    return max(grid, round((d.high - d.low) * size / grid) * grid) if grid else (d.high - d.low) * size


def _moved(dimension: Dimension, value: Any, steps: int, size: float) -> Any:
    """Value that many steps away; None if it is outside the searched range, or the same value."""
    if steps == 0:
        return value
    d, code, step = dimension, dimension.encode(value), _step(dimension, size)
    if d.log:
        moved = code * step**steps
        if d.kind == "int":  # close to the lower end a factor is less than the next whole number
            moved = float(round(moved)) if abs(round(moved) - code) >= abs(steps) else code + steps
    else:
        moved = code + steps * step
        if d.step is not None:
            moved = d.low + round((moved - d.low) / d.step) * d.step
    if not d.code_low - 1e-9 <= moved <= d.code_high + 1e-9:
        return None
    return d.decode(min(max(moved, d.code_low), d.code_high))


def _measured(
    choices: Choices, dimensions: Sequence[Dimension], moves: IntArray, size: float, place: int, counter: Counter
) -> tuple[FloatArray, FloatArray]:
    """Metric of each displacement (row) in each fold (column), on the training and on the test window."""
    plan, space = choices.plan, choices.plan.space
    inside = np.full((len(moves), len(choices.params)), np.nan)
    outside = np.full_like(inside, np.nan)
    for k, chosen in enumerate(choices.params):
        window = choices.windows[k]
        evaluate, simulator = evaluator(plan, window.training(choices.bars)), plan.test_simulator(choices.bars, window)
        known: dict[tuple[Any, ...], tuple[float, float]] = {}
        with using(ColumnCache()):
            for row, move in enumerate(moves.tolist()):
                values = [_moved(d, chosen[d.name], steps, size) for d, steps in zip(dimensions, move, strict=True)]
                key = tuple(values)
                if None in key:
                    continue
                if key not in known:
                    params: Parameters = {**chosen, **dict(zip((d.name for d in dimensions), values, strict=True))}
                    known[key] = _pair(plan, evaluate, simulator, params, place) if space.feasible(params) else (
                        math.nan, math.nan
                    )  # fmt: skip
                inside[row, k], outside[row, k] = known[key]
        counter.done(len(moves))
    return inside, outside


def _pair(plan: Plan, evaluate: Any, simulator: Simulator, params: Parameters, place: int) -> tuple[float, float]:
    """Metric on the training and on the test window; NaN where the strategy refuses the set."""
    found = []
    for measure in (evaluate, lambda p: simulator.metrics(plan.signals(p, simulator.bars))):
        try:
            found.append(float(measure(params)[place]))
        except MaestroError:
            found.append(math.nan)
    return found[0], found[1]


def _table(names: Sequence[str], moves: IntArray, inside: FloatArray, outside: FloatArray) -> pl.DataFrame:
    base = inside[0]
    shares = np.divide(inside, base, out=np.full_like(inside, np.nan), where=base > 0)
    return pl.DataFrame(
        {
            **{name: moves[:, k] for k, name in enumerate(names)},
            "folds": np.isfinite(inside).sum(axis=1),
            "in_sample": [_over(np.mean, row) for row in inside],
            "out_of_sample": [_over(np.mean, row) for row in outside],
            "kept": [_over(np.median, row) for row in shares],
        }
    )


def _folds(choices: Choices, moves: IntArray, inside: FloatArray) -> pl.DataFrame:
    rows = []
    for k, fold in enumerate(choices.folds):
        base, others = float(inside[0, k]), inside[1:, k][np.isfinite(inside[1:, k])]
        middle = _over(np.median, others)
        kept = middle / base if middle is not None and base > 0 else None
        worst = _over(np.min, others)
        rows.append(
            {"fold": fold, "chosen": base, "median": middle, "worst": worst, "kept": kept, "neighbours": len(others)}
        )
    floats = dict.fromkeys(("chosen", "median", "worst", "kept"), pl.Float64)
    return pl.DataFrame(rows, schema_overrides=floats)


def _over(function: Any, values: FloatArray) -> float | None:
    known = values[np.isfinite(values)]
    return float(function(known)) if len(known) else None
