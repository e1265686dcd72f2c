"""Many parameter sets on the same bars: grid, random or Sobol, on all cores, shared columns computed once."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import polars as pl

from maestro._core.markup import Markup, html
from maestro.bars import Bars
from maestro.engine import Costs, SimulationSettings, Sizing
from maestro.errors import MaestroError, RunCancelled, RunInterrupted, SettingsError, nearest
from maestro.execution.choose import Work, check, choose
from maestro.execution.counting import counting
from maestro.execution.events import TrialsEvaluated
from maestro.execution.protocol import Executor, Outcome, Task, TaskContext, handle_all, run_tasks
from maestro.indicators.cache import ThreadCaches, using
from maestro.ledger import Recorder
from maestro.metrics import NAMES, SHARPE
from maestro.runs import run_id, source_hash
from maestro.search.sampling import METHODS, propose_all, visits
from maestro.search.space import Columns, Space
from maestro.search.tpe import check_seed
from maestro.strategies import Strategy, strategy_class
from maestro.typing import Fill, FloatArray
from maestro.walkforward.effort import work_of_sets
from maestro.walkforward.notes import failures_note, left_out_note
from maestro.walkforward.selection import Select, Selection


@dataclass(frozen=True)
class Sweep:
    """Result of a sweep.

    Attributes
    ----------
    table : polars frame
        One row per parameter set in order of proposal: parameters, metrics (null if it failed), error.
    space : Space
        What was searched.
    distinct : int
        Sets that were evaluated; equal ones are evaluated once.
    notes : tuple of str
        What a reader needs to know to judge the numbers.
    """

    table: pl.DataFrame
    space: Space
    distinct: int
    notes: tuple[str, ...] = ()

    def best(self, select: Select = ("sharpe_ratio", "vwr"), n: int = 10) -> pl.DataFrame:
        """Return the `n` best distinct rows by metrics in order (larger is better; ``"-volatility"``: smaller)."""
        chosen = Selection.of(select)
        if chosen.kind != "order":
            raise SettingsError(f"best() sorts by metrics in order; got a selection by {chosen.kind}.")
        keys = [-pl.col(name[1:]) if name.startswith("-") else pl.col(name) for name in chosen.metrics]
        usable = self.table.unique(subset=list(self.space.names), keep="first", maintain_order=True)
        usable = usable.filter(pl.all_horizontal(key.is_not_null() & key.is_not_nan() for key in keys))
        return usable.sort(keys, descending=True, maintain_order=True).head(n)

    def __len__(self) -> int:
        return len(self.table)

    def __repr__(self) -> str:
        return f"Sweep({self.space.strategy.__name__}, {len(self):,} sets, {self.distinct:,} distinct)"

    def _repr_html_(self) -> str:
        best = Markup(self.best()._repr_html_())  # a frame, which escapes its cells
        return str(html("<p>{!r}; the best by (sharpe_ratio, vwr):</p>", self) + best)


def sweep(
    bars: Bars,
    strategy: Any,
    *,
    n: int = 10_000,
    sampler: str = "sobol",
    seed: int = 0,
    params: dict[str, Any] | None = None,
    space: dict[str, Any] | None = None,
    costs: Costs | None = None,
    sizing: Sizing | str = "percent:1.0",
    cash: float = 100_000.0,
    fill: Fill = "next_open",
    workers: int | None = None,
    executor: Any = None,
    cancel: threading.Event | None = None,
    progress: bool | Callable[[int], None] | None = None,
) -> Sweep:
    """Evaluate many parameter sets of a strategy on the same bars.

    Parameters
    ----------
    bars : Bars
    strategy : str, type of Strategy or Strategy
    n : int
        Number of sets; ``sobol`` and ``random`` give exactly this many, ``grid`` at most. None of them breaks a
        constraint or needs a warm-up longer than half of the bars.
    sampler : {"sobol", "random", "grid"}
    seed : int
    params, space : dict, optional
        Fixed values, and ranges in place of the declared ones, as in `walk_forward`.
    workers : int, optional
        All cores if not given; the table does not depend on it.
    executor : {"serial", "threads", "processes"}, dask.distributed.Client or an object with ``submit``, optional
        Whichever suits the work if absent.
    cancel : threading.Event, optional
        Set it to stop; `RunCancelled` follows.
    progress : bool or callable, optional
        True shows a bar, which a notebook also shows by itself for work over a second; a callable gets the number of
        sets that were finished since the last call.

    Returns
    -------
    Sweep

    Raises
    ------
    SettingsError, ParameterError, StrategyError, RunCancelled
    """
    if not isinstance(bars, Bars):
        raise SettingsError(f"bars is a {type(bars).__name__}; give ms.Bars (ms.load, ms.Bars.from_frame).")
    if isinstance(n, bool) or not isinstance(n, (int, np.integer)) or n < 1:
        raise SettingsError(f"n={n!r} leaves nothing to evaluate; give a whole number of at least 1.")
    if sampler not in METHODS:
        raise SettingsError(
            f"sampler={sampler!r} is unknown; allowed: {', '.join(METHODS)}.{nearest(sampler, METHODS)}"
        )
    check(executor, workers)
    check_seed(seed)
    cls, fixed = strategy_class(strategy, params)
    searched = Space(cls, fixed, space)
    columns = propose_all(searched, sampler, n, seed, bars=len(bars))
    rows, place = visits(columns)
    distinct = {name: column[rows] for name, column in columns.items()}
    settings = SimulationSettings(costs or Costs(), Sizing.of(sizing), cash, fill)
    settings.check(bars, cls, fixed)
    book = _recorder(bars, cls, searched, {"n": int(n), "sampler": sampler, "seed": int(seed)}, settings)
    with counting(progress, len(rows), cls.__name__, "set") as counter:
        values, errors = _evaluated(
            bars, settings, searched, distinct, len(rows), workers, executor, cancel, counter.done, book
        )
    values, errors = values[place], [errors[k] for k in place]
    sharpes = _counted(values, errors)
    book(TrialsEvaluated(len(sharpes), sharpes))
    book.close()
    failed = pl.Series(errors, dtype=pl.String)
    table = pl.DataFrame(
        {
            **searched.searched_table(columns),
            **{name: np.ascontiguousarray(values[:, k]) for k, name in enumerate(NAMES)},
            "error": failed,
        }
    )
    if failed.null_count() < len(failed):
        there = pl.col("error").is_null()
        table = table.with_columns(pl.when(there).then(pl.col(name)).alias(name) for name in NAMES)
    notes = [*left_out_note(searched, len(bars), "bars"), *failures_note(failed, len(failed), "sets"), *book.notes]
    return Sweep(table, searched, len(rows), tuple(notes))


def _counted(values: FloatArray, errors: Sequence[str | None]) -> FloatArray:
    """Sharpe ratios of the sets that did not fail."""
    kept: FloatArray = values[[error is None for error in errors], SHARPE]
    return kept


def _recorder(
    bars: Bars, cls: type[Strategy], searched: Space, proposal: dict[str, Any], settings: SimulationSettings
) -> Recorder:
    """Return the listener that enters the sets in the ledger; an exact repetition has the same id there."""
    source = source_hash(cls)
    spec = {
        "strategy": cls.__name__, "source": source, "fingerprint": bars.fingerprint, "params": searched.fixed,
        "space": searched.to_dict(), **proposal, "costs": settings.costs.to_dict(),
        "sizing": settings.sizing.to_dict(), "cash": float(settings.cash), "fill": settings.fill,
    }  # fmt: skip
    return Recorder(bars, "sweep", strategy=cls.__name__, source=source, run=run_id(spec))


def _evaluated(
    bars: Bars, settings: SimulationSettings, space: Space, columns: Columns, n: int, workers: int | None,
    executor: Any, cancel: threading.Event | None, progress: Callable[[int], None], book: Recorder,
) -> tuple[FloatArray, list[str | None]]:  # fmt: skip
    """Metrics and errors of `n` sets; if that is interrupted, those that were evaluated are entered."""

    def work() -> Work:
        simulator = settings.simulator(bars)
        return work_of_sets(
            lambda params: simulator.metrics(space.strategy(**params).evaluate(bars)), space, n, len(bars)
        )

    chosen = choose(executor, workers, n, work)
    spans, caches = _spans(n, chosen), ThreadCaches()
    done: dict[int, tuple[FloatArray, list[str | None]]] = {}
    stopped: list[float] = []

    def keep(outcome: Outcome) -> None:
        collect(outcome)
        if outcome.finished and not chosen.reports:
            begin, end = spans[outcome.number]
            progress(end - begin)

    def collect(outcome: Outcome) -> None:
        if outcome.finished:
            done[outcome.number] = outcome.value
        stopped.extend(outcome.notes)

    def report(_: int, count: int) -> None:
        progress(count)

    tasks = [
        Task(sweep_task, (settings, space, {name: column[a:b] for name, column in columns.items()}, b - a, caches))
        for a, b in spans
    ]
    try:
        handle_all(run_tasks(chosen, tasks, bars, cancel=cancel, report=report), keep, collect)
    except BaseException as error:
        sharpes = np.concatenate([*(_counted(*part) for part in done.values()), np.array(stopped, np.float64)])
        book(TrialsEvaluated(len(sharpes), sharpes, state="interrupted"))
        book.close()
        if isinstance(error, RunCancelled):
            raise RunCancelled(f"the sweep was cancelled after {len(sharpes):,} of {n:,} sets.") from error
        if isinstance(error, KeyboardInterrupt):
            raise RunInterrupted(f"the sweep was interrupted after {len(sharpes):,} of {n:,} sets.") from error
        raise
    parts = [done[k] for k in range(len(spans))]
    return np.concatenate([values for values, _ in parts]), [error for _, errors in parts for error in errors]


def _spans(n: int, executor: Executor) -> list[tuple[int, int]]:
    """Begin and end of each piece.

    Several per worker, as sets of short periods trade more often and take longer, and as some executors show the
    progress of finished pieces only.
    """
    whole = _split(0, n, executor.workers)
    if executor.reports and executor.workers == 1:
        return whole
    return [span for a, b in whole for span in _split(a, b, max(1, min(8, (b - a) // 500)))]


def _split(begin: int, end: int, parts: int) -> list[tuple[int, int]]:
    edges = [begin + (end - begin) * k // parts for k in range(parts + 1)]
    return [(a, b) for a, b in pairwise(edges) if b > a]


def sweep_task(
    bars: Bars, context: TaskContext, settings: SimulationSettings, space: Space, columns: Columns, n: int,
    caches: ThreadCaches,
) -> tuple[FloatArray, list[str | None]]:  # fmt: skip
    """Metrics of each of `n` sets (a row of NaN where it failed) and the errors."""
    simulator = settings.simulator(bars)
    values = np.full((n, len(NAMES)), np.nan)
    errors: list[str | None] = [None] * n
    reported = 0
    with using(caches.columns):
        for k, params in enumerate(space.rows(columns)):
            if context.cancelled():
                raise RunCancelled(f"cancelled after {k} of {n} sets.")
            try:
                values[k] = simulator.metrics(space.strategy(**params).evaluate(bars))
            except MaestroError as error:
                errors[k] = str(error)
            except Exception as error:  # user code: whatever it raises is this set's failure
                errors[k] = f"{type(error).__name__}: {error}"
            if errors[k] is None:
                context.notes.append(float(values[k, SHARPE]))
            if k + 1 - reported >= 100 or k == n - 1:
                context.report(k + 1 - reported)
                reported = k + 1
    return values, errors
