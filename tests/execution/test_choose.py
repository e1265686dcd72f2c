"""One rule decides where work runs."""

from __future__ import annotations

import math
import os
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from maestro.errors import SettingsError
from maestro.execution import choose as module
from maestro.execution.choose import HEAVY, Work, check, choose
from maestro.execution.distributed import Submitting
from maestro.execution.local import Serial, Threads
from maestro.execution.mixed import Mixed
from maestro.execution.processes import Processes


@pytest.fixture(autouse=True)
def cold(monkeypatch: pytest.MonkeyPatch) -> None:
    """No worker process is running, whatever ran before."""
    monkeypatch.setattr(module, "warm", lambda: False)


@pytest.mark.parametrize(
    ("work", "kind"),
    [(Work(1.0), Serial), (Work(2.0), Mixed), (Work(60.0), Mixed), (Work(60.0, threads=True), Threads),
     (Work(0.1, threads=True), Serial),
     (Work(math.inf), Mixed)],
)  # fmt: skip
def test_little_work_stays_here_and_more_is_shared_out(work: Work, kind: type) -> None:
    assert type(choose(None, 2, 10, work)) is kind


def test_running_processes_are_worth_less_work(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "warm", lambda: True)
    assert type(choose(None, 2, 10, Work(1.0))) is Mixed


def test_a_thread_of_a_server_gives_all_tasks_to_processes_as_does_who_names_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[int] = []
    monkeypatch.setattr(module, "start_early", asked.append)
    with ThreadPoolExecutor(1) as pool:
        assert type(pool.submit(choose, None, 2, 10, HEAVY).result()) is Processes
        assert type(pool.submit(choose, None, 2, 10, Work(2.0)).result()) is Serial  # they would take long to start
        pool.submit(module.prepare, 2, 10, HEAVY).result()
    assert asked == [2]
    assert type(choose("processes", 2, 10, HEAVY)) is Processes


def test_work_is_measured_only_if_it_decides() -> None:
    def measure() -> Work:
        raise AssertionError("measured")

    assert type(choose(None, 1, 10, measure)) is Serial
    assert type(choose("threads", 4, 10, measure)) is Threads
    assert choose("processes", 4, 3, measure).workers == 3  # no more than tasks


def test_executor_objects_are_taken_as_they_are() -> None:
    serial = Serial()
    assert choose(serial, None, 5) is serial
    with ThreadPoolExecutor(1) as pool:
        assert type(choose(pool, None, 5)) is Threads

    class Other:
        def submit(self, *arguments: Any) -> None: ...

    assert type(choose(Other(), None, 5)) is Submitting


@pytest.mark.parametrize(
    ("executor", "workers", "message"),
    [("proceses", None, "executor='proceses' is unknown.*Did you mean 'processes'"), (None, 0, "workers=0 is not"),
     (None, True, "workers=True"), (5, None, r"executor=5 has no submit\(\)")],
)  # fmt: skip
def test_what_is_not_an_executor_is_refused(executor: Any, workers: Any, message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        check(executor, workers)


@pytest.mark.parametrize(
    ("workers", "tasks", "work", "started"),
    [
        (2, 19, Work(2.0), [1]), (None, 19, HEAVY, [3]), (8, 3, Work(2.0), [2]),
        (1, 19, HEAVY, []), (2, 1, HEAVY, []), (2, 0, HEAVY, []), (2, 19, Work(0.9), []), (2, 19, Work(9.0, True), []),
    ],
)  # fmt: skip
def test_processes_are_started_early_where_they_will_be_used(
    workers: int | None, tasks: int, work: Work, started: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[int] = []
    monkeypatch.setattr(module, "start_early", asked.append)
    monkeypatch.setattr(os, "cpu_count", lambda: 4)
    module.prepare(workers, tasks, work)
    assert asked == started
