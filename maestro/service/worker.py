"""A worker: claims jobs from the queue, one at a time, runs them, and renews their leases."""

from __future__ import annotations

import logging
import math
import os
import secrets
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from maestro._core.processes import host_id
from maestro.config import load_settings
from maestro.errors import MaestroError, RunBusyError, RunCancelled, RunError, ServiceError, message_of
from maestro.execution import events as ev
from maestro.execution.distributed import connected
from maestro.execution.jobs import RunProgress
from maestro.ledger import owned_by
from maestro.runs import RunStore
from maestro.runs.backtests import BacktestStore
from maestro.runs.folds import UnusableFold
from maestro.service.backtests import PlannedBacktest, run_and_keep
from maestro.service.heartbeat import EVERY, Heartbeat
from maestro.service.jobs import Database, Job, Leases
from maestro.service.jobs.job import LOCAL
from maestro.service.jobs.leases import LEASE
from maestro.service.specification import Specification

if TYPE_CHECKING:
    from maestro.reports.export.mlflow import MLflow
    from maestro.walkforward.result import WalkForward

log = logging.getLogger("maestro.service.worker")

_WATCH, _RENEW, _IDLE, _BUSY = 0.2, 0.5, 0.2, 0.5
"""Seconds between looks at the cancel flag, renewals, looks at an empty queue, and at a run that is worked on."""


@dataclass
class _Held:
    """The job at hand: what stops it, why, and how far it is."""

    job: Job
    stop: threading.Event = field(default_factory=threading.Event)
    why: str = ""
    """``cancelled`` by its owner, ``lost`` lease, or ``stopping`` worker."""
    progress: RunProgress = field(default_factory=RunProgress)

    def end(self, why: str) -> None:
        self.why = self.why or why
        self.stop.set()


