"""Choice of the executor: the requested one, or the one that suits the work."""

from __future__ import annotations

import math
import os
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from maestro.errors import SettingsError, nearest
from maestro.execution.distributed import Dask, Submitting, is_client
from maestro.execution.local import Serial, Threads
from maestro.execution.mixed import Mixed
from maestro.execution.processes import Processes, start_early, warm
from maestro.execution.protocol import Executor

KINDS = ("serial", "threads", "processes")
"""Executors by name; an executor object is the other way."""

_START, _BESIDE, _EARLY, _HAND_OVER = 1.5, 0.6, 0.5, 0.1
"""Seconds that processes take to start (they import what is compiled), how much of that counts where this process
works meanwhile, or where they start while other work is done, and what it takes to give them work once they run."""


@dataclass(frozen=True, slots=True)
class Work:
    """An amount of work.

    Attributes
    ----------
    seconds : float
        That one worker would take for all of it, roughly.
    threads : bool
        Whether threads serve as well as processes: most of the time is spent in compiled code.
    """

    seconds: float
    threads: bool = False


HEAVY = Work(math.inf)
"""Work that is worth starting processes for."""


def check(executor: Any, workers: int | None) -> None:
    """Refuse settings that name no executor.

    Raises
    ------
    SettingsError
        An unknown name, an object without ``submit``, a number of workers below 1.
    """
    if workers is not None and (isinstance(workers, bool) or not isinstance(workers, int) or workers < 1):
        raise SettingsError(f"workers={workers!r} is not a whole number of at least 1; leave it out for all cores.")
    if isinstance(executor, str):
        if executor not in KINDS:
            raise SettingsError(
                f"executor={executor!r} is unknown; allowed: {', '.join(KINDS)}.{nearest(executor, KINDS)}"
            )
    elif executor is not None and not callable(getattr(executor, "submit", None)):
        raise SettingsError(f"executor={executor!r} has no submit(); give {', '.join(KINDS)}, or an executor object.")


def choose(executor: Any, workers: int | None, tasks: int, work: Work | Callable[[], Work] = HEAVY) -> Executor:
    """Return the executor for a number of tasks. No result depends on which one it is.

    Parameters
    ----------
    executor : {"serial", "threads", "processes"} or object, optional
        An `Executor`, a ``dask.distributed.Client``, or any object with ``submit`` as in `concurrent.futures`. If
        absent: threads or processes, whichever suits the work, or neither if there is little of it.
    workers : int, optional
        How many at most; all cores if absent. Executor objects have their own.
    tasks : int
    work : Work, or a function that measures it
        Called only if the decision depends on it.

    Raises
    ------
    SettingsError
        See `check`.
    """
    check(executor, workers)
    if executor is not None and not isinstance(executor, str):
        return _of_object(executor)
    count = min(workers or os.cpu_count() or 1, max(tasks, 1))
    kind = executor or _suitable(count, work)
    if kind == "serial":
        return Serial()
    if kind == "threads":
        return Threads(count)
    return Mixed(count) if executor is None and _waits() else Processes(count)


def prepare(workers: int | None, tasks: int, work: Work) -> None:
    """Start worker processes for tasks that come after some other work, if processes will suit them (`choose`)."""
    count = min(workers or os.cpu_count() or 1, tasks)
    if count > 1 and not work.threads and work.seconds * (1 - 1 / count) > _EARLY:
        start_early(count - _waits())


def _waits() -> bool:
    """Whether the caller has nothing else to do: a script, a notebook or a command, not a thread of a server."""
    return threading.current_thread() is threading.main_thread()


def _of_object(given: Any) -> Executor:
    if isinstance(given, Executor):
        return given
    if isinstance(given, ThreadPoolExecutor):
        return Threads(os.cpu_count() or 1, given)
    return Dask(given) if is_client(given) else Submitting(given)


def _suitable(count: int, work: Work | Callable[[], Work]) -> str:
    if count == 1:
        return "serial"
    needed = work() if callable(work) else work
    saved = needed.seconds * (1 - 1 / count)
    start = _BESIDE if _waits() else _START
    if saved <= (_HAND_OVER if needed.threads or warm() else start):
        return "serial"
    return "threads" if needed.threads else "processes"
