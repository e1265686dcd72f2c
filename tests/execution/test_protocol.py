"""Every outcome is yielded once, whatever ends the work, and then the reason is raised."""

from __future__ import annotations

import pickle
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import pytest

from maestro.errors import RunCancelled, RunError
from maestro.execution.distributed import Submitting
from maestro.execution.local import Serial, Threads
from maestro.execution.mixed import Mixed
from maestro.execution.processes import Processes
from maestro.execution.protocol import (
    Executor,
    Outcome,
    Task,
    handle_all,
    perform,
    portable,
    results_of,
    run_tasks,
)
from tests.execution import tasks
from tests.execution.tasks import add, fail, fail_after, until_cancelled, wait_for

LOCAL = ("serial", "threads", "processes", "mixed")


def executor(kind: str, workers: int = 2) -> Executor:
    kinds: dict[str, Callable[[], Executor]] = {
        "serial": Serial, "threads": lambda: Threads(workers), "processes": lambda: Processes(workers),
        "mixed": lambda: Mixed(workers),
    }  # fmt: skip
    return kinds[kind]()


def collected(
    outcomes: Iterator[Outcome], look: Callable[[Outcome], None] | None = None
) -> tuple[list[Outcome], BaseException | None]:
    """All outcomes, and the error behind them."""
    found = []
    try:
        for outcome in outcomes:
            found.append(outcome)
            if look is not None:
                look(outcome)
    except BaseException as error:
        return found, error
    return found, None


@pytest.mark.parametrize("kind", LOCAL)
def test_every_outcome_is_yielded_once_with_its_number(kind: str) -> None:
    made = executor(kind)
    outcomes = list(run_tasks(made, [Task(add, (k,)) for k in range(7)], 100))
    assert sorted((o.number, o.value) for o in outcomes) == [(k, 100 + k) for k in range(7)]
    assert all(o.finished and o.notes == () for o in outcomes)
    assert results_of(run_tasks(made, [Task(add, (k,)) for k in range(5)], 10)) == [10, 11, 12, 13, 14]  # used again


@pytest.mark.parametrize("kind", LOCAL)
def test_no_tasks_are_no_outcomes(kind: str) -> None:
    assert list(run_tasks(executor(kind), [], None)) == []


@pytest.mark.parametrize("kind", ["serial", "threads"])
def test_reports_reach_the_caller_with_the_number_of_their_task(kind: str) -> None:
    heard: list[tuple[int, Any]] = []
    made = executor(kind)
    assert made.reports
    list(run_tasks(made, [Task(add, (10 * k,)) for k in range(4)], 0, report=lambda *reported: heard.append(reported)))
    assert sorted(heard) == [(0, 0), (1, 10), (2, 20), (3, 30)]


@pytest.mark.parametrize("kind", ["threads", "processes", "mixed"])
def test_running_tasks_stop_on_request_and_return_what_they_did(tmp_path: Path, kind: str) -> None:
    cancel = threading.Event()
    made = executor(kind)
    names = "ab" if made.at_once is None else "a"  # without a queue no task begins while an outcome is handled
    begun = [Task(add, (1,)), *(Task(until_cancelled, (tmp_path, name)) for name in names)]

    def cancelling(outcome: Outcome) -> None:
        if outcome.number == 0:
            for name in names:
                wait_for(tmp_path / name)
            cancel.set()

    work = [*begun, *[Task(add, (k,)) for k in range(50)]]
    outcomes, error = collected(run_tasks(made, work, 0, cancel=cancel), cancelling)
    assert isinstance(error, RunCancelled)
    stopped = {o.number: o for o in outcomes if not o.finished}
    assert set(range(1, len(begun))) <= stopped.keys()
    for number, name in enumerate(names, start=1):
        assert isinstance(stopped[number].error, RunCancelled)
        assert set(stopped[number].notes) == {f"step of {name}"}
    assert len({o.number for o in outcomes}) == len(outcomes)