class Worker:
    """Takes and runs jobs until it is asked to stop.

    Parameters
    ----------
    database : Database
    runs_dir : Path
        Where runs are kept; the service reads results there.
    cores : int
        Processes or threads for one job.
    lease : float [s]
    """

    def __init__(self, database: Database, runs_dir: Path, *, cores: int = 1, lease: float = LEASE) -> None:
        self.name = f"{host_id()}-{os.getpid()}-{secrets.token_hex(2)}"
        self.runs_dir, self.cores = runs_dir, cores
        self._leases = Leases(database, self.name, lease=lease)
        self._heartbeat = Heartbeat(database.folder, self.name)
        self._stopping = threading.Event()
        self._held: _Held | None = None

    def stop(self) -> None:
        """Return the current job with its finished folds and stop; safe in a signal handler."""
        self._stopping.set()

    def run(self, *, until_empty: bool = False, idle: bool = False) -> None:
        """Work until `stop`, or with `until_empty` until no job can be taken.

        Parameters
        ----------
        idle : bool
            Take only time of the processor that nothing else wants, so that the service stays quick; leases are kept
            at normal priority.
        """
        try:
            self._heartbeat.begin()
        except OSError as error:
            raise ServiceError(f"{error.filename} cannot be made: {error.strerror}; check the disk.") from error
        log.info("worker started", extra={"worker": self.name})
        with ThreadPoolExecutor(1, "maestro-jobs") as pool:  # this thread keeps its priority: it gets the signals
            jobs = pool.submit(self._take_jobs, until_empty, idle)
            self._watch()
            jobs.result()
        self._heartbeat.end()
        log.info("worker ended", extra={"worker": self.name})

    def _take_jobs(self, until_empty: bool, idle: bool) -> None:
        if idle:
            _be_idle()
        try:
            self._take_jobs_until_stopped(until_empty)
        finally:
            self._stopping.set()

    def _take_jobs_until_stopped(self, until_empty: bool) -> None:
        while not self._stopping.is_set():
            try:
                job = self._leases.claim()
            except ServiceError as error:
                log.error("no job can be taken: %s", error)
                self._stopping.wait(1.0)
                continue
            if job is not None:
                self._work(job)
            elif until_empty:
                break
            else:
                self._stopping.wait(_IDLE)

    def _watch(self) -> None:
        """Show that the worker is alive, keep the lease of its job, and stop the job if it is cancelled or lost.

        When it ends, also by an error, the job stops: without a watcher nobody keeps its lease.
        """
        try:
            self._watch_until_stopped()
        finally:
            self._stopping.set()
            if self._held is not None:
                self._held.end("stopping")

    def _watch_until_stopped(self) -> None:
        renewed, beaten = 0.0, time.monotonic()
        while not self._stopping.wait(_WATCH):
            if time.monotonic() - beaten > EVERY:
                self._beat()
                beaten = time.monotonic()
            held = self._held
            if held is None:
                continue
            try:
                if self._leases.cancel_requested(held.job):
                    held.end("cancelled")
                if time.monotonic() - renewed > min(self._leases.lease / 20, _RENEW):
                    began = time.monotonic()
                    if not self._leases.renew(held.job, held.progress.trials_done):
                        held.end("lost")
                    renewed = began
            except ServiceError as error:  # the lease may be lost by it: then another worker has the job
                log.error("the lease cannot be kept: %s", error, extra={"job": held.job.id})
                if time.monotonic() - renewed > self._leases.lease:
                    held.end("lost")

    def _beat(self) -> None:
        try:
            self._heartbeat.beat()
        except OSError as error:  # the worker continues; it counts as lost until this succeeds
            log.error("the heartbeat cannot be written: %s", error)

    def _work(self, job: Job) -> None:
        held = self._held = _Held(job)
        if self._stopping.is_set():  # between claim and here, where the watcher may have ended
            held.end("stopping")
        log.info("job started", extra={"job": job.id, "run": job.run, "attempt": job.attempts})
        try:
            self._run(held)
        except ServiceError as error:  # of the database, not of the job: its lease ends, and another worker takes it
            log.error("the job is left to the next worker: %s", error, extra={"job": job.id})
            self._stopping.wait(1.0)
        finally:
            self._held = None

    def _note(self, job: Job, words: str) -> None:
        log.warning("%s", words, extra={"job": job.id, "run": job.run})
        self._leases.note(job, words)

    def _run(self, held: _Held) -> None:
        job, leases = held.job, self._leases
        store = RunStore(self.runs_dir / job.run)
        reported: set[int] = set()

        def tell(fold: int, trials: int, error: str | None) -> None:
            reported.add(fold)
            leases.fold(job, fold, {"trials": trials, "error": error})

        def listen(event: ev.Event) -> None:
            held.progress(event)
            if isinstance(event, ev.RunStarted):
                for fold, trials, error in _finished(store):  # of a worker that died before it reported them
                    tell(fold, trials, error)
            elif isinstance(event, ev.FoldDone):
                tell(event.fold, event.trials, event.error)

        try:
            specification = Specification.of(job.spec)
            _, planned = specification.plan()
            if planned.id != job.run:
                raise RunError(
                    "the data, the strategy or the version of Maestro changed after this job was submitted (it is now "
                    f"run {planned.id}, not {job.run}); submit it again."
                )
            metrics: dict[str, Any]
            seconds: float | None
            if isinstance(planned, PlannedBacktest):
                metrics, seconds = self._backtest(planned, held.stop)
            else:
                wf = self._walk_forward(job, specification, listen, held.stop)
                counts = wf.trials.group_by("fold").len()
                trials = dict(zip(counts["fold"].to_list(), counts["len"].to_list(), strict=True))
                for fold, words in wf.folds.select("fold", "error").iter_rows():
                    if fold not in reported:
                        tell(fold, trials.get(fold, 0), words)
                metrics, seconds = wf.metrics, wf.manifest.get("seconds")
        except RunBusyError as busy:
            leases.release(job, str(busy))
            self._stopping.wait(_BUSY)
        except RunCancelled as stop:
            if held.why == "cancelled":
                leases.cancelled(job, held.progress.trials_done)
            elif held.why == "stopping":
                leases.release(job, "the worker was stopped")
            log.info("job stopped: %s", held.why, extra={"job": job.id, "words": str(stop)})
        except ServiceError:
            raise
        except Exception as error:
            words = message_of(error)
            log.error("job failed: %s", words, exc_info=not isinstance(error, MaestroError), extra={"job": job.id})
            leases.fail(job, words, type(error).__name__)
        else:
            sharpe = metrics["sharpe_ratio"]
            leases.finish(job, sharpe if sharpe is not None and math.isfinite(sharpe) else None, seconds)
            log.info("job done", extra={"job": job.id, "run": job.run})

    def _walk_forward(
        self, job: Job, specification: Specification, listen: ev.Listener, stop: threading.Event
    ) -> WalkForward:
        listeners: list[ev.Listener] = [listen, *mlflow_listeners(lambda words: self._note(job, words))]
        cluster = load_settings().cluster
        with (
            nullcontext() if job.owner == LOCAL else owned_by(job.owner),
            nullcontext() if cluster is None else connected(cluster) as executor,
        ):
            return specification.run(
                self.runs_dir, workers=self.cores, progress=listeners, cancel=stop, executor=executor
            )

    def _backtest(self, planned: PlannedBacktest, stop: threading.Event) -> tuple[dict[str, Any], float]:
        run_and_keep(planned, self.runs_dir, stop)
        manifest = BacktestStore(self.runs_dir, planned.id).manifest()
        return manifest["metrics"], manifest["seconds"]


def mlflow_listeners(say: Callable[[str], None]) -> list[MLflow]:
    """The listener that logs runs on an MLflow server, if the settings name one."""
    if load_settings().servers.mlflow.url is None:
        return []
    from maestro.reports.export.mlflow import MLflow

    return [MLflow(say=say)]


def _finished(store: RunStore) -> list[tuple[int, int, str | None]]:
    """Folds of an interrupted run that are on disk: number, trials, error; a damaged file is computed again."""
    found = []
    for fold in store.finished_folds():
        try:
            meta, tables = store.read_fold(fold)
        except UnusableFold:
            continue
        found.append((fold, len(tables["trials"]), meta["row"]["error"]))
    return found


def _be_idle() -> None:
    """Give this thread the lowest priority that the system has."""
    if hasattr(os, "SCHED_IDLE"):
        os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))
    elif hasattr(os, "nice"):
        os.nice(19)
