"""Executor of worker processes of this machine; they accept classes of a notebook or script."""

from __future__ import annotations

import atexit
import gc
import math
import os
import pickle
import shutil
import signal
import sys
import threading
import time
import warnings
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from maestro._core.hooks import hook
from maestro._core.processes import is_running
from maestro._core.temporary import new_folder
from maestro.errors import RunError
from maestro.execution.protocol import Cancelled, Outcome, Report, Task, perform, portable

_IDLE = 60
"""Seconds after which idle processes end."""
_last_use = -math.inf
_lock = threading.Lock()
_sizes: list[int] = []
"""Number of workers of the pool, once for each run that uses it at this moment."""


class Processes:
    """Runs tasks on worker processes, which are kept for the next run.

    The shared object goes through a file that each worker reads once. Workers ignore Ctrl-C, which a terminal sends
    to them too, and end when this process has ended in whatever way.

    Parameters
    ----------
    workers : int
    """

    reports = False

    def __init__(self, workers: int) -> None:
        self.workers = workers
        self.at_once: int | None = None
        self._folder: Path | None = None
        self._futures: list[Future[Outcome]] = []
        self._size = 0

    def start(self, shared: Any, cancelled: Cancelled, report: Report | None) -> None:
        """Write the shared object to a file and start the workers that are not there yet."""
        self._folder = _handed_over(shared)
        self._futures = []
        with _lock:  # another run of this process may use the pool: resizing would wait for its end
            self._size = _sizes[0] if _sizes else self.workers
            _sizes.append(self._size)
        self.at_once = self.workers if self.workers < self._size else None
        self._pool = _pool(self._size)

    def submit(self, number: int, task: Task) -> Future[Outcome]:
        """Queue a task."""
        with _ignoring_sigint():  # processes start when a task is queued
            future = self._pool.submit(_in_worker, self._folder, number, task.function, task.arguments)
        self._futures.append(future)
        return future

    def cancel(self) -> None:
        """Drop queued tasks; a file tells the others to stop."""
        if self._folder is not None:
            (self._folder / _FLAG).touch()
        for future in self._futures:
            future.cancel()

    def close(self) -> None:
        """Remove the file; the workers stay for a minute."""
        global _last_use
        if self._size:
            with _lock:
                _sizes.remove(self._size)
                _last_use = time.monotonic()
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)
        self._folder, self._pool, self._futures, self._size = None, None, [], 0


def start_early(workers: int) -> None:
    """Start worker processes for tasks that come soon: importing what they run takes them a second."""
    global _last_use
    with _lock:
        if _sizes:  # a run of this process uses the pool
            return
        _last_use = time.monotonic()
    pool = _pool(workers)
    with _ignoring_sigint():
        pool.submit(os.getpid)


def _pool(workers: int) -> Any:
    from loky import get_reusable_executor

    # Loky warns when a worker that was idle for a minute, or had grown by 300 MB, ends as tasks arrive, and starts
    # another one. Nothing is lost by that; but its thread would end if this warning were made an error. It also warns
    # when the pool is resized before it has dropped what an earlier run cancelled.
    warnings.filterwarnings("ignore", r"A worker (stopped|was restarted) while some jobs", UserWarning)
    warnings.filterwarnings("ignore", r"Trying to resize an executor with running jobs", UserWarning)
    with _ignoring_sigint():
        return get_reusable_executor(
            max_workers=workers, timeout=_IDLE, initializer=_begin_worker, initargs=(os.getpid(),)
        )


def warm() -> bool:
    """Whether worker processes are running already."""
    return time.monotonic() - _last_use < _IDLE / 2


_FLAG, _SHARED = "cancelled", "shared.pickle"


def _handed_over(shared: Any) -> Path:
    """Write the shared object to a file that workers read once; return its folder."""
    folder = None
    try:
        folder = new_folder("bars")
        (folder / _SHARED).write_bytes(pickle.dumps(shared, protocol=5))
    except OSError as error:
        if folder is not None:
            shutil.rmtree(folder, ignore_errors=True)
        raise RunError(
            f"cannot hand the bars to processes through {folder or 'a temporary folder'}: {error.strerror or error}; "
            "free some space there, set TMPDIR to another folder, or give executor='threads'."
        ) from error
    return folder


@contextmanager
def _ignoring_sigint() -> Iterator[None]:
    """Start processes that ignore Ctrl-C from their first instruction on; only the main thread can do this."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


# -- in the worker ----------------------------------------------------------------------------

_held: dict[Path, Any] = {}


def _begin_worker(parent: int) -> None:
    """Get ready for tasks: end with the parent, ignore Ctrl-C, and import what is compiled.

    Ctrl-C also reaches a worker that was started from another thread, or on Windows, where ignoring is not inherited.
    A worker that is told to end does so at once: shutting down its interpreter takes 0.2 s, for which the caller would
    wait at its own end.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _exit_with_parent(parent)
    gc.disable()
    hook("run_fold")
    gc.freeze()  # all that was imported stays: Loky has its workers collect garbage every second
    gc.enable()
    atexit.register(_exit)  # the last one that is registered comes first


def _exit() -> None:
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)


def _exit_with_parent(parent: int) -> None:
    """End this worker once its parent has ended: a killed one tells nobody, and a full pipe would block forever."""

    def watch() -> None:
        _wait_for_end(parent)
        for folder in list(_held):
            shutil.rmtree(folder, ignore_errors=True)
        os._exit(1)

    threading.Thread(target=watch, daemon=True, name="parent").start()


def _wait_for_end(parent: int) -> None:
    # On Windows a process keeps the number of its parent; elsewhere it gets another parent when that ends.
    while is_running(parent) if sys.platform == "win32" else os.getppid() == parent:
        time.sleep(0.5)


def _in_worker(folder: Path, number: int, function: Any, arguments: tuple[Any, ...]) -> Outcome:
    if folder not in _held:
        _held.clear()
        _held[folder] = pickle.loads((folder / _SHARED).read_bytes())
    return portable(perform(number, function, arguments, _held[folder], _watch(folder / _FLAG)))


def _watch(flag: Path) -> Cancelled:
    """Return a function that looks for the file, which costs 2 µs, a hundred times a second at most."""
    asked = 0.0

    def cancelled() -> bool:
        nonlocal asked
        now = time.perf_counter()
        if now < asked + 0.01:
            return False
        asked = now
        return flag.exists()

    return cancelled
