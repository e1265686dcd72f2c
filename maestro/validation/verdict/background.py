"""A step of a verdict that worker processes do while this process makes the other checks."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from contextvars import copy_context
from typing import Any

from maestro.execution.choose import choose
from maestro.execution.processes import Processes
from maestro.execution.protocol import Task

Work = Callable[[threading.Event, Callable[[int], None]], Any]
"""Takes an event that asks to stop, and what is called with the number of parts that are done."""


class _Either(threading.Event):
    """Set if it is set, or the event of the caller, which is never set here."""

    def __init__(self, other: threading.Event) -> None:
        super().__init__()
        self._other = other

    def is_set(self) -> bool:
        return super().is_set() or self._other.is_set()


class Background:
    """Work on a thread of its own, whose processes start at once; leaving the block ends it.

    Parameters
    ----------
    work : callable
    workers : int
        Processes that it uses.
    cancel : threading.Event
        Read, never set.
    """

    def __init__(self, work: Work, workers: int, cancel: threading.Event) -> None:
        self._work, self._starter, self._stop = work, Processes(workers), _Either(cancel)
        self._parts: list[int] = []
        self._value: Any = None
        self._error: BaseException | None = None
        context = copy_context()  # a verdict counts no trials
        self._thread = threading.Thread(target=lambda: context.run(self._run), name="permutations", daemon=True)

    def __enter__(self) -> Background:
        # Only the main thread can start processes that never see Ctrl-C.
        self._starter.start(None, self._stop.is_set, None)
        self._starter.submit(0, Task(_begin, ()))
        self._thread.start()
        return self

    def _run(self) -> None:
        try:
            self._value = self._work(self._stop, self._parts.append)
        except BaseException as error:  # raised again by `result`
            self._error = error

    def result(self, progress: Callable[[int], None]) -> Any:
        """Wait for the work, and return or raise what it does; `progress` is called on this thread."""
        seen = 0
        while True:
            running = self._thread.is_alive()
            if len(self._parts) > seen:
                progress(sum(self._parts[seen:]))
                seen = len(self._parts)
            if not running:
                break
            self._thread.join(0.05)
        if self._error is not None:
            raise self._error
        return self._value

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()
        self._starter.close()


def beside(
    work: Work, repetitions: Any, workers: int | None, cancel: threading.Event
) -> AbstractContextManager[Background | None]:
    """Begin the repetitions of a permutation test now where processes make them; None where this process does."""
    executor = choose(None, workers, repetitions) if isinstance(repetitions, int) and repetitions else None
    return Background(work, executor.workers, cancel) if isinstance(executor, Processes) else nullcontext()


def _begin(shared: None, context: Any) -> None:
    """Load in a worker what the work needs."""
    import maestro.validation.statistics.permutation  # noqa: F401
