"""A walk-forward as a task: sent without its bars, and its error is a value."""

from __future__ import annotations

import pickle
from typing import Any

import pytest

import maestro as ms
from maestro.execution.protocol import TaskContext
from maestro.walkforward.many.task import task_of, walk
from maestro.walkforward.run import prepare


class Broken:
    """A splitter whose notes fail."""

    def split(self, bars: Any) -> Any:
        return ms.Rolling(3, 1, 1).split(bars)

    def notes(self, bars: Any) -> Any:
        raise ZeroDivisionError("oh")


def test_a_task_is_small_and_its_part_has_only_its_own_bars() -> None:
    bars = ms.synthetic_bars(20_000, timeframe="1h")
    run = prepare(bars, "RSIStrategy", splitter="rolling:3,1,1", trials=2)
    task = task_of(run, ("A", "1h"), None)
    assert len(pickle.dumps(task)) < 20_000
    assert task.part is not None
    series, arguments = task.part({("A", "1h"): bars, ("B", "1h"): bars}, *task.arguments)
    assert list(series) == [("A", "1h")]
    assert arguments == task.arguments
    assert run.bars is bars


def test_an_error_outside_of_trials_is_a_value() -> None:
    bars = ms.synthetic_bars(300, timeframe="1d")
    task = task_of(prepare(bars, "RSIStrategy", splitter=Broken(), trials=2), ("A", "1d"), None)  # type: ignore[arg-type]
    found = walk({("A", "1d"): bars}, TaskContext(), *task.arguments)
    assert found.error == "ZeroDivisionError: oh"
    assert not found.tables


def test_trials_are_left_to_the_caller_to_count() -> None:
    bars = ms.synthetic_bars(300, 5, "1d")
    task = task_of(prepare(bars, "RSIStrategy", splitter="rolling:3,1,1", trials=2, seed=5), ("A", "1d"), None)
    before = ms.Ledger(bars).n_trials
    context = TaskContext()
    found = walk({("A", "1d"): bars}, context, *task.arguments)
    assert ms.Ledger(bars).n_trials == before
    assert [event.fold for event in found.events] == [0, 1, 2] or len(found.events) == len(found.tables["folds"])
    assert context.notes == found.events


def test_a_cancellation_is_raised() -> None:
    bars = ms.synthetic_bars(300, 5, "1d")
    task = task_of(prepare(bars, "RSIStrategy", splitter="rolling:3,1,1", trials=2), ("A", "1d"), None)
    with pytest.raises(ms.errors.RunCancelled):
        walk({("A", "1d"): bars}, TaskContext(0, lambda: True), *task.arguments)
