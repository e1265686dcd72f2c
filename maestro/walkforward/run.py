"""`walk_forward`: split, search, choose and test fold by fold, and store the run."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Generator, Sequence
from contextlib import nullcontext
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from maestro.bars import Bars
from maestro.engine import Costs, SimulationSettings, Sizing
from maestro.errors import BarsError, RunCancelled, RunError, RunInterrupted, SettingsError
from maestro.execution import events as ev
from maestro.execution.choose import check
from maestro.execution.protocol import Outcome, handle_all
from maestro.ledger import Recorder
from maestro.runs import RunStore, python_lines, run_id, versions
from maestro.runs.folds import UnusableFold
from maestro.search.runner import METHODS
from maestro.search.space import Space
from maestro.search.tpe import check_seed
from maestro.search.trials import Trial
from maestro.strategies import Strategy, is_named, strategy_class
from maestro.typing import Fill
from maestro.walkforward.effort import work_of_folds
from maestro.walkforward.folds import Job, run_folds, trials_evaluated
from maestro.walkforward.notes import left_out_note
from maestro.walkforward.plan import Plan
from maestro.walkforward.result import WalkForward, load_stored
from maestro.walkforward.selection import Select, Selection
from maestro.walkforward.specification import recorded_space, run_spec
from maestro.walkforward.splitter_text import SPLITTERS, splitter_of
from maestro.walkforward.splitters import Splitter, checked
from maestro.walkforward.tables import FoldTables, assemble, fold_tables
from maestro.walkforward.triggers import OnRegime

T = TypeVar("T")


def walk_forward(
    bars: Bars,
    strategy: str | Strategy | type[Strategy],
    *,
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
    progress: bool | ev.Listener | Sequence[bool | ev.Listener] | None = None,
    cancel: threading.Event | None = None,
    force: bool = False,
    accept_defects: bool = False,
    command: str | None = None,
) -> WalkForward:
    """Optimise a strategy on training windows and evaluate each choice on the test window that follows.

    The result depends on bars, spec and seed alone: not on workers, executor, or interruptions.

    Parameters
    ----------
    bars : Bars
    strategy : str, type of Strategy or Strategy
        The parameter values of an instance are the first trial.
    splitter : Splitter or str
        `Rolling()` or ``"rolling:10,2,1"``, `Expanding`, `Calendar`, `Adaptive`, or any object with their methods.
    trials : int
        Parameter sets per fold.
    search : {"tpe", "random", "grid", "sobol"}, an Optuna sampler, or a callable that makes one from a seed
    seed : int
    params, space : dict, optional
        Fixed values, and search ranges instead of the declared ones: ``{"fast": (5, 20)}``.
    costs, sizing, cash, fill
        As in `backtest`.
    select : names of metrics in order (also ``"sharpe_ratio,vwr"``), a mapping of weights, or a Selection
    warm_start : bool
        Try the previous fold's choice early in each fold; folds then run one after the other.
    pruner : optuna pruner, optional
        With an Optuna sampler: sees the score on the first quarter and half of the training window.
    workers : int, optional
        Maximum number of workers; by default all cores.
    executor : {"serial", "threads", "processes"}, dask.distributed.Client or an object with ``submit``, optional
        By default, whichever suits the work.
    runs_dir : path, optional
        Store the run here: an existing run is loaded, an interrupted one resumed at the first missing fold.
    progress : bool, listener or a list of both, optional
        True shows a bar of trials with rate and time left, also in a list: ``[True, ms.MLflow(url)]``. Absent, a
        notebook shows it for work over a second.
    cancel : threading.Event, optional
        Set it to stop; `RunCancelled` is raised, and finished folds are kept.
    force : bool
        Recompute a run that exists.
    accept_defects : bool
        Run even on data in which `bars.quality()` finds a fatal defect; the result's notes say so.
    command : str, optional
        Shell command that reproduces the run, recorded in the manifest with the Python code.

    Raises
    ------
    BarsError
        The data has a fatal defect, and it was not accepted.
    SettingsError, SplitError, ParameterError, StrategyError, RunError, RunCancelled
        The message says what was received, what is allowed and what to do. Errors inside a fold stay with the fold.
    """
    run = prepare(
        bars, strategy, splitter=splitter, trials=trials, search=search, seed=seed, params=params, space=space,
        costs=costs, sizing=sizing, cash=cash, fill=fill, select=select, warm_start=warm_start, pruner=pruner,
    )  # fmt: skip
    listeners = ev.listeners_of(progress)
    check(executor, workers)  # before anything is written
    store = None if runs_dir is None else RunStore(Path(runs_dir) / run.id)
    if store is not None and not force and store.status() == "done":
        return run.load(store, listeners)
    run.look_for_defects(accept_defects)
    with store.locked() if store is not None else nullcontext():
        if store is not None and not force and store.status() == "done":  # by another process, a moment ago
            return run.load(store, listeners)
        return run.execute(store, workers, executor, listeners, cancel or threading.Event(), force, command)


class Planned:
    """A walk-forward that was checked but not run.

    Attributes
    ----------
    id : str
        Id that the run will have.
    spec : RunSpec
        Specification of the run.
    folds, trials : int
        Number of folds, and of parameter sets per fold.
    """

    def __init__(self, run: PreparedRun) -> None:
        self._run = run
        self.id, self.spec = run.id, run.spec
        self.folds, self.trials = len(run.windows), run.plan.trials

    def estimate(self) -> float:
        """Estimated time on one core [s], from the time of one parameter set."""
        run = self._run  # twice: the first time, code may be compiled
        return min(work_of_folds(run.plan, run.bars, run.windows).seconds for _ in range(2))

    def __repr__(self) -> str:
        return f"Planned({self.id}: {self.folds} folds, {self.trials:,} trials each)"


def plan(
    bars: Bars,
    strategy: str | Strategy | type[Strategy],
    *,
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
    accept_defects: bool = False,
) -> Planned:
    """Check the settings of `walk_forward` and return the id of the run and an estimate of its time; nothing runs.

    Parameters
    ----------
    bars, strategy, splitter, trials, search, seed, params, space, costs, sizing, cash, fill, select, warm_start, \
    pruner, accept_defects
        As in `walk_forward`.

    Raises
    ------
    MaestroError
        As `walk_forward` raises before the first fold.
    """
    run = prepare(
        bars, strategy, splitter=splitter, trials=trials, search=search, seed=seed, params=params, space=space,
        costs=costs, sizing=sizing, cash=cash, fill=fill, select=select, warm_start=warm_start, pruner=pruner,
    )  # fmt: skip
    run.look_for_defects(accept_defects)
    return Planned(run)


def prepare(
    bars: Bars, strategy: str | Strategy | type[Strategy], *, splitter: Splitter | str = "rolling:10,2,1",
    trials: int = 100, search: Any = "tpe", seed: int = 0, params: dict[str, Any] | None = None,
    space: dict[str, Any] | None = None, costs: Costs | None = None, sizing: Sizing | str = "percent:1.0",
    cash: float = 100_000.0, fill: Fill = "next_open", select: Select = ("sharpe_ratio", "vwr"),
    warm_start: bool = False, pruner: Any = None,
) -> PreparedRun:  # fmt: skip
    """Check the settings of a walk-forward and compute its id; nothing is run or written yet.

    Parameters and errors as in `walk_forward`.
    """
    return PreparedRun(
        bars, strategy, splitter_of(splitter), trials, search, seed, params, space, costs or Costs(),
        Sizing.of(sizing), cash, fill, Selection.of(select), warm_start, pruner,
    )  # fmt: skip


class PreparedRun:
    """One walk-forward from its settings to its result; made by `prepare`."""

    def __init__(
        self, bars: Bars, strategy: Any, splitter: Splitter, trials: int, search: Any, seed: int,
        params: dict[str, Any] | None, space: dict[str, Any] | None, costs: Costs, sizing: Sizing, cash: float,
        fill: Fill, selection: Selection, warm_start: bool, pruner: Any,
    ) -> None:  # fmt: skip
        if not isinstance(bars, Bars):
            raise SettingsError(f"bars is a {type(bars).__name__}; give ms.Bars (ms.load, ms.Bars.from_frame).")
        cls, fixed = strategy_class(strategy, params)
        check_seed(seed)
        if isinstance(trials, bool) or not isinstance(trials, (int, np.integer)) or trials < 1:
            raise SettingsError(f"trials={trials!r} leaves nothing to search; give a whole number of at least 1.")
        if isinstance(search, str) and search not in METHODS:
            from maestro.errors import nearest

            raise SettingsError(
                f"search={search!r} is unknown; allowed: {', '.join(METHODS)}, or an Optuna sampler."
                + nearest(search, METHODS)
            )
        if pruner is not None and isinstance(search, str):
            raise SettingsError(
                f"a pruner does not work with search={search!r}; give an Optuna sampler, like "
                "search=optuna.samplers.TPESampler(), or leave the pruner out."
            )
        if not isinstance(search, str):
            from maestro.search.optuna_search import seeded

            seeded(search, seed)  # refuses what is not a sampler before any fold starts
        searched = Space(cls, fixed, space)
        first: tuple[dict[str, Any], ...] = ()
        if isinstance(strategy, Strategy):
            first = (searched.check({name: strategy.params[name] for name in searched.names}),)
        SimulationSettings(costs, sizing, cash, fill).check(bars, cls, fixed)
        self.bars, self.splitter, self.warm_start = bars, splitter, warm_start
        self.accepted: list[str] = []
        self.windows = self._split(lambda: checked(splitter.split(bars), len(bars)), "windows")
        self.plan = Plan(
            cls, searched, search, int(trials), int(seed), selection, costs, sizing, float(cash), fill, first, pruner
        )
        self.spec = run_spec(self.plan, bars, splitter, self.windows, warm_start=warm_start)
        self.id = run_id(self.spec.to_dict())

    def _split(self, compute: Callable[[], list[T]], what: str) -> list[T]:
        """Windows of a splitter on these bars, computed once for all strategies that are run on them."""
        if type(self.splitter) not in SPLITTERS.values():  # a user-defined one may have state
            return compute()
        return list(self.bars.cached((what, self.splitter), compute))

    def look_for_defects(self, accept: bool) -> None:
        """Refuse data with fatal defects, or note that they were accepted."""
        fatal = "; ".join(f"{f.check}: {f.examples}" for f in self.bars.quality().findings if f.severity == "fatal")
        if not fatal:
            return
        if not accept:
            raise BarsError(
                f"{self.bars.name} has fatal defects ({fatal}), see bars.quality(): fill or cut them "
                "(bars.between), or run on them all the same with accept_defects=True (--accept-defects)."
            )
        self.accepted = [f"The data has fatal defects, which were accepted: {fatal}."]

    def _left_out(self) -> list[str]:
        shortest = min(w.train_stop - w.train_start for w in self.windows)
        splitter = self.splitter
        windows = self._split(lambda: splitter.notes(self.bars), "window notes") if hasattr(splitter, "notes") else []
        return [*windows, *left_out_note(self.plan.space, shortest, "bars of the shortest training window")]

    def _python(self) -> str:
        cls = self.plan.strategy
        declared = recorded_space(Space(cls, self.plan.space.fixed))
        return python_lines(self.spec, self.bars.origin, declared, is_named(cls))

    def execute(
        self, store: RunStore | None, workers: int | None, executor: Any, listeners: Sequence[ev.Listener],
        cancel: threading.Event, force: bool, command: str | None,
    ) -> WalkForward:  # fmt: skip
        """Run the missing folds, store each as it finishes, and build the result."""
        book = Recorder(self.bars, "walk_forward", strategy=self.spec.strategy, source=self.spec.source, run=self.id)
        everyone: list[ev.Listener] = [book, *listeners]

        def tell(event: ev.Event) -> None:
            for listener in everyone:
                listener(event)

        started = time.perf_counter()
        notes = [*self.accepted, *self._left_out()]
        cuts = self.splitter.cuts(self.bars) if isinstance(self.splitter, OnRegime) else []
        manifest: dict[str, Any] = {
            "id": self.id,
            "spec": self.spec.to_dict(),
            "n_folds": len(self.windows),
            "started": datetime.now(UTC).isoformat(timespec="seconds"),
            "versions": versions(),
            "python": self._python(),
            **({"command": command} if command else {}),
            **({"cuts": [cut.to_dict() for cut in cuts]} if cuts else {}),
        }
        done: dict[int, FoldTables] = {}
        if store is not None:
            store.begin(manifest, afresh=force)
            done = self._kept(store, notes)
        tell(ev.RunStarted(self.id, self.spec.title, len(self.windows), self.plan.trials, len(done)))
        jobs = [(k, w) for k, w in enumerate(self.windows) if k not in done]

        def keep(outcome: Outcome) -> None:
            tell(trials_evaluated(jobs[outcome.number][0], outcome))  # first: a stored fold is never counted again
            if not outcome.finished:
                return
            result = outcome.value
            done[result.fold] = fold_tables(result, self.bars, self.plan.space, self.plan.cash)
            if store is not None:
                store.write_fold(result.fold, *done[result.fold])
            tell(ev.FoldDone(result.fold, len(result.trials), result.error))

        def count(outcome: Outcome) -> None:  # a listener or the disk failed: nothing more is stored or reported
            book(trials_evaluated(jobs[outcome.number][0], outcome))

        outcomes = self._outcomes(jobs, done, workers, executor, cancel, tell if listeners else None)

        def so_far(words: str) -> str:
            kept = f"; they are kept in {store.folder}, and the same call goes on from there" if store and done else ""
            return f"{len(done)} of {len(self.windows)} folds{words}{kept}."

        try:
            handle_all(outcomes, keep, count)
        except RunCancelled as stop:
            tell(ev.RunStopped(self.id, len(done), "cancelled"))
            raise RunCancelled(f"cancelled after {so_far('')}") from stop
        except KeyboardInterrupt as stop:
            tell(ev.RunStopped(self.id, len(done), "interrupted"))
            raise RunInterrupted(f"interrupted after {so_far('')}") from stop
        except BaseException as error:
            tell(ev.RunStopped(self.id, len(done), str(error)))
            if isinstance(error, RunError) and store is not None:
                raise RunError(f"{error} {so_far(' are finished')}") from error
            raise
        book.close()
        notes += book.notes
        if book.mark:
            manifest["ledger"] = book.mark
        tables = assemble([done[k] for k in sorted(done)], self.plan.cash)
        notes += [note for k in sorted(done) for note in done[k][0]["notes"]]
        manifest["notes"] = list(dict.fromkeys(notes))
        manifest["quality"] = self.bars.quality().records()
        manifest["calendar"] = {"text": self.bars.calendar.text, "days_per_year": self.bars.calendar.days_per_year}
        wf = WalkForward({**manifest, "status": "done"}, tables, store.folder if store else None)
        manifest["metrics"] = {name: value if math.isfinite(value) else None for name, value in wf.metrics.items()}
        seconds = manifest["seconds"] = round(time.perf_counter() - started, 3)
        wf.manifest = store.finish(manifest, tables) if store else {**manifest, "status": "done"}
        self.alive(wf)
        tell(ev.RunDone(self.id, seconds, wf))
        return wf

    def load(self, store: RunStore, listeners: Sequence[ev.Listener]) -> WalkForward:
        """Load the finished run, and notify the listeners that it is done."""
        wf = self.alive(load_stored(store))
        for listener in listeners:
            listener(ev.RunDone(self.id, 0.0, wf))
        return wf

    def alive(self, wf: WalkForward) -> WalkForward:
        """Attach bars and plan to a result, for later computations."""
        wf.bars, wf.plan = self.bars, self.plan
        return wf

    def _outcomes(
        self, jobs: Sequence[Job], done: dict[int, FoldTables], workers: int | None, executor: Any,
        cancel: threading.Event, tell: ev.Listener | None,
    ) -> Generator[Outcome, None, None]:  # fmt: skip
        def on_trial(fold: int, trial: Trial) -> None:
            if tell is not None:
                tell(ev.TrialDone(fold, trial.number, trial.state))

        def warm(fold: int) -> list[dict[str, Any]]:
            before = done[fold - 1][0]["row"] if fold else None
            return [] if before is None or before["error"] else [{n: before[n] for n in self.plan.space.names}]

        return run_folds(
            self.plan, self.bars, jobs, workers=workers, executor=executor, cancel=cancel,
            on_trial=None if tell is None else on_trial, warm=warm if self.warm_start else None,
        )  # fmt: skip

    def _kept(self, store: RunStore, notes: list[str]) -> dict[int, FoldTables]:
        found = {}
        for fold in store.finished_folds():
            if fold >= len(self.windows):
                continue
            try:
                found[fold] = store.read_fold(fold)
            except UnusableFold as why:
                notes.append(f"The file of fold {fold} {why}; the fold was computed again.")
        if self.warm_start:  # a gap would break the chain
            found = {k: v for k, v in found.items() if all(j in found for j in range(k))}
        return found
