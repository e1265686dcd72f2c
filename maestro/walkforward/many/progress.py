"""Progress of many walk-forwards: done, failed, rate and time left."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias

from maestro.execution.events import asked_for
from maestro.walkforward.many.cells import Cell

if TYPE_CHECKING:
    from maestro.walkforward.result import WalkForward


@dataclass(frozen=True, slots=True)
class Progress:
    """Progress of a call of `walk_forward_many`.

    Attributes
    ----------
    done, total : int
        Walk-forwards, including those loaded from disk and those that failed.
    failed : int
    seconds : float
        Since the start.
    rate : float
        Walk-forwards per second that were computed in this call; 0 before the first.
    cell : Cell or None
        The walk-forward that ended last.
    result : WalkForward or None
        Its result; None if it failed.
    """

    done: int
    total: int
    failed: int
    seconds: float
    rate: float
    cell: Cell | None = None
    result: WalkForward | None = field(default=None, compare=False, repr=False)

    @property
    def remaining(self) -> float:
        """Seconds left at this rate; infinity before the first has ended."""
        left = self.total - self.done
        return left / self.rate if self.rate else (0.0 if not left else float("inf"))


Watcher: TypeAlias = Callable[[Progress], None]
ProgressOption: TypeAlias = bool | Watcher | Sequence[bool | Watcher] | None


class Counter:
    """Counts finished walk-forwards and reports to a bar or listener.

    Parameters
    ----------
    progress : bool, callable or a list of both, optional
        True shows a bar on stderr or in the notebook; absent, a notebook shows it for work over a second.
    total, there, failed : int
        Number of all walk-forwards, of loaded ones, and of those that could not begin.
    """

    def __init__(self, progress: ProgressOption, total: int, there: int, failed: int) -> None:
        self._total, self._there, self._failed, self._done = total, there + failed, failed, there + failed
        self._began = time.monotonic()
        self._bar: Any = None
        options, self._watchers = asked_for(progress, "a Progress")
        if options is not None:
            from tqdm.auto import tqdm

            self._bar = tqdm(
                total=total, initial=self._done, desc="walk-forwards", unit="run", dynamic_ncols=True, **options
            )
        self._tell(None)

    def ended(self, cell: Cell, failed: bool, result: WalkForward | None = None) -> None:
        """Count a walk-forward."""
        self._done += 1
        self._failed += failed
        if self._bar is not None:
            self._bar.update()
            if self._failed:
                self._bar.set_postfix_str(f"{self._failed} failed", refresh=False)
        self._tell(cell, result)

    def close(self) -> None:
        """Close the bar."""
        if self._bar is not None:
            self._bar.close()

    def _tell(self, cell: Cell | None, result: WalkForward | None = None) -> None:
        if self._watchers:
            seconds = time.monotonic() - self._began
            computed = self._done - self._there
            rate = computed / seconds if computed > 0 and seconds > 0 else 0.0
            now = Progress(self._done, self._total, self._failed, seconds, rate, cell, result)
            for watcher in self._watchers:
                watcher(now)
