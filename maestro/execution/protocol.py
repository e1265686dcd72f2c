"""Tasks, executors and outcomes, and the loop that runs tasks to their end."""

from __future__ import annotations

import pickle
import threading
import traceback
from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, Future, wait
from dataclasses import dataclass, replace
from itertools import chain
from typing import Any, Protocol, TypeAlias, runtime_checkable

from maestro.errors import MaestroError, RunCancelled, RunError

_POLL = 0.1
"""Seconds between two looks at the caller's event."""


@dataclass(frozen=True, slots=True)
class Task:
    """One call ``function(shared, context, *arguments)``.

    Parameters
    ----------
    function : callable
        Defined at the top level of a module, so that it can be sent to another process.
    arguments : tuple
    part : callable, optional
        ``part(shared, *arguments)`` returns the part of the shared object that this task needs and the arguments
        that go with it. Used by executors that cannot keep the shared object on their workers.
    """

    function: Callable[..., Any]
    arguments: tuple[Any, ...] = ()
    part: Callable[..., tuple[Any, tuple[Any, ...]]] | None = None


Cancelled: TypeAlias = Callable[[], bool]
Report: TypeAlias = Callable[[int, Any], None]


class TaskContext:
    """The context of a running task: what it gets in addition to its arguments.

    Attributes
    ----------
    cancelled : callable
        Whether the task is to stop. A task asks often and then raises `RunCancelled`.
    notes : list
        What is done so far. It reaches the caller if the task stops early or fails.
    """

    __slots__ = ("_number", "_report", "cancelled", "notes")

    def __init__(self, number: int = 0, cancelled: Cancelled = bool, report: Report | None = None) -> None:
        self._number, self._report, self.cancelled = number, report, cancelled
        self.notes: list[Any] = []

    def report(self, progress: Any) -> None:
        """Tell the caller how far the task is, if the executor can (see `Executor.reports`)."""
        if self._report is not None:
            self._report(self._number, progress)


@dataclass(frozen=True, slots=True)
class Outcome:
    """The outcome of a task.

    Attributes
    ----------
    number : int
        Position of the task, from 0.
    value : object
        What it returned; None if it did not finish.
    error : BaseException or None
        Why it did not finish: `RunCancelled` if it was asked to stop.
    notes : tuple
        What it had done when it stopped (see `TaskContext.notes`); empty if it finished.
    """

    number: int
    value: Any = None
    error: BaseException | None = None
    notes: tuple[Any, ...] = ()

    @property
    def finished(self) -> bool:
        """Whether there is a value."""
        return self.error is None


@runtime_checkable
class Executor(Protocol):
    """Where tasks run. An object serves one call of `run_tasks` at a time and may be used again.

    Attributes
    ----------
    workers : int
        How many tasks run at the same time, at least 1; an estimate if somebody else decides.
    at_once : int or None
        How many tasks it takes at a time; None: any number, which it queues itself.
    reports : bool
        Whether `TaskContext.report` reaches the caller.
    """

    @property
    def workers(self) -> int: ...

    @property
    def at_once(self) -> int | None: ...

    @property
    def reports(self) -> bool: ...

    def start(self, shared: Any, cancelled: Cancelled, report: Report | None) -> None:
        """Get ready to run tasks that share an object.

        Tasks stop once `cancelled` returns True, or `cancel` was called. `report` is called with a task's number
        and what it reports, possibly in another thread.
        """

    def submit(self, number: int, task: Task) -> Future[Outcome]:
        """Run a task (see `perform`). An exception of the future is a failure of the executor, not of the task."""

    def cancel(self) -> None:
        """Drop the tasks that have not begun (their futures become cancelled), and tell the others to stop."""

    def close(self) -> None:
        """Release what `start` acquired, even if it failed; no task runs then, unless the user interrupted twice."""


def perform(
    number: int, function: Callable[..., Any], arguments: tuple[Any, ...], shared: Any, cancelled: Cancelled = bool,
    report: Report | None = None,
) -> Outcome:  # fmt: skip
    """Run a task here and return what became of it."""
    context = TaskContext(number, cancelled, report)
    try:
        return Outcome(number, function(shared, context, *arguments))
    except BaseException as error:
        return Outcome(number, error=error, notes=tuple(context.notes))


def portable(outcome: Outcome) -> Outcome:
    """Return an outcome whose error can be sent to another process.

    A traceback cannot, so its text becomes a note of the error; an error that pickle does not restore becomes a
    `RunError` with its class and message.
    """
    error = outcome.error
    if error is None:
        return outcome
    if not isinstance(error, MaestroError):
        error.add_note("In the worker:\n" + "".join(traceback.format_exception(error)).rstrip())
    try:
        pickle.loads(pickle.dumps(error))
    except Exception:  # whatever its class does when it is restored
        return replace(outcome, error=RunError(f"a worker raised {type(error).__name__}: {error}"))
    return outcome