@pytest.mark.parametrize("kind", ["threads", "processes", "mixed"])
def test_the_first_error_stops_the_others_and_is_raised_with_all_outcomes_yielded(tmp_path: Path, kind: str) -> None:
    work = [
        Task(until_cancelled, (tmp_path, "a")),
        Task(fail_after, (tmp_path / "a", KeyError("broken"))),
        Task(until_cancelled, (tmp_path, "b")),
    ]
    outcomes, error = collected(run_tasks(executor(kind), work, 0))
    assert isinstance(error, KeyError)
    found = {o.number: o for o in outcomes}
    assert isinstance(found[1].error, KeyError)
    assert found[1].notes == (0, 1)
    assert isinstance(found[0].error, RunCancelled)


def test_one_at_a_time_each_task_may_be_made_from_the_outcome_before() -> None:
    sums = [1]

    def growing() -> Iterator[Task]:
        for _ in range(5):
            yield Task(add, (sums[-1],))

    sums.extend(outcome.value + 1 for outcome in run_tasks(Threads(3), growing(), 0, at_once=1))
    assert sums == [1, 2, 3, 4, 5, 6]


@pytest.mark.parametrize("kind", ["threads", "processes", "mixed"])
def test_an_error_of_the_handler_leaves_no_outcome_unhandled(tmp_path: Path, kind: str) -> None:
    handled: list[int] = []
    left: list[Outcome] = []

    def handle(outcome: Outcome) -> None:
        handled.append(outcome.number)
        wait_for(tmp_path / "a")
        raise OSError("the disk is full")

    work = [Task(add, (1,)), Task(until_cancelled, (tmp_path, "a"))]
    with pytest.raises(OSError, match="the disk is full"):
        handle_all(run_tasks(executor(kind), work, 0), handle, left.append)
    assert handled == [0]
    assert [o.number for o in left] == [1]
    assert left[0].notes


@pytest.mark.parametrize("kind", ["threads", "processes", "mixed"])
def test_a_generator_that_is_closed_leaves_nothing_running(tmp_path: Path, kind: str) -> None:
    outcomes = run_tasks(executor(kind), [Task(add, (1,)), Task(until_cancelled, (tmp_path, "a"))], 0)
    assert next(outcomes).value == 1
    wait_for(tmp_path / "a")
    outcomes.close()  # returns when the task has ended
    assert not [t for t in threading.enumerate() if t.name.startswith("task") and t.is_alive() and kind == "processes"]


def test_a_failure_of_the_executor_is_raised_after_what_is_finished() -> None:
    class AllAtOnce:
        """Has every result when it is first asked, but one."""

        def submit(self, function: Any, *args: Any) -> Future[Any]:
            future: Future[Any] = Future()
            outcome = function(*args)
            if outcome.number == 1:
                future.set_exception(ConnectionError("gone"))
            else:
                future.set_result(outcome)
            return future

    outcomes, error = collected(run_tasks(Submitting(AllAtOnce()), [Task(add, (k,)) for k in range(4)], 0))
    assert isinstance(error, ConnectionError)
    assert sorted(o.value for o in outcomes if o.finished) == [0, 2, 3]
    assert [o.number for o in outcomes][-1] == 1


def test_futures_that_are_cancelled_and_never_notified_are_dropped() -> None:
    class Never:
        def submit(self, function: Any, *args: Any) -> Future[Any]:
            return Future()

    cancel = threading.Event()
    threading.Timer(0.05, cancel.set).start()
    with pytest.raises(RunCancelled):
        list(run_tasks(Submitting(Never()), [Task(add, (k,)) for k in range(4)], 0, cancel=cancel))


def test_an_interruption_within_a_task_is_raised_with_what_was_done() -> None:
    outcomes, error = collected(run_tasks(Serial(), [Task(fail, (KeyboardInterrupt(),))]))
    assert isinstance(error, KeyboardInterrupt)
    assert outcomes[0].notes == (0, 1)


@pytest.mark.parametrize("kind", ["awkward", "extra"])
def test_an_error_that_cannot_be_pickled_is_carried_by_its_words(kind: str) -> None:
    outcome = portable(perform(3, tasks.fail_awkwardly, (kind,), None))
    assert isinstance(outcome.error, RunError)
    message = (
        "a worker raised Awkward: this and that" if kind == "awkward" else "a worker raised MissingExtraError: httpx is"
    )
    assert str(outcome.error).startswith(message)
    assert pickle.loads(pickle.dumps(outcome)).number == 3
