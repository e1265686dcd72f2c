"""How far many walk-forwards are: done, failed, rate and time left."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

from maestro.errors import SettingsError
from maestro.execution.events import bar_options
from maestro.walkforward.many.cells import Cell


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a call of `walk_forward_many` is.

    Attributes
    ----------
    done, total : int
        Walk-forwards, those that were there already and those that failed included.
    failed : int
    seconds : float
        Since the start.
    rate : float
        Walk-forwards per second that were computed in this call; 0 before the first.
    cell : Cell or None
        The last one that ended.
    """

    done: int
    total: int
    failed: int
    seconds: float
    rate: float
    cell: Cell | None = None

    @property
    def remaining(self) -> float:
        """Seconds left at this rate; infinity before the first has ended."""
        left = self.total - self.done
        return left / self.rate if self.rate else (0.0 if not left else float("inf"))


Watcher: TypeAlias = Callable[[Progress], None]


class Counter:
    """Counts what ended and tells a watcher.

    Parameters
    ----------
    progress : bool or callable, optional
        True shows a bar on stderr or in the notebook; absent, a notebook shows it for work over a second.
    total, there, failed : int
        All walk-forwards, those that were loaded, and those that could not begin.
    """

    def __init__(self, progress: bool | Watcher | None, total: int, there: int, failed: int) -> None:
        self._total, self._there, self._failed, self._done = total, there + failed, failed, there + failed
        self._began = time.monotonic()
        self._bar: Any = None
        options = bar_options(progress)
        if options is not None:
            from tqdm.auto import tqdm

            self._bar = tqdm(
                total=total, initial=self._done, desc="walk-forwards", unit="run", dynamic_ncols=True, **options
            )
        elif progress and not callable(progress):
            raise SettingsError(f"progress={progress!r}; give True, False or a function of a Progress.")
        self._watcher = progress if callable(progress) else None
        self._tell(None)

    def ended(self, cell: Cell, failed: bool) -> None:
        """Count a walk-forward."""
        self._done += 1
        self._failed += failed
        if self._bar is not None:
            self._bar.update()
            if self._failed:
                self._bar.set_postfix_str(f"{self._failed} failed", refresh=False)
        self._tell(cell)

    def close(self) -> None:
        """Close the bar."""
        if self._bar is not None:
            self._bar.close()

    def _tell(self, cell: Cell | None) -> None:
        if self._watcher is not None:
            seconds = time.monotonic() - self._began
            computed = self._done - self._there
            rate = computed / seconds if computed > 0 and seconds > 0 else 0.0
            self._watcher(Progress(self._done, self._total, self._failed, seconds, rate, cell))
