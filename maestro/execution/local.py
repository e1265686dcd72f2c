"""Executors of this process: in the calling thread, or on threads."""

from __future__ import annotations

import threading
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

from maestro.execution.protocol import Cancelled, Outcome, Report, Task, perform


class Serial:
    """Runs each task in the calling thread when it is submitted."""

    workers = 1
    at_once = 1
    reports = True

    def start(self, shared: Any, cancelled: Cancelled, report: Report | None) -> None:
        """Keep what tasks get."""
        self._shared, self._cancelled, self._report = shared, cancelled, report

    def submit(self, number: int, task: Task) -> Future[Outcome]:
        """Run a task; the future is done."""
        future: Future[Outcome] = Future()
        future.set_result(perform(number, task.function, task.arguments, self._shared, self._cancelled, self._report))
        return future

    def cancel(self) -> None:
        """Nothing is running when this can be called."""

    def close(self) -> None:
        """Let go of the shared object."""
        self._shared = None


class Threads:
    """Runs tasks on threads: for work in compiled code, which releases the interpreter's lock.

    Parameters
    ----------
    workers : int
        Number of threads.
    pool : ThreadPoolExecutor, optional
        Use this one in place of own threads; it stays open.
    """

    at_once = None
    reports = True

    def __init__(self, workers: int, pool: ThreadPoolExecutor | None = None) -> None:
        self.workers, self._given = workers, pool
        self._pool: ThreadPoolExecutor | None = None
        self._futures: list[Future[Outcome]] = []

    def start(self, shared: Any, cancelled: Cancelled, report: Report | None) -> None:
        """Open the pool."""
        self._shared, self._report = shared, report
        ended = self._ended = threading.Event()  # the caller's event is read, never set
        self._cancelled = lambda: cancelled() or ended.is_set()
        self._pool = self._given or ThreadPoolExecutor(self.workers, thread_name_prefix="task")
        self._futures = []

    def submit(self, number: int, task: Task) -> Future[Outcome]:
        """Queue a task."""
        assert self._pool is not None
        future = self._pool.submit(
            perform, number, task.function, task.arguments, self._shared, self._cancelled, self._report
        )
        self._futures.append(future)
        return future

    def cancel(self) -> None:
        """Drop queued tasks, and tell the others to stop."""
        self._ended.set()
        for future in self._futures:
            future.cancel()

    def close(self) -> None:
        """End own threads."""
        if self._pool is not None and self._pool is not self._given:
            self._pool.shutdown(wait=False)
        self._pool = self._shared = None
        self._futures = []
