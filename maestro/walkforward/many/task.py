"""One walk-forward as a task of an executor: computed whole on a worker, stored and counted by the caller."""

from __future__ import annotations

import copy
import threading
from collections.abc import Mapping
from typing import Any, NamedTuple, TypeAlias

import polars as pl

from maestro.bars import Bars
from maestro.errors import MaestroError, RunCancelled
from maestro.execution import events as ev
from maestro.execution.protocol import Cancelled, Task, TaskContext
from maestro.ledger import uncounted
from maestro.walkforward.run import PreparedRun

Series: TypeAlias = Mapping[tuple[str, str], Bars]
"""Bars by symbol and timeframe, which each worker gets once."""


class TaskResult(NamedTuple):
    """The result that a worker returns: manifest, tables, and the trials of each fold for the ledger; or the error."""

    manifest: dict[str, Any]
    tables: dict[str, pl.DataFrame]
    events: list[ev.TrialsEvaluated]
    error: str | None = None


def task_of(run: PreparedRun, key: tuple[str, str], command: str | None) -> Task:
    """Return the task of a prepared run, whose bars the workers have."""
    bare = copy.copy(run)
    del bare.bars
    return Task(walk, (bare, key, command), _part)


def walk(
    series: Series, context: TaskContext, bare: PreparedRun, key: tuple[str, str], command: str | None
) -> TaskResult:
    """Run a walk-forward; its error is its result and does not affect the others."""
    run = copy.copy(bare)
    run.bars = series[key]
    events: list[ev.TrialsEvaluated] = []

    def note(event: ev.Event) -> None:
        if isinstance(event, ev.TrialsEvaluated):
            events.append(event)
            context.notes.append(event)

    try:
        with uncounted("the caller enters them"):
            wf = run.execute(None, None, "serial", [note], _Asked(context.cancelled), False, command)
    except RunCancelled:
        raise
    except MaestroError as error:
        return TaskResult({}, {}, events, str(error))
    except Exception as error:  # user code outside of trials, such as a splitter or a selection
        return TaskResult({}, {}, events, f"{type(error).__name__}: {error}")
    tables = {"folds": wf.folds, "trials": wf.trials, "equity": wf.equity, "trades": wf.trades}
    return TaskResult(wf.manifest, tables, events)


class _Asked(threading.Event):
    """An event that is set when a function returns True."""

    def __init__(self, cancelled: Cancelled) -> None:
        super().__init__()
        self._cancelled = cancelled

    def is_set(self) -> bool:
        """Whether to stop."""
        return self._cancelled()


def _part(series: Series, bare: PreparedRun, key: tuple[str, str], command: str | None) -> tuple[Series, Any]:
    """Only the bars of this task."""
    return {key: series[key]}, (bare, key, command)
