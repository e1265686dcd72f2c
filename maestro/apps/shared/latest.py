"""The newest of several requests, computed step by step on a thread; a newer one cancels the one before."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Any, TypeAlias

Steps: TypeAlias = Callable[[threading.Event], Iterator[Any]]
Step: TypeAlias = Callable[[Any], None]
End: TypeAlias = Callable[[Exception | None], None]


class Latest:
    """Runs requests one at a time and drops those that a newer one has replaced.

    Parameters
    ----------
    deliver : callable, optional
        Takes a function and calls it where the page may be changed. Without it, a request is computed at once, on the
        thread that asks.
    """

    def __init__(self, deliver: Callable[[Callable[[], None]], Any] | None = None) -> None:
        self._deliver = deliver
        self._lock = threading.Lock()
        self._cancel = threading.Event()
        self._next: tuple[Steps, Step, End, threading.Event] | None = None
        self._thread: threading.Thread | None = None

    def ask(self, steps: Steps, step: Step, end: End) -> None:
        """Compute `steps`, in place of what was asked for before.

        Parameters
        ----------
        steps : callable
            Takes an event that is set once the request is replaced, and yields results.
        step : callable
            Called with each result.
        end : callable
            Called at the end with None, or with the error that `steps` raised.
        """
        cancel = threading.Event()
        with self._lock:
            self._cancel.set()
            self._cancel = cancel
            if self._deliver is not None:
                self._next = (steps, step, end, cancel)
                if self._thread is None:
                    self._thread = threading.Thread(target=self._work, name="maestro-latest", daemon=True)
                    self._thread.start()
                return
        self._compute(steps, step, end, cancel)

    def stop(self) -> None:
        """Cancel the request in progress; nothing is delivered any more."""
        with self._lock:
            self._cancel.set()
            self._next = None

    def wait(self, seconds: float) -> None:
        """Wait until no request is computed, at most so long."""
        thread = self._thread
        if thread is not None:
            thread.join(seconds)

    def _work(self) -> None:
        while True:
            with self._lock:
                if self._next is None:
                    self._thread = None
                    return
                request, self._next = self._next, None
            self._compute(*request)

    def _compute(self, steps: Steps, step: Step, end: End, cancel: threading.Event) -> None:
        error: Exception | None = None
        try:
            for result in steps(cancel):
                self._hand_over(cancel, step, result)
        except Exception as raised:  # passed to the caller, who shows it
            error = raised
        self._hand_over(cancel, end, error)

    def _hand_over(self, cancel: threading.Event, call: Callable[[Any], None], value: Any) -> None:
        def hand_over() -> None:
            if not cancel.is_set():
                call(value)

        if self._deliver is None:
            hand_over()
        elif not cancel.is_set():
            self._deliver(hand_over)
