"""Executors of this process: a serial one begins nothing after an error, threads end with the last task."""

from __future__ import annotations

import threading

import pytest

from maestro.errors import RunCancelled
from maestro.execution.local import Serial, Threads
from maestro.execution.protocol import (
    Task,
    TaskContext,
    results_of,
    run_tasks,
)
from tests.execution.tasks import fail


def test_a_serial_executor_begins_nothing_after_an_error_or_a_cancellation() -> None:
    begun: list[int] = []

    def step(shared: None, context: TaskContext, number: int) -> int:
        begun.append(number)
        if number == 2:
            cancel.set()
        return number

    cancel = threading.Event()
    with pytest.raises(RunCancelled):
        list(run_tasks(Serial(), [Task(step, (k,)) for k in range(5)], cancel=cancel))
    assert begun == [0, 1, 2]
    begun.clear()
    with pytest.raises(ValueError, match="no"):
        list(run_tasks(Serial(), [Task(step, (0,)), Task(fail, (ValueError("no"),)), Task(step, (1,))]))
    assert begun == [0]


def test_a_cancellation_that_comes_after_the_last_task_ends_nothing() -> None:
    cancel = threading.Event()

    def last(shared: None, context: TaskContext) -> str:
        cancel.set()
        return "done"

    assert results_of(run_tasks(Serial(), [Task(last)], cancel=cancel)) == ["done"]
    assert results_of(run_tasks(Threads(1), [Task(last)], cancel=threading.Event())) == ["done"]
