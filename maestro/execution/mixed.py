"""Executor of this process and worker processes: tasks run here while the workers start, and go on beside them."""

from __future__ import annotations

from concurrent.futures import Future
from typing import Any

from maestro.execution.local import Threads
from maestro.execution.processes import Processes
from maestro.execution.protocol import Cancelled, Outcome, Report, Task


class Mixed:
    """Runs tasks on a thread of this process and on worker processes, one fewer than workers.

    A process takes a second to start, as it imports what it runs; a thread takes none. Use it where the caller waits
    for the result, as scripts, notebooks and commands do: the thread holds the interpreter's lock most of the time,
    and a server would answer its other visitors late.

    Parameters
    ----------
    workers : int
        At least 2.
    """

    reports = False

    def __init__(self, workers: int) -> None:
        self.workers = self.at_once = workers
        self._here, self._there = Threads(1), Processes(workers - 1)
        self._sent: list[Future[Outcome]] = []

    def start(self, shared: Any, cancelled: Cancelled, report: Report | None) -> None:
        """Start the thread and the processes that are not there yet."""
        self._sent = []
        self._here.start(shared, cancelled, None)
        self._there.start(shared, cancelled, None)

    def submit(self, number: int, task: Task) -> Future[Outcome]:
        """Run a task in a process if one is idle, else here; `run_tasks` submits no more than fit."""
        self._sent = [future for future in self._sent if not future.done()]
        if len(self._sent) == self._there.workers:
            return self._here.submit(number, task)
        future = self._there.submit(number, task)
        self._sent.append(future)
        return future

    def cancel(self) -> None:
        """Tell the running tasks to stop."""
        self._here.cancel()
        self._there.cancel()

    def close(self) -> None:
        """End the thread; the processes stay for a minute."""
        self._here.close()
        self._there.close()
