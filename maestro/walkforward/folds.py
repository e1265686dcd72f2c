"""Folds of a walk-forward as tasks of an executor."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import replace
from typing import Any, TypeAlias

import numpy as np

from maestro.bars import Bars
from maestro.execution.choose import choose
from maestro.execution.events import TrialsEvaluated
from maestro.execution.local import Serial
from maestro.execution.protocol import Outcome, Task, TaskContext, run_tasks
from maestro.metrics import SHARPE
from maestro.search.trials import EVALUATED, Trial
from maestro.typing import Parameters
from maestro.walkforward.effort import work_of_folds
from maestro.walkforward.fold import FoldResult, run_fold
from maestro.walkforward.plan import Plan
from maestro.walkforward.splitters import Window

Job: TypeAlias = tuple[int, Window]
"""Number and window of a fold."""


def run_folds(
    plan: Plan,
    bars: Bars,
    jobs: Sequence[Job],
    *,
    workers: int | None = None,
    executor: Any = None,
    cancel: threading.Event | None = None,
    on_trial: Callable[[int, Trial], None] | None = None,
    warm: Callable[[int], Sequence[Parameters]] | None = None,
) -> Generator[Outcome, None, None]:
    """Yield the outcome of every fold as it ends: a `FoldResult`, or the Sharpe ratios of an interrupted fold's trials.

    Parameters
    ----------
    workers, executor
        As in `maestro.execution.choose.choose`.
    on_trial : callable, optional
        Receives the fold and each finished trial, if the executor reports them.
    warm : callable, optional
        Returns the parameter sets that a fold tries first, known once the previous fold is finished: folds then run
        one after the other.

    Raises
    ------
    RunCancelled, RunError, SettingsError
        See `maestro.execution.protocol.run_tasks`.
    """
    chosen = choose(executor, workers, len(jobs), lambda: work_of_folds(plan, bars, [window for _, window in jobs]))
    if warm is not None and (executor is None or isinstance(executor, str)):
        chosen = Serial()  # nothing can run at the same time

    def tasks() -> Iterator[Task]:
        for fold, window in jobs:
            first = tuple(warm(fold)) if warm is not None else ()
            yield Task(fold_task, (plan, window, fold, first), _part)

    def report(number: int, trial: Trial) -> None:
        if on_trial is not None:
            on_trial(jobs[number][0], trial)

    return run_tasks(
        chosen, tasks(), bars, cancel=cancel, report=None if on_trial is None else report,
        at_once=None if warm is None else 1,
    )  # fmt: skip


def fold_task(
    bars: Bars, context: TaskContext, plan: Plan, window: Window, fold: int, first: Sequence[Parameters] = (),
    absolute: Window | None = None,
) -> FoldResult:  # fmt: skip
    """Run a fold; `absolute` is its window in all bars if only its own bars were sent."""

    def seen(trial: Trial) -> None:
        if trial.state in EVALUATED:
            context.notes.append(math.nan if trial.metrics is None else float(trial.metrics[SHARPE]))
        context.report(trial)

    result = run_fold(plan, bars, window, fold, first=first, cancelled=context.cancelled, on_trial=seen)
    return result if absolute is None else replace(result, window=absolute)


def _part(
    bars: Bars, plan: Plan, window: Window, fold: int, first: Sequence[Parameters]
) -> tuple[Bars, tuple[Any, ...]]:
    """Only the bars of a fold, and its window in them."""
    begin = window.train_start
    inside = Window(*(edge - begin for edge in window))
    return bars[begin : window.test_stop], (plan, inside, fold, first, window)


def trials_evaluated(fold: int, outcome: Outcome) -> TrialsEvaluated:
    """Return the event with the trials that a fold evaluated, even if it failed or was interrupted.

    A failed or infeasible trial does not count, because it gave no number that could have been chosen.
    """
    if not outcome.finished:
        return TrialsEvaluated(len(outcome.notes), np.array(outcome.notes, np.float64), fold, "interrupted")
    result: FoldResult = outcome.value
    sharpes = result.trials["sharpe_ratio"].to_numpy()
    evaluated = int(result.trials["state"].is_in(EVALUATED).sum())
    state = "failed" if result.error else "done"
    return TrialsEvaluated(evaluated, sharpes[np.isfinite(sharpes)], fold, state)
