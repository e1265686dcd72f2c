"""One task runs in this process while worker processes run the others."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from maestro.execution.mixed import Mixed
from maestro.execution.protocol import Task, TaskContext, results_of, run_tasks
from tests.execution.tasks import add, fail


def meet(shared: object, context: TaskContext, folder: Path, name: str, others: int) -> tuple[int, int]:
    """Process and identity of the shared object, once so many tasks of the folder have begun."""
    (folder / name).touch()
    while len(list(folder.iterdir())) < others:
        time.sleep(0.002)
    return os.getpid(), id(shared)


def test_one_task_runs_here_with_the_object_itself_and_the_others_in_processes(tmp_path: Path) -> None:
    shared = object()
    found = results_of(run_tasks(Mixed(3), [Task(meet, (tmp_path, name, 3)) for name in "abc"], shared))
    here = [place for process, place in found if process == os.getpid()]
    assert here == [id(shared)]
    assert len({process for process, _ in found}) == 3


def test_tasks_go_to_whoever_is_idle(tmp_path: Path) -> None:
    """Pairs that wait for each other: if two tasks of a pair stood in one queue, they would wait for ever."""
    pairs = []
    for k in range(6):
        folder = tmp_path / str(k)
        folder.mkdir()
        pairs += [Task(meet, (folder, name, 2)) for name in "ab"]
    found = results_of(run_tasks(Mixed(2), pairs))
    assert [process for process, _ in found].count(os.getpid()) == 6


def test_an_executor_takes_no_more_tasks_than_it_has_workers() -> None:
    executor = Mixed(2)
    outcomes = run_tasks(executor, [Task(add, (k,)) for k in range(5)], 0)
    next(outcomes)
    assert executor.at_once == 2
    assert len(list(outcomes)) == 4


def test_an_error_keeps_its_class_and_message_wherever_it_was_raised() -> None:
    for number in (0, 1):  # the first goes to a process, the second stays here
        tasks = [Task(add, (1,)), Task(add, (2,))]
        tasks[number] = Task(fail, (ZeroDivisionError("by zero"),))
        with pytest.raises(ZeroDivisionError, match="by zero"):
            list(run_tasks(Mixed(2), tasks, 0))
