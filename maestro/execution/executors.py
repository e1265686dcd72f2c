"""Where folds run: in this thread, on threads, on processes that can carry a class from a notebook, or elsewhere."""

from __future__ import annotations

import math
import os
import pickle
import shutil
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeAlias

from maestro.bars import Bars
from maestro.errors import RunCancelled, RunError, SettingsError, WarmupError, nearest
from maestro.indicators import ColumnCache, using
from maestro.ledger import unfinished
from maestro.search.runner import Trial
from maestro.search.sampling import propose_all
from maestro.strategies.base import warmup_excess
from maestro.walkforward.fold import FoldResult, Plan, evaluator, run_fold
from maestro.walkforward.splitters import Window

KINDS = ("serial", "threads", "processes")
Job: TypeAlias = tuple[int, Window]

_START, _HAND_OVER = 2.0, 0.1
"""Seconds that processes take to start (they import what is compiled), and to be given work once they run."""
_IDLE = 60
"""Seconds after which idle processes end."""
_last_use = -math.inf
_PROPOSAL = {"tpe": 2e-4, "optuna": 2e-3}
"""Seconds that a search itself takes for a trial, where that is worth counting."""
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
    kind, count = choose(plan, bars, jobs, workers, executor)
    ended = threading.Event()  # the caller's event stays his own: it is read, never set
    if on_trial is None:
        listeners: dict[int, Any] = dict.fromkeys((fold for fold, _ in jobs))
    else:
        listeners = {fold: (lambda trial, fold=fold: on_trial(fold, trial)) for fold, _ in jobs}
    if kind == "serial":
        for fold, window in jobs:
            yield run_fold(plan, bars, window, fold, cancelled=cancel.is_set, on_trial=listeners[fold])
    elif kind == "processes":
        yield from _pooled(_fold, bars, [(plan, window, fold) for fold, window in jobs], count, cancel)
    elif kind == "threads" or isinstance(executor, ThreadPoolExecutor):
        own = ThreadPoolExecutor(count, thread_name_prefix="fold") if kind == "threads" else nullcontext(executor)
        with own as pool:
            futures = [
                pool.submit(
                    run_fold, plan, bars, window, fold, on_trial=listeners[fold],
                    cancelled=lambda: cancel.is_set() or ended.is_set(),
                )
                for fold, window in jobs
            ]  # fmt: skip
            yield from _collect(futures, cancel, ended)
    else:
        yield from _collect([executor.submit(_sent, plan, *_cut(bars, w), w, fold) for fold, w in jobs], cancel, ended)


def choose(plan: Plan, bars: Bars, jobs: Sequence[Job], workers: int | None, executor: Any) -> tuple[str, int]:
    """Return the kind of executor (one of `KINDS`, or ``other``) and the number of workers.

    Which one suits the work is measured on one set; no result depends on it.

    Raises
    ------
    SettingsError
        An unknown kind, an object without ``submit``, a number of workers below 1.
    """
    if workers is not None and (isinstance(workers, bool) or not isinstance(workers, int) or workers < 1):
        raise SettingsError(f"workers={workers!r} is not a whole number of at least 1; leave it out for all cores.")
    if executor is not None and not isinstance(executor, str):
        if not hasattr(executor, "submit"):
            raise SettingsError(
                f"executor={executor!r} has no submit(); give {', '.join(KINDS)}, or an executor object."
            )
        return "other", 0
    if executor is not None and executor not in KINDS:
        raise SettingsError(f"executor={executor!r} is unknown; allowed: {', '.join(KINDS)}.{nearest(executor, KINDS)}")
    count = min(workers or os.cpu_count() or 1, max(len(jobs), 1))
    if executor is not None:
        return executor, count
    if count == 1:
        return "serial", 1
    alone = len(jobs) * plan.trials * _seconds(plan, bars, jobs[0][1])
    train = max(w.train_stop - w.train_start for _, w in jobs)
    kind = "threads" if train >= _LONG and plan.strategy.__module__.startswith("maestro.") else "processes"
    running = kind == "threads" or time.monotonic() - _last_use < _IDLE / 2
    return (kind, count) if alone > alone / count + (_HAND_OVER if running else _START) else ("serial", 1)


def _seconds(plan: Plan, bars: Bars, window: Window) -> float:
    """Time that a trial takes, about: one set measured, and what its proposal costs."""
    train = bars[window.train_start : window.train_stop]
    evaluate, space = evaluator(plan, train), plan.space
    try:
        params = space.default
        if params is None or warmup_excess(space.strategy, params, len(train)):
            params = next(space.rows(propose_all(space, "sobol", 1, 0, bars=len(train))))
    except (SettingsError, WarmupError):  # no set can be evaluated, which the search itself reports
        return 0.0
    taken: list[float] = []
    with using(ColumnCache()):
        while len(taken) < 3 and sum(taken) < 0.5:  # the first call may load or compile
            began = time.perf_counter()
            with suppress(Exception):  # the fold will meet it again, and report it
                evaluate(params)
            taken.append(time.perf_counter() - began)
    return min(taken) + _PROPOSAL.get(plan.method if isinstance(plan.method, str) else "optuna", 5e-6)