def run_tasks(
    executor: Executor,
    tasks: Iterable[Task],
    shared: Any = None,
    *,
    cancel: threading.Event | None = None,
    report: Report | None = None,
    at_once: int | None = None,
) -> Generator[Outcome, None, None]:
    """Run tasks and yield the outcome of each as it ends, in no defined order.

    After a cancellation, the first error of a task, or an error that the caller throws in (`handle_all`), no task
    begins any more. Those that run are asked to stop and waited for, and their outcomes are yielded too. Then the
    error is raised. A generator that is closed early stops and waits in the same way, without their outcomes.

    Parameters
    ----------
    executor : Executor
    tasks : iterable of Task
        Taken one by one: with ``at_once=1`` a task may be made from the outcome before.
    shared : object
        First argument of every task; it reaches each worker once.
    cancel : threading.Event, optional
        Read, never set.
    report : callable, optional
        Gets the number of a task and what it reports.
    at_once : int, optional
        How many tasks may be in progress; fewer than the executor would take.

    Raises
    ------
    RunCancelled
        `cancel` was set before everything was done.
    RunError
        A worker process died.
    """
    stop = cancel or threading.Event()
    numbered = enumerate(tasks)
    limit = min((n for n in (executor.at_once, at_once) if n is not None), default=None)
    running: dict[Future[Outcome], int] = {}
    ready: deque[Outcome] = deque()
    reason: BaseException | None = None
    more, stopping, lost = True, False, False
    try:
        executor.start(shared, stop.is_set, report)
        while True:
            try:
                if ready:
                    outcome = ready.popleft()
                    if not outcome.finished:
                        lost = True
                        if reason is None:
                            asked_to = isinstance(outcome.error, RunCancelled) and stop.is_set()
                            reason = _cancelled() if asked_to else outcome.error
                    yield outcome
                    continue
                while reason is None and more and (limit is None or len(running) < limit):
                    task = next(numbered, None)
                    if task is None:
                        more = False
                    elif stop.is_set():
                        reason, lost = _cancelled(), True
                    else:
                        running[executor.submit(*task)] = task[0]
                if reason is None and running and stop.is_set():
                    reason = _cancelled()
                if reason is not None and not stopping:
                    stopping = True
                    executor.cancel()
                for future in [future for future in running if future.cancelled()]:
                    lost = True
                    del running[future]
                if not running:
                    lost = lost or (more and next(numbered, None) is not None)
                    break
                ended, _ = wait(running, timeout=_POLL, return_when=FIRST_COMPLETED)
                outcomes = [_outcome(future, running.pop(future)) for future in ended if not future.cancelled()]
                ready.extend(sorted(outcomes, key=lambda o: not o.finished))  # finished ones before an error ends all
            except GeneratorExit:
                executor.cancel()
                wait([future for future in running if not future.cancelled()])
                raise
            except BaseException as error:
                if stopping:  # a second interruption: the user does not want to wait
                    executor.cancel()
                    raise
                lost = True
                if reason is None:
                    reason = error
    finally:
        executor.close()
    if reason is not None and lost:
        raise reason


def handle_all(
    outcomes: Generator[Outcome, None, None],
    handle: Callable[[Outcome], None],
    leftover: Callable[[Outcome], None] | None = None,
) -> None:
    """Give every outcome of `run_tasks` to `handle`.

    If `handle` raises, the tasks that run are stopped, their outcomes go to `leftover`, and the error is raised.
    """
    try:
        for outcome in outcomes:
            handle(outcome)
    except BaseException as error:
        for outcome in chain([outcomes.throw(error)], outcomes):  # raises the error again at the end
            if leftover is not None:
                leftover(outcome)


def results_of(outcomes: Generator[Outcome, None, None], progress: Callable[[int], None] | None = None) -> list[Any]:
    """Return the tasks' values in order; `progress` is called with 1 for each that is finished."""
    found: dict[int, Any] = {}
    for outcome in outcomes:
        if outcome.finished:
            found[outcome.number] = outcome.value
            if progress is not None:
                progress(1)
    return [found[number] for number in sorted(found)]


def _cancelled() -> RunCancelled:
    return RunCancelled("cancelled.")


def _outcome(future: Future[Outcome], number: int) -> Outcome:
    error = future.exception()
    if error is None:
        return future.result()
    if isinstance(error, BrokenExecutor):  # loky's and the standard library's
        died = RunError(
            f"a worker process died ({str(error).strip().splitlines()[0]}); the system may have ended it because "
            "memory ran out: run again with fewer workers."
        )
        died.__cause__ = error
        return Outcome(number, error=died)
    return Outcome(number, error=error)
