"""`walk_forward_many`: every strategy on every series, one task each, stored as they end."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from maestro.bars import Bars
from maestro.bars.universe import Universe, universe
from maestro.engine import Costs, Sizing
from maestro.errors import MaestroError, RunCancelled, RunError, RunInterrupted, SettingsError
from maestro.execution.choose import HEAVY, Work, check, choose
from maestro.execution.protocol import Outcome, handle_all, run_tasks
from maestro.ledger import Recorder, Tally
from maestro.ledger.series import series_of
from maestro.runs import RunStore
from maestro.runs.identity import canonical, digest
from maestro.strategies import Strategy, strategy_class
from maestro.typing import Fill
from maestro.walkforward.effort import work_of_folds
from maestro.walkforward.many.cells import Cell, Summary, failed, summarise
from maestro.walkforward.many.looks import record_looks
from maestro.walkforward.many.progress import Counter, ProgressOption
from maestro.walkforward.many.result import WalkForwards, write_list
from maestro.walkforward.many.task import TaskResult, task_of
from maestro.walkforward.result import WalkForward, load_stored
from maestro.walkforward.run import PreparedRun, prepare
from maestro.walkforward.selection import Select
from maestro.walkforward.splitters import Splitter


def walk_forward_many(
    series: Universe | Mapping[str, Any] | Any,
    strategies: Any,
    *,
    timeframes: Sequence[str] | None = None,
    splitter: Splitter | str = "rolling:10,2,1",
    trials: int = 100,
    search: Any = "tpe",
    seed: int = 0,
    params: dict[str, Any] | None = None,
    space: dict[str, Any] | None = None,
    costs: Costs | None = None,
    sizing: Sizing | str = "percent:1.0",
    cash: float = 100_000.0,
    fill: Fill = "next_open",
    select: Select = ("sharpe_ratio", "vwr"),
    warm_start: bool = False,
    pruner: Any = None,
    workers: int | None = None,
    executor: Any = None,
    runs_dir: str | Path | None = None,
    progress: ProgressOption = None,
    cancel: threading.Event | None = None,
    force: bool = False,
    accept_defects: bool = False,
    command: str | None = None,
) -> WalkForwards:
    """Run a walk-forward of each strategy on each series.

    Each result is identical to that of `walk_forward` for the same bars and settings: the same id, the same tables.
    It does not depend on workers, executor or order. A walk-forward that cannot be run has an error in its row.

    Parameters
    ----------
    series : Universe, or what `ms.universe` takes
    strategies : name, class, instance, or a sequence of them
    timeframes : sequence of str, optional
        Resample each series to each of these; by default series are not resampled.
    splitter : Splitter or str
        Windows that begin at the same dates on every series need ``"calendar:6mo,1mo"``; `Rolling` counts bars, so
        its windows differ between series of different length.
    trials, search, seed, params, space, costs, sizing, cash, fill, select, warm_start, pruner
        As in `walk_forward`, the same for all.
    workers, executor
        As in `walk_forward`; a task is a whole walk-forward, and the bars reach each worker once.
    runs_dir : path, optional
        Store every walk-forward here as it ends. Stored ones are loaded, so the same call continues where an
        earlier one was stopped or killed.
    progress : bool, callable or a list of both
        True shows a bar with rate and time left; a callable gets a `Progress`: ``[True, ms.MLflow(url)]``.
    cancel : threading.Event, optional
        Set it to stop; `RunCancelled` is raised, and walk-forwards in `runs_dir` stay.
    force : bool
        Recompute walk-forwards that exist.
    accept_defects : bool
        Run also on series in which `quality()` finds a fatal defect.
    command : str, optional
        Equivalent shell command, recorded in the manifests.

    Returns
    -------
    WalkForwards

    Raises
    ------
    SettingsError
        No strategy, a duplicate strategy, or an invalid setting.
    RunError
        A worker process died, or `runs_dir` cannot be written.
    RunCancelled
    """
    found = series if isinstance(series, Universe) else universe(series)
    rules = _rules(strategies)
    check(executor, workers)
    settings: dict[str, Any] = {
        "splitter": splitter, "trials": trials, "search": search, "seed": seed, "params": params, "space": space,
        "costs": costs, "sizing": sizing, "cash": cash, "fill": fill, "select": select, "warm_start": warm_start,
        "pruner": pruner,
    }  # fmt: skip
    many = _Many(found, rules, timeframes, settings, None if runs_dir is None else Path(runs_dir), accept_defects)
    return many.execute(workers, executor, progress, cancel or threading.Event(), force, command)


def _rules(strategies: Any) -> dict[str, Any]:
    """Strategies by the name of their class."""
    single = isinstance(strategies, (str, Strategy, type))
    given = [strategies] if single else list(strategies)
    if not given:
        raise SettingsError("no strategy to run; give names or classes, such as ['EmaCrossStrategy'].")
    found: dict[str, Any] = {}
    for strategy in given:
        name = strategy_class(strategy, None)[0].__name__
        if name in found:
            raise SettingsError(f"the strategy {name} is named twice; give each one once, or classes of other names.")
        found[name] = strategy
    return found


class _Many:
    """All walk-forwards of a call."""

    def __init__(
        self, found: Universe, rules: dict[str, Any], timeframes: Sequence[str] | None, settings: dict[str, Any],
        runs_dir: Path | None, accept_defects: bool,
    ) -> None:  # fmt: skip
        self.universe, self.runs_dir = found, runs_dir
        self.series: dict[tuple[str, str], Bars] = {}
        self.runs: dict[Cell, PreparedRun] = {}
        self.summaries: dict[Cell, Summary] = {}
        self.results: dict[Cell, WalkForward] = {}
        self.names = ", ".join(rules)
        for timeframe in timeframes or [None]:  # type: ignore[list-item]
            part = found if timeframe is None else found.resample(timeframe)
            for symbol, bars in part.items():
                self.series[symbol, bars.timeframe] = bars
                for name, strategy in rules.items():
                    self._prepare(Cell(symbol, bars.timeframe, name), bars, strategy, settings, accept_defects)
            for symbol, why in part.errors.items():
                for name in rules:
                    cell = Cell(symbol, timeframe or "", name)
                    self.summaries[cell] = failed(cell, why)
        self.id = digest(canonical(sorted([*cell, run.id] for cell, run in self.runs.items())))[:16]

    def _prepare(self, cell: Cell, bars: Bars, strategy: Any, settings: dict[str, Any], accept: bool) -> None:
        try:
            run = prepare(bars, strategy, **settings)
            run.look_for_defects(accept)
            self.runs[cell] = run
        except MaestroError as error:
            self.summaries[cell] = failed(cell, str(error))

    def execute(
        self, workers: int | None, executor: Any, progress: ProgressOption, cancel: threading.Event, force: bool,
        command: str | None,
    ) -> WalkForwards:  # fmt: skip
        """Run the missing walk-forwards and build the result."""
        unusable = len(self.summaries)
        if not self.runs and unusable:
            cell, summary = next(iter(self.summaries.items()))
            raise SettingsError(f"none of {unusable} can run; the first, {cell.text}: {summary.row['error']}")
        if not force:
            self._load()
        todo = [cell for cell in self.runs if cell not in self.summaries]
        counter = Counter(progress, len(self.runs) + unusable, len(self.runs) - len(todo), unusable)
        tasks = [task_of(self.runs[cell], cell[:2], command) for cell in todo]
        began = time.perf_counter()

        def keep(outcome: Outcome) -> None:
            cell = todo[outcome.number]
            if not outcome.finished:
                self._count(cell, outcome.notes)
                return
            wf = self._keep(cell, outcome.value)
            counter.ended(cell, wf is None, wf)

        def count(outcome: Outcome) -> None:
            self._count(todo[outcome.number], outcome.value.events if outcome.finished else outcome.notes)

        chosen = choose(executor, workers, len(todo), lambda: self._work(todo))
        where = "" if self.runs_dir is None else f"; {self.runs_dir} has them, and the same call continues there"
        try:
            handle_all(run_tasks(chosen, tasks, self.series, cancel=cancel), keep, count)
        except (RunCancelled, RunError, KeyboardInterrupt) as stop:
            self._looks()
            done = sum("id" in summary.row for summary in self.summaries.values())
            reason = {RunCancelled: "cancelled", KeyboardInterrupt: "interrupted"}.get(
                type(stop), str(stop).rstrip(".")
            )
            kind = RunInterrupted if isinstance(stop, KeyboardInterrupt) else type(stop)
            raise kind(f"{reason} after {done} of {len(self.runs)} walk-forwards{where}.") from stop
        finally:
            counter.close()
        notes = [*self.universe.notes, *self._looks()]
        cells = sorted(self.summaries)
        result = WalkForwards(
            self.id, {cell: self.summaries[cell] for cell in cells}, notes, results=self.results, runs=self.runs,
            folder=self.runs_dir, seconds=time.perf_counter() - began,
        )  # fmt: skip
        if self.runs_dir is not None:
            write_list(result, self.runs_dir)
        return result

    def _load(self) -> None:
        """Load the walk-forwards that are on disk."""
        for cell, run in self.runs.items() if self.runs_dir is not None else ():
            store = self._store(run)
            if store is not None and store.status() == "done":
                self.summaries[cell] = summarise(cell, load_stored(store))

    def _store(self, run: PreparedRun) -> RunStore | None:
        return None if self.runs_dir is None else RunStore(self.runs_dir / run.id)

    def _work(self, todo: Sequence[Cell]) -> Work:
        if not todo:
            return HEAVY
        run = self.runs[todo[0]]
        one = work_of_folds(run.plan, run.bars, run.windows)
        return Work(one.seconds * len(todo))

    def _recorder(self, cell: Cell) -> Recorder:
        run = self.runs[cell]
        return Recorder(run.bars, "walk_forward", strategy=run.spec.strategy, source=run.spec.source, run=run.id)

    def _count(self, cell: Cell, events: Any) -> Recorder:
        book = self._recorder(cell)
        book.record_all(events)
        return book

    def _keep(self, cell: Cell, walked: TaskResult) -> WalkForward | None:
        """Record the trials of a walk-forward in the ledger, then store it; returns it unless it failed."""
        run, manifest = self.runs[cell], walked.manifest
        book = self._count(cell, walked.events)
        if walked.error is not None:
            self.summaries[cell] = failed(cell, walked.error)
            return None
        if book.mark:
            manifest["ledger"] = book.mark
        manifest["notes"] = [*manifest["notes"], *book.notes]
        wf, store = run.alive(WalkForward(manifest, walked.tables)), self._store(run)
        if store is None:
            self.results[cell] = wf
        else:
            try:
                with store.locked():
                    if store.exists:
                        store.check_is_run("it is not replaced; choose another runs_dir")
                    wf.manifest, wf.folder = store.finish(manifest, walked.tables), store.folder
            except RunError as error:
                self.summaries[cell] = failed(cell, str(error))
                return None
        self.summaries[cell] = summarise(cell, wf)
        return wf

    def _looks(self) -> list[str]:
        """Record the trials on each series in the ledgers of the others."""
        tried: dict[str, tuple[Bars, Tally]] = {}
        for cell, summary in self.summaries.items():
            if summary.tally.trials:
                bars = self.runs[cell].bars
                name = series_of(bars)
                tried[name] = (bars, tried.get(name, (bars, Tally()))[1] + summary.tally)
        return record_looks(tried, self.id, self.names)