def _collect(
    futures: Sequence[Future[Any]], cancel: threading.Event, ended: threading.Event, flag: Path | None = None
) -> Iterator[Any]:
    """Yield results as they come; a cancellation reaches the workers, and nothing is left running.

    Workers obey `cancel`, and `ended` or the file `flag`, which are set here. Where they can see neither (an executor
    object of somebody else), folds that have not begun are dropped and those that have are waited for.
    """
    waiting = set(futures)
    try:
        while waiting:
            done, _ = wait(waiting, timeout=0.1, return_when=FIRST_COMPLETED)
            for future in sorted(done, key=_failed):  # what is finished is handed over before an error ends all
                waiting.discard(future)
                yield _result(future)
            if cancel.is_set() and waiting:
                raise RunCancelled("cancelled")
    finally:
        if waiting:
            ended.set()
            if flag is not None:
                flag.touch()
            for future in waiting:
                future.cancel()
            begun = [future for future in waiting if not future.cancelled()]
            wait(begun)
            hand_on(begun, sys.exc_info()[1])


def hand_on(futures: Sequence[Future[Any]], stop: BaseException | None) -> None:
    """Note on what ended the work which results nobody takes any more, and which trials were done."""
    for future in futures if stop is not None else ():
        error = future.exception()
        if error is None:
            stop.__dict__.setdefault("finished", []).append(future.result())  # type: ignore[union-attr]
        else:
            stop.__dict__.setdefault("unfinished", []).extend(unfinished(error))  # type: ignore[union-attr]


def _failed(future: Future[Any]) -> bool:
    return future.cancelled() or future.exception() is not None


def _result(future: Future[Any]) -> Any:
    try:
        return future.result()
    except BrokenExecutor as error:  # loky's and the standard library's
        raise RunError(
            f"a worker process died ({str(error).strip().splitlines()[0]}); the system may have ended it for lack of "
            "memory: run again with fewer workers, finished folds are kept."
        ) from error


def _cut(bars: Bars, window: Window) -> tuple[Bars, Window]:
    """Only the bars of a fold, and its window in them: what a far worker must be sent."""
    begin = window.train_start
    return bars[begin : window.test_stop], Window(*(edge - begin for edge in window))


def _sent(plan: Plan, bars: Bars, inside: Window, window: Window, fold: int) -> FoldResult:
    return replace(run_fold(plan, bars, inside, fold), window=window)


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
    try:
        for k, result in _pooled(_numbered, bars, numbered, workers, cancel):
            results[k] = result
            if progress is not None:
                progress(len(arguments[k][-1]))
    except BaseException as stop:
        stop.__dict__.setdefault("finished", []).extend(results.items())
        raise
    return [results[k] for k in range(len(arguments))]


def _pooled(
    function: Any, bars: Bars, arguments: Sequence[tuple[Any, ...]], workers: int, cancel: threading.Event
) -> Iterator[Any]:
    from loky import get_reusable_executor

    global _last_use
    with _handed_over(bars) as (folder, flag):
        with _deaf_to_ctrl_c():
            pool = get_reusable_executor(max_workers=workers, timeout=_IDLE)
            leader = os.getpid()
            futures = [pool.submit(_in_process, leader, folder, flag, function, *args) for args in arguments]
        yield from _collect(futures, cancel, threading.Event(), flag)
    _last_use = time.monotonic()


@contextmanager
def _handed_over(bars: Bars) -> Iterator[tuple[Path, Path]]:
    """Bars in a file that workers read once, and the path of a flag that tells them to stop."""
    folder = Path(tempfile.mkdtemp(prefix="maestro-bars-"))
    try:
        try:
            (folder / "bars.pickle").write_bytes(pickle.dumps(bars, protocol=5))
        except OSError as error:
            raise RunError(
                f"cannot hand the bars to processes through {folder}: {error.strerror or error}; free some space "
                "there, set TMPDIR to another folder, or give executor='threads'."
            ) from error
        yield folder, folder / "cancelled"
    finally:
        shutil.rmtree(folder, ignore_errors=True)


_HELD: dict[Path, Bars] = {}
_LEADERS: set[int] = set()


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


def _leave_with(leader: int) -> None:
    """End this worker once its leader is gone: a killed one tells nobody, and its full pipe would hold us for ever."""
    if leader in _LEADERS:
        return
    _LEADERS.add(leader)

    def watch() -> None:
        while os.getppid() == leader:
            time.sleep(0.5)
        for folder in _HELD:
            shutil.rmtree(folder, ignore_errors=True)
        os._exit(1)

    threading.Thread(target=watch, daemon=True, name="leader").start()


def _in_process(leader: int, folder: Path, flag: Path, function: Any, *args: Any) -> Any:
    _leave_with(leader)
    if folder not in _HELD:
        _HELD.clear()
        _HELD[folder] = pickle.loads((folder / "bars.pickle").read_bytes())
    return function(_HELD[folder], _watch(flag), *args)


def _watch(flag: Path) -> Callable[[], bool]:
    """Return what asks whether the file is there, which costs 2 µs, a hundred times a second at most."""
    asked = 0.0

    def cancelled() -> bool:
        nonlocal asked
        now = time.perf_counter()
        if now < asked + 0.01:
            return False
        asked = now
        return flag.exists()

    return cancelled


def _fold(bars: Bars, cancelled: Callable[[], bool], plan: Plan, window: Window, fold: int) -> FoldResult:
    return run_fold(plan, bars, window, fold, cancelled=cancelled)


def _numbered(bars: Bars, cancelled: Callable[[], bool], function: Any, k: int, *args: Any) -> tuple[int, Any]:
    return k, function(bars, cancelled, *args)
