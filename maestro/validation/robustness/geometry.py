"""Sensitivity to the windows: the walk-forward repeated with other lengths and offsets of its windows."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import polars as pl

from maestro.bars import Bars
from maestro.errors import RunCancelled, SettingsError
from maestro.execution.choose import check, choose
from maestro.execution.counting import counting
from maestro.execution.protocol import Task, TaskContext, results_of, run_tasks
from maestro.metrics.returns import bar_returns
from maestro.reproduce.plan import repeatable, windows_of
from maestro.reproduce.recorded import Recorded
from maestro.validation.robustness.choices import CURVE, Choices, chained, choices_of
from maestro.walkforward.fold import run_fold
from maestro.walkforward.plan import Plan
from maestro.walkforward.splitters import Window

TRAINS = (0.5, 0.75, 1.0, 1.5, 2.0)
TESTS = (0.5, 1.0, 2.0)
OFFSETS = (0.0, 1 / 3, 2 / 3)
_SHORTEST = 30
"""Bars of a training window below which a length is left out."""


@dataclass(frozen=True)
class GeometryMap:
    """Result of `geometry_map`.

    Attributes
    ----------
    table : polars frame, one row per geometry
        train and test (bars), offset (bars by which the first window begins later), folds, failed, num_trades, and of
        the stitched out-of-sample stretch sharpe_ratio, total_return, annual_return, volatility, max_drawdown; the
        same with ``common_`` on the stretch that all geometries tested.
    train, test : int [bars]
        Lengths of the run's windows, the middle ones where they differ.
    common : (int, int) [µs since 1970, UTC]
        First and last bar that all geometries tested; (0, 0) where there is none.
    trials : int
        A fold.
    """

    table: pl.DataFrame
    train: int
    test: int
    common: tuple[int, int]
    trials: int

    @property
    def positive(self) -> float:
        """Share of the geometries whose total return on the common stretch is above zero."""
        known = self.table["common_total_return"].drop_nulls().drop_nans()
        return float((known > 0).mean()) if len(known) else math.nan  # type: ignore[arg-type]

    @property
    def spread(self) -> tuple[float, float, float]:
        """Smallest, median and largest Sharpe ratio on the common stretch."""
        known = self.table["common_sharpe_ratio"].drop_nulls().drop_nans().to_numpy()
        if not len(known):
            return math.nan, math.nan, math.nan
        return float(known.min()), float(np.median(known)), float(known.max())

    def grid(self, column: str = "common_sharpe_ratio") -> pl.DataFrame:
        """Values over the offsets for each pair of lengths: train, test, low, median, high."""
        value = pl.col(column).drop_nans()
        return (
            self.table.group_by("train", "test")
            .agg(value.min().alias("low"), value.median().alias("median"), value.max().alias("high"))
            .sort("train", "test")
        )

    def __repr__(self) -> str:
        low, middle, high = self.spread
        around = f"{len(self.table)} geometries around {self.train:,} + {self.test:,} bars"
        return (
            f"GeometryMap({around}, {self.trials} trials per fold: Sharpe ratio on the stretch they share {low:.2f} to "
            f"{high:.2f}, middle {middle:.2f}; {self.positive:.0%} earned)"
        )


def geometry_map(
    wf: Recorded,
    bars: Bars | None = None,
    *,
    trains: Sequence[float] = TRAINS,
    tests: Sequence[float] = TESTS,
    offsets: Sequence[float] = OFFSETS,
    trials: int | None = None,
    strategy: Any = None,
    workers: int | None = None,
    cancel: threading.Event | None = None,
    progress: bool | Callable[[int], None] | None = None,
) -> GeometryMap:
    """Repeat a walk-forward with longer and shorter windows that begin at other bars.

    Windows have fixed lengths and advance by a test length, whatever the run's splitter was; its purge and embargo are
    not used. Search, seed and all other settings are those of the run.

    Parameters
    ----------
    wf : WalkForward, live or loaded
    bars : Bars, optional
        Those of the run; loaded again by name if not given.
    trains, tests : floats
        Lengths, as multiples of the run's.
    offsets : floats
        Later starts of the first window, as fractions of a test length.
    trials : int, optional
        Trials per fold; by default those of the run.
    strategy : type of Strategy, optional
        Class of a user-defined strategy, for a run loaded from disk.
    workers : int, optional
        Processes; all cores if not given.
    cancel : threading.Event, optional
        Set it to stop; `RunCancelled` follows.
    progress : bool or callable, optional
        True shows a bar, which a notebook also shows by itself for work over a second; a callable
        gets the number of geometries done since the last call.

    Notes
    -----
    No trial is recorded in the ledger, because nothing is chosen. If you pick a geometry from the map because it looks
    best, you have made a choice, and its result is no longer out of sample.

    Raises
    ------
    SettingsError
        No geometry fits into the bars, or the search cannot be repeated.
    BarsError, RunError, RunCancelled
    """
    for name, values in (("trains", trains), ("tests", tests), ("offsets", offsets)):
        low = 0.0 if name == "offsets" else 1e-9
        if not len(values) or not all(isinstance(v, (int, float)) and low <= v <= 100 for v in values):
            raise SettingsError(f"{name}={list(values)!r} are not multiples of a length; give numbers like {TRAINS}.")
    check(None, workers)
    choices = choices_of(wf, bars, strategy)
    plan = choices.plan if trials is None else _with_trials(choices.plan, trials)
    why = repeatable(wf, choices.plan)
    if why:
        raise SettingsError(f"run {wf.id} cannot be repeated with other windows: {why}.")
    train, test = _lengths(wf)
    shapes = _shapes(len(choices.bars), train, test, trains, tests, offsets)
    if not shapes:
        raise SettingsError(f"no geometry around {train} + {test} bars fits into {len(choices.bars)} bars.")
    # The longest first, so that no process is left with one at the end.
    order = sorted(range(len(shapes)), key=lambda k: -_work(shapes[k], len(choices.bars)))
    tasks = [Task(_walks, (plan, shapes[k])) for k in order]
    found: list[Any] = [None] * len(shapes)
    with counting(progress, len(shapes), "windows", "geometry", cancel) as counter:
        try:
            executor = choose(None, workers, len(shapes))
            results = results_of(run_tasks(executor, tasks, choices.bars, cancel=cancel), counter.done)
            for k, result in zip(order, results, strict=True):
                found[k] = result
        except RunCancelled as error:
            raise RunCancelled("the map of windows was cancelled; no result is kept.") from error
    return _map(choices, shapes, found, train, test, plan.trials)


def _with_trials(plan: Plan, trials: int) -> Plan:
    if isinstance(trials, bool) or not isinstance(trials, int) or trials < 1:
        raise SettingsError(f"trials={trials!r} leaves nothing to search; give a whole number of at least 1.")
    return replace(plan, trials=trials)


def _lengths(wf: Recorded) -> tuple[int, int]:
    windows = windows_of(wf)
    train = int(np.median([w.train_stop - w.train_start for w in windows]))
    test = int(np.median([w.test_stop - w.test_start for w in windows]))
    return train, test


def _shapes(
    n: int, train: int, test: int, trains: Sequence[float], tests: Sequence[float], offsets: Sequence[float]
) -> list[tuple[int, int, int]]:
    """Train, test and offset [bars] of every geometry that fits."""
    shapes = []
    for longer in sorted(set(trains)):
        for wider in sorted(set(tests)):
            for share in sorted(set(offsets)):
                a, b = round(train * longer), max(round(test * wider), 1)
                shape = (a, b, round(b * share))
                if a >= min(_SHORTEST, train) and sum(shape) <= n:
                    shapes.append(shape)
    return list(dict.fromkeys(shapes))


def _windows(n: int, train: int, test: int, offset: int) -> list[Window]:
    starts = range(offset + train, n - test + 1, test)
    return [Window(start - train, start, start, start + test) for start in starts]


def _work(shape: tuple[int, int, int], n: int) -> float:
    train, test, offset = shape
    return (n - offset - train) / test * (train + 2_000)  # a trial takes as long as about 2,000 bars besides


def _walks(bars: Bars, context: TaskContext, plan: Plan, shape: tuple[int, int, int]) -> Any:
    """Stamps, returns, trades, folds and failed folds of a geometry."""
    stamps, returns, trades, failed = [], [], 0, 0
    windows = _windows(len(bars), *shape)
    for fold, window in enumerate(windows):
        result = run_fold(plan, bars, window, fold, cancelled=context.cancelled)
        if result.error is not None:
            failed += 1
            continue
        stamps.append(bars.time[window.test_start : window.test_stop])
        returns.append(bar_returns(result.equity, plan.cash))
        trades += 0 if result.trades is None else len(result.trades)
    return _joined(stamps, np.int64), _joined(returns, np.float64), trades, len(windows), failed


def _joined(parts: Sequence[Any], kind: Any) -> Any:
    return np.concatenate(parts) if parts else np.empty(0, kind)


def _map(
    choices: Choices, shapes: Sequence[tuple[int, int, int]], found: Sequence[Any], train: int, test: int, trials: int
) -> GeometryMap:
    tested = [stamps for stamps, *_ in found if len(stamps)]
    first = max((int(stamps[0]) for stamps in tested), default=0)
    last = min((int(stamps[-1]) for stamps in tested), default=0)
    common = (first, last) if first < last else (0, 0)
    rows = []
    cash, periods = choices.plan.cash, choices.bars.periods_per_year
    for (a, b, offset), (stamps, returns, trades, folds, failed) in zip(shapes, found, strict=True):
        whole = chained(stamps, returns, float(trades), cash, periods).metrics
        shared = (stamps >= common[0]) & (stamps <= common[1]) if common[1] else np.zeros(len(stamps), np.bool_)
        part = chained(stamps[shared], returns[shared], 0.0, cash, periods).metrics
        rows.append(
            {"train": a, "test": b, "offset": offset, "folds": folds, "failed": failed, **whole}
            | {f"common_{name}": part[name] for name in CURVE}
        )
    return GeometryMap(pl.DataFrame(rows), train, test, common, trials)
