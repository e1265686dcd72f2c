"""Progress of work in equal parts: a bar in a terminal or notebook, or a callable that gets what was done."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from maestro.errors import RunCancelled
from maestro.execution.events import bar_options


class Counter:
    """Reports how much is done, and stops on request."""

    def __init__(self, tell: Callable[[int], None], cancel: Any, what: str) -> None:
        self._tell, self._cancel, self._what = tell, cancel, what

    def raise_if_cancelled(self) -> None:
        """Raise `RunCancelled` if that was requested."""
        if self._cancel is not None and self._cancel.is_set():
            raise RunCancelled(f"{self._what} was cancelled; no result is kept.")

    def done(self, count: int = 1) -> None:
        """Report that this many more parts are done."""
        self._tell(count)
        self.raise_if_cancelled()


@contextmanager
def counting(
    progress: bool | Callable[[int], None] | None, total: int, what: str, unit: str, cancel: Any = None
) -> Iterator[Counter]:
    """Yield a counter of `total` parts.

    Parameters
    ----------
    progress : bool or callable, optional
        True shows a bar; None shows one in a notebook, for work over a second; a callable gets the number of parts
        done since the last call.
    total : int
    what, unit : str
        Names of the work and of its parts.
    cancel : threading.Event, optional
        Once it is set, the counter raises `RunCancelled`.
    """
    options = bar_options(progress)
    if options is not None:
        from tqdm.auto import tqdm

        with tqdm(total=total, desc=what, unit=unit, dynamic_ncols=True, **options) as bar:
            yield Counter(lambda count: bar.update(count) and None, cancel, what)
    else:
        yield Counter(progress if callable(progress) else (lambda count: None), cancel, what)
