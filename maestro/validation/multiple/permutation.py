"""Permutation tests of all walk-forwards of a universe, or of a portfolio, on jointly permuted series."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np
import polars as pl

from maestro import metrics as m
from maestro._core.formatting import percent, plural
from maestro.bars import Bars
from maestro.errors import RunCancelled, SettingsError, nearest
from maestro.execution.choose import choose
from maestro.execution.counting import counting
from maestro.execution.protocol import Task, TaskContext, results_of, run_tasks
from maestro.reproduce.bars import recorded_bars
from maestro.reproduce.plan import recorded_plan, repeatable, strategies_of, windows_of
from maestro.search.tpe import check_seed
from maestro.typing import FloatArray
from maestro.validation.multiple.joint import JointOrder, joint_orders, jointly_permuted
from maestro.validation.statistics.permutation import Permutation, walk, walked_tables
from maestro.walkforward.many import Cell, WalkForwards
from maestro.walkforward.plan import Plan
from maestro.walkforward.portfolio import Portfolio, portfolio
from maestro.walkforward.result import WalkForward
from maestro.walkforward.splitters import Window

REPETITIONS = 19
"""The fewest that can show p = 0.05."""
LEVEL = 0.05


class Job(NamedTuple):
    """One walk-forward to be repeated on other bars."""

    name: Any
    series: Any
    """Key of its bars."""
    manifest: dict[str, Any]
    plan: Plan
    windows: list[Window]
    warm_start: bool


@dataclass(frozen=True)
class Material:
    """Inputs of each repetition: the series, their joint orders, and the walk-forwards."""

    series: dict[Any, Bars]
    timeframes: dict[Any, str]
    orders: dict[str, JointOrder]
    jobs: tuple[Job, ...]
    block: int

    def permuted(self, seed: int, number: int, keys: Any = None) -> dict[Any, Bars]:
        """Bars of a repetition, of all series or of some."""
        chosen = self.series if keys is None else {key: self.series[key] for key in keys}
        drawn = np.random.SeedSequence([seed, number])
        return dict(jointly_permuted(chosen, self.orders, self.timeframes, drawn, self.block))

    def only(self, key: Any) -> Material:
        """Inputs of the walk-forwards on one series."""
        name = self.timeframes[key]
        return replace(
            self, series={key: self.series[key]}, timeframes={key: name}, orders={name: self.orders[name]},
            jobs=tuple(job for job in self.jobs if job.series == key),
        )  # fmt: skip


@dataclass(frozen=True)
class ManyPermutation:
    """Result of `permutation_test_many`.

    Attributes
    ----------
    cells : tuple of Cell
    metric : str
        Of the stitched out-of-sample stretch of each; a leading minus means that less is better.
    observed : float64[k]
        On the real bars, NaN where undefined.
    null : float64[repetitions, k]
        On permuted bars; NaN where undefined.
    repetitions, seed, block : int
    fixed : float
        Largest share of the stamps of a timeframe that stayed where they were.
    """

    cells: tuple[Cell, ...]
    metric: str
    observed: FloatArray
    null: FloatArray
    repetitions: int
    seed: int
    block: int
    fixed: float

    @property
    def _compared(self) -> tuple[FloatArray, FloatArray]:
        """Observed and null values with more as better, each cell in units of its own spread; NaN: not tested.

        Mean and spread are those of all values of a cell, the observed one included, so that under the null hypothesis
        every row is as likely to be the largest. A repetition without a value did not do as well.
        """
        sign = -1.0 if self.metric.startswith("-") else 1.0
        rows = sign * np.concatenate((self.observed[None, :], self.null))
        known = np.isfinite(rows)
        count = known.sum(axis=0)
        filled = np.where(known, rows, 0.0)
        mean = np.divide(filled.sum(axis=0), count, out=np.zeros(rows.shape[1]), where=count > 0)
        square = (np.where(known, rows - mean, 0.0) ** 2).sum(axis=0)
        spread = np.sqrt(np.divide(square, count, out=np.zeros(rows.shape[1]), where=count > 0))
        usable = known[0] & (spread > 1e-14)
        scaled = np.where(known, (rows - mean) / np.where(spread > 1e-14, spread, 1.0), -np.inf)
        return np.where(usable, scaled[0], np.nan), scaled[1:]

    @property
    def p_value(self) -> FloatArray:
        """P-value of each alone: (1 + repetitions in which it did as well) / (1 + repetitions)."""
        own, null = self._compared
        return np.where(np.isnan(own), np.nan, (1 + (null >= own).sum(axis=0)) / (1 + len(null)))

    @property
    def p_adjusted(self) -> FloatArray:
        """P-value adjusted for all: how often the best of those that did no better than this one does as well.

        Step-down maxima (Westfall and Young, 1993): the probability that even one of those at or below q has no edge
        is at most q.
        """
        own, null = self._compared
        out = np.full(len(own), np.nan)
        usable = np.flatnonzero(~np.isnan(own))
        order = usable[np.argsort(-own[usable], kind="stable")]
        largest = np.maximum.accumulate(null[:, order[::-1]], axis=1)[:, ::-1]
        found = (1 + (largest >= own[order]).sum(axis=0)) / (1 + len(null))
        out[order] = np.maximum.accumulate(found) if len(found) else found
        return out

    @property
    def table(self) -> pl.DataFrame:
        """One row per walk-forward, the smallest adjusted p-value first; null where nothing can be tested.

        symbol, timeframe, strategy, observed, null_median, p_value, p_adjusted.
        """
        medians = [float(np.median(v)) if len(v := one[np.isfinite(one)]) else math.nan for one in self.null.T]
        frame = pl.DataFrame(
            {
                "symbol": [cell.symbol for cell in self.cells],
                "timeframe": [cell.timeframe for cell in self.cells],
                "strategy": [cell.strategy for cell in self.cells],
                **{
                    name: pl.Series(values, dtype=pl.Float64).fill_nan(None)
                    for name, values in (
                        ("observed", self.observed), ("null_median", medians), ("p_value", self.p_value),
                        ("p_adjusted", self.p_adjusted),
                    )
                },
            }
        )  # fmt: skip
        return frame.sort("p_adjusted", "p_value", "symbol", "timeframe", "strategy", nulls_last=True)

    @property
    def sentence(self) -> str:
        """Result for all of them together, in words."""
        p = self.p_value
        tested = int(np.isfinite(p).sum())
        if not tested:
            return f"{plural(len(self.cells), 'walk-forward')}; none can be tested."
        left = int((self.p_adjusted <= LEVEL).sum())
        chance = tested * math.floor(LEVEL * (1 + self.repetitions)) / (1 + self.repetitions)
        remains = "none remains" if not left else f"{left:,} remain{'s' if left == 1 else ''}"
        best = self.table.row(0, named=True)
        name = f"{best['strategy']} on {best['symbol']} {best['timeframe']}".rstrip()
        return (
            f"{plural(tested, 'walk-forward')} on {plural(self.repetitions, 'universe')} permuted alike; "
            f"{int((p <= LEVEL).sum()):,} at or below {percent(LEVEL, 0)}, {chance:.2g} expected by chance; {remains} "
            f"when all are considered. The best, {name}: p = {best['p_value']:.3g} alone, "
            f"{best['p_adjusted']:.3g} of all."
        )

    def __repr__(self) -> str:
        return f"ManyPermutation({self.metric}: {self.sentence})"


def permutation_test_many(
    many: WalkForwards,
    *,
    repetitions: int = REPETITIONS,
    metric: str = "sharpe_ratio",
    seed: int = 0,
    block: int = 1,
    strategies: Mapping[str, Any] | None = None,
    workers: int | None = None,
    executor: Any = None,
    cancel: threading.Event | None = None,
    progress: bool | Callable[[int], None] | None = None,
) -> ManyPermutation:
    """Repeat all walk-forwards, with their searches, on universes whose returns are jointly permuted.

    In each repetition the bars of one stamp move together on all series that have it, so that the series stay as
    correlated as they were: forty correlated symbols are not forty independent series. The best results on such
    universes show what the whole procedure finds by luck.

    Parameters
    ----------
    many : WalkForwards, live or loaded
    repetitions : int
        19 can show p = 0.05 and not less, 199 can show p = 0.005. Each costs as much as the call of
        `walk_forward_many` itself.
    metric : str
        Of the stitched out-of-sample stretch; ``"-max_drawdown"`` if less is better.
    seed : int
        Repetition k is drawn from `seed` and k alone: the result does not depend on workers or order.
    block : int
        Number of bars that move together, see `permuted_bars`.
    strategies : mapping of name to class, optional
        User-defined strategies, for results loaded from disk.
    workers, executor
        As in `walk_forward`; a task is one repetition of all walk-forwards on one series.
    cancel : threading.Event, optional
        Set it to stop; `RunCancelled` follows.
    progress : bool or callable, optional
        True shows a bar, which a notebook also shows by itself for work over a second; a callable receives the number
        of tasks done since the last call.

    Raises
    ------
    SettingsError
        An invalid number, an unknown metric, no result, a search that cannot be repeated, or series whose stamps have
        little in common.
    BarsError, RunError, StrategyError, RunCancelled

    Notes
    -----
    Stamps change places only with stamps of the same series, and the first stamp of each series stays, so that a
    series that begins later does not restrict the others. Each timeframe is permuted separately. Nothing
    is written, and nothing is entered in the ledger.
    """
    known = _checked(repetitions, metric, seed)
    cells = tuple(many)
    if not cells:
        raise SettingsError("no walk-forward has a result, so there is nothing to compare; see many.errors.")
    results = [many[cell] for cell in cells]
    material = material_of(dict(zip(cells, results, strict=True)), block, strategies)
    order = [job.name for job in material.jobs]
    keys = list(material.series)
    tasks = [Task(_repeat, (key, known, seed, k), _part) for k in range(repetitions) for key in keys]
    chosen = choose(executor, workers, len(tasks))
    found = _run(chosen, tasks, material, cancel, progress, "permuted universes")
    place = {cell: number for number, cell in enumerate(order)}
    null = np.full((repetitions, len(cells)), np.nan)
    for number, values in enumerate(found):
        for cell, value in values:
            null[number // len(keys), place[cell]] = value
    observed = np.array([wf.metrics[known] for wf in results])
    fixed = max(order.fixed for order in material.orders.values())
    return ManyPermutation(cells, metric, observed, null, repetitions, seed, block, fixed)


def permutation_test_portfolio(
    of: Portfolio,
    *,
    repetitions: int = REPETITIONS,
    metric: str = "sharpe_ratio",
    seed: int = 0,
    block: int = 1,
    strategies: Mapping[str, Any] | None = None,
    workers: int | None = None,
    executor: Any = None,
    cancel: threading.Event | None = None,
    progress: bool | Callable[[int], None] | None = None,
) -> Permutation:
    """Repeat a portfolio with all its searches and weights on jointly permuted series.

    Parameters and errors as in `permutation_test_many`; a task is one repetition of the whole portfolio.

    Returns
    -------
    Permutation
        Of a metric of the portfolio's equity.
    """
    known = _checked(repetitions, metric, seed)
    if known not in of.metrics:
        raise SettingsError(f"a portfolio has no metric {known!r}; it has: {', '.join(of.metrics)}.")
    material = material_of(of.runs, block, strategies)
    tasks = [Task(_repeat_portfolio, (of.given, known, seed, k)) for k in range(repetitions)]
    chosen = choose(executor, workers, repetitions)
    values = np.array(_run(chosen, tasks, material, cancel, progress, "permuted portfolios"))
    sign = -1.0 if metric.startswith("-") else 1.0
    null, own = sign * values, sign * of.metrics[known]
    defined = np.isfinite(null)
    return Permutation(metric, own, null[defined], int((~defined).sum()), repetitions, seed, block)


def material_of(
    runs: Mapping[Any, WalkForward], block: int = 1, strategies: Mapping[str, Any] | None = None
) -> Material:
    """Bars, plans and windows of several walk-forwards, each series once.

    Raises
    ------
    SettingsError
        A search cannot be repeated, an invalid block, a strategy that no run has, or series whose stamps have little in
        common.
    BarsError, RunError, StrategyError
        See `maestro.reproduce.plan`.
    """
    series: dict[Any, Bars] = {}
    timeframes: dict[Any, str] = {}
    jobs = []
    classes = strategies_of(strategies, runs.values())
    for name, wf in runs.items():
        plan = recorded_plan(wf, classes.get(wf.spec.strategy))
        why = repeatable(wf, plan)
        if why:
            raise SettingsError(f"run {wf.id} cannot be repeated on other bars: {why}.")
        key = (wf.spec.bars.fingerprint, wf.spec.periods_per_year)
        if key not in series:
            series[key] = recorded_bars(wf)
            timeframes[key] = series[key].timeframe
        manifest = {"id": wf.id, "spec": wf.spec.to_dict(), "versions": wf.manifest["versions"]}
        jobs.append(Job(name, key, manifest, plan, windows_of(wf), wf.spec.warm_start))
    shortest = min(len(bars) for bars in series.values())
    if isinstance(block, bool) or not isinstance(block, int) or not 1 <= block <= (shortest - 1) // 2:
        raise SettingsError(f"block={block!r} is not a whole number from 1 to {(shortest - 1) // 2}, half of the bars.")
    return Material(series, timeframes, joint_orders(series, timeframes), tuple(jobs), block)


def repeated(job: Job, bars: Bars, cancelled: Callable[[], bool]) -> WalkForward:
    """Walk-forward of a job on other bars of the same stamps, as an object; nothing is written or counted."""
    tables = walked_tables(bars, job.plan, job.windows, job.warm_start, cancelled)
    wf = WalkForward(job.manifest, tables)
    wf.bars, wf.plan = bars, job.plan
    return wf


def _checked(repetitions: int, metric: str, seed: int) -> str:
    if isinstance(repetitions, bool) or not isinstance(repetitions, int) or repetitions < 1:
        raise SettingsError(f"repetitions={repetitions!r} is not a whole number of at least 1; 19 can show p = 0.05.")
    check_seed(seed)
    known = metric.removeprefix("-")
    if known not in m.NAMES:
        raise SettingsError(
            f"no metric is called {metric!r}; there are: {', '.join(m.NAMES)}.{nearest(known, m.NAMES)}"
        )
    return known


def _run(
    executor: Any, tasks: list[Task], material: Material, cancel: threading.Event | None,
    progress: bool | Callable[[int], None] | None, what: str,
) -> list[Any]:  # fmt: skip
    try:
        with counting(progress, len(tasks), what, "task") as counter:
            return results_of(run_tasks(executor, tasks, material, cancel=cancel), counter.done)
    except RunCancelled as error:
        raise RunCancelled("the permutation test was cancelled; no result is kept.") from error


def _repeat(
    material: Material, context: TaskContext, key: Any, metric: str, seed: int, number: int
) -> list[tuple[Any, float]]:
    """Metric of every walk-forward on one series of a repetition."""
    [bars] = material.permuted(seed, number, [key]).values()
    return [
        (
            job.name,
            walk(bars, job.plan, job.windows, job.warm_start, context.cancelled)[metric],
        )
        for job in material.jobs
        if job.series == key
    ]


def _part(
    material: Material, key: Any, metric: str, seed: int, number: int
) -> tuple[Material, tuple[Any, str, int, int]]:
    return material.only(key), (key, metric, seed, number)


def _repeat_portfolio(
    material: Material, context: TaskContext, given: dict[str, Any], metric: str, seed: int, number: int
) -> float:
    """Metric of the portfolio of a repetition; NaN if no sleeve has a result."""
    made = material.permuted(seed, number)
    runs = {job.name: repeated(job, made[job.series], context.cancelled) for job in material.jobs}
    tested = {name: wf for name, wf in runs.items() if len(wf.equity)}
    return portfolio(tested, **given).metrics[metric] if tested else math.nan
