"""Where folds run: in this thread, on threads, on processes that can carry a class from a notebook, or elsewhere."""

from __future__ import annotations

import os
import pickle
import shutil
import signal
import tempfile
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeAlias

from maestro.bars import Bars
from maestro.errors import SettingsError, nearest
from maestro.walkforward.fold import FoldResult, Plan, run_fold
from maestro.walkforward.search import Trial
from maestro.walkforward.splitters import Window

KINDS = ("serial", "threads", "processes")
Job: TypeAlias = tuple[int, Window]

_QUICK = 1.0
"""Seconds of work below which starting workers costs more than it saves."""
_LONG = 20_000
"""Training bars from which compiled code dominates and threads serve as well as processes."""


def run_jobs(
    plan: Plan,
    bars: Bars,
    jobs: Sequence[Job],
    *,
    workers: int | None,
    executor: Any,
    cancel: threading.Event,
    on_trial: Callable[[int, Trial], None] | None,
) -> Iterator[FoldResult]:
    """Yield the result of every fold as it is finished; the order is not defined, the results are.

    `executor` is one of `KINDS`, any object with ``submit`` as in `concurrent.futures`, or None: threads or
    processes, whichever suits the work, or neither where there is little of it.
    """
    kind, count = _choose(plan, bars, jobs, workers, executor)
    if kind == "serial":
        for fold, window in jobs:
            listener = None if on_trial is None else (lambda trial, fold=fold: on_trial(fold, trial))
            yield run_fold(plan, bars, window, fold, cancelled=cancel.is_set, on_trial=listener)
    elif kind == "threads":
        with ThreadPoolExecutor(count, thread_name_prefix="fold") as pool:
            yield from _collect(
                [
                    pool.submit(
                        run_fold, plan, bars, window, fold, cancelled=cancel.is_set,
                        on_trial=None if on_trial is None else (lambda trial, fold=fold: on_trial(fold, trial)),
                    )
                    for fold, window in jobs
                ],
                cancel,
            )  # fmt: skip
    elif kind == "processes":
        yield from _pooled(_fold, bars, [(plan, window, fold) for fold, window in jobs], count, cancel)
    else:
        yield from _collect([executor.submit(run_fold, plan, bars, window, fold) for fold, window in jobs], cancel)


def _choose(plan: Plan, bars: Bars, jobs: Sequence[Job], workers: int | None, executor: Any) -> tuple[str, int]:
    if workers is not None and (isinstance(workers, bool) or not isinstance(workers, int) or workers < 1):
        raise SettingsError(f"workers={workers!r} is not a whole number of at least 1.")
    if executor is not None and not isinstance(executor, str):
        if not hasattr(executor, "submit"):
            raise SettingsError(
                f"executor={executor!r} has no submit(); give {', '.join(KINDS)} or an executor object."
            )
        return "other", 0
    if executor is not None and executor not in KINDS:
        raise SettingsError(f"executor={executor!r} is unknown; allowed: {', '.join(KINDS)}.{nearest(executor, KINDS)}")
    count = min(workers or os.cpu_count() or 1, max(len(jobs), 1))
    if executor is not None:
        return executor, count
    train = max((w.train_stop - w.train_start for _, w in jobs), default=0)
    seconds = len(jobs) * plan.trials * ((3e-4 if plan.method == "tpe" else 4e-5) + train * 6e-9)
    own = not plan.strategy.__module__.startswith("maestro.")
    if count == 1 or (seconds < _QUICK and workers is None and not own):
        return "serial", 1
    return ("threads" if train >= _LONG and not own else "processes"), count


def _collect(futures: Sequence[Future[Any]], cancel: threading.Event, flag: Path | None = None) -> Iterator[Any]:
    """Yield results as they come; a cancellation reaches the workers, and nothing is left running."""
    waiting = set(futures)
    try:
        while waiting:
            done, waiting = wait(waiting, timeout=0.1, return_when=FIRST_COMPLETED)
            if cancel.is_set() and flag is not None:
                flag.touch()
            for future in done:
                yield future.result()
    finally:
        if waiting:
            cancel.set()
            if flag is not None:
                flag.touch()
            for future in waiting:
                future.cancel()
            wait([future for future in waiting if not future.cancelled()])


def pooled(
    function: Callable[..., Any],
    bars: Bars,
    arguments: Sequence[tuple[Any, ...]],
    workers: int,
    cancel: threading.Event,
    progress: Callable[[int], None] | None = None,
) -> list[Any]:
    """Call ``function(bars, cancelled, *arguments)`` on processes, in any order; results in order.

    `progress` gets the length of each last argument that is done. Bars reach each process once.
    """
    results: dict[int, Any] = {}
    numbered = [(function, k, *args) for k, args in enumerate(arguments)]
    for k, result in _pooled(_numbered, bars, numbered, workers, cancel):
        results[k] = result
        if progress is not None:
            progress(len(arguments[k][-1]))
    return [results[k] for k in range(len(arguments))]


def _pooled(
    function: Any, bars: Bars, arguments: Sequence[tuple[Any, ...]], workers: int, cancel: threading.Event
) -> Iterator[Any]:
    from loky import get_reusable_executor

    with _handed_over(bars) as (folder, flag):
        with _deaf_to_ctrl_c():
            pool = get_reusable_executor(max_workers=workers, timeout=60)
            futures = [pool.submit(_in_process, folder, flag, function, *args) for args in arguments]
        yield from _collect(futures, cancel, flag)


@contextmanager
def _handed_over(bars: Bars) -> Iterator[tuple[Path, Path]]:
    """Bars in a file that workers read once, and the path of a flag that tells them to stop."""
    folder = Path(tempfile.mkdtemp(prefix="maestro-bars-"))
    try:
        (folder / "bars.pickle").write_bytes(pickle.dumps(bars, protocol=5))
        yield folder, folder / "cancelled"
    finally:
        shutil.rmtree(folder, ignore_errors=True)


_HELD: dict[Path, Bars] = {}


@contextmanager
def _deaf_to_ctrl_c() -> Iterator[None]:
    """Start processes that Ctrl-C does not reach: a terminal sends it to all, what it means is for their leader."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _in_process(folder: Path, flag: Path, function: Any, *args: Any) -> Any:
    if folder not in _HELD:
        _HELD.clear()
        _HELD[folder] = pickle.loads((folder / "bars.pickle").read_bytes())
    return function(_HELD[folder], flag.exists, *args)


def _fold(bars: Bars, cancelled: Callable[[], bool], plan: Plan, window: Window, fold: int) -> FoldResult:
    return run_fold(plan, bars, window, fold, cancelled=cancelled)


def _numbered(bars: Bars, cancelled: Callable[[], bool], function: Any, k: int, *args: Any) -> tuple[int, Any]:
    return k, function(bars, cancelled, *args)
