"""Executors of somebody else: what they are sent, and a real Dask cluster of one scheduler and two workers."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import pytest

import maestro as ms
from maestro.bars import Bars
from maestro.errors import RunCancelled, RunError, SettingsError
from maestro.execution import events as ev
from maestro.execution.choose import choose
from maestro.execution.distributed import Dask, Parcel, Submitting, _Reports, is_client
from maestro.execution.events import Event, FoldDone
from maestro.execution.protocol import Task, results_of, run_tasks
from tests.execution.tasks import add
from tests.support.patience import GIVE_UP
from tests.support.rules import RISING, THREE, Cross, Slow, same

distributed = pytest.importorskip("distributed")
SETTINGS: dict[str, Any] = {"splitter": ms.Rolling(n_splits=6), "trials": 12}


class Cluster:
    """A scheduler and two workers, each a process of its own, in a folder where the tests' modules are not found."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.file = folder / "scheduler.json"
        self.scheduler = self._start("scheduler", "--port", "0", "--no-dashboard", "--host", "127.0.0.1",
                                     "--scheduler-file", str(self.file))  # fmt: skip
        self.workers = [
            self._start("worker", "--scheduler-file", str(self.file), "--nthreads", "1", "--no-dashboard", "--no-nanny",
                        "--host", "127.0.0.1", "--death-timeout", "30", "--name", f"worker-{k}")
            for k in range(2)
        ]  # fmt: skip

    def _start(self, kind: str, *options: str) -> subprocess.Popen[bytes]:
        with open(self.folder / f"{kind}.log", "ab") as log:
            return subprocess.Popen(
                [sys.executable, "-m", f"distributed.cli.dask_{kind}", *options], cwd=self.folder, stdout=log,
                stderr=log, env={k: v for k, v in os.environ.items() if k != "PYTHONPATH"},
            )  # fmt: skip

    def client(self) -> Any:
        until = time.monotonic() + GIVE_UP
        while not self.file.exists():
            assert self.scheduler.poll() is None, (self.folder / "scheduler.log").read_text()
            assert time.monotonic() < until
            time.sleep(0.05)
        client = distributed.Client(scheduler_file=str(self.file), timeout=GIVE_UP)
        client.wait_for_workers(2, timeout=GIVE_UP)
        return client

    def stop(self) -> None:
        for process in (*self.workers, self.scheduler):
            process.kill()
            process.wait()


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    made = Cluster(tmp_path_factory.mktemp("cluster"))
    client = made.client()
    yield client
    client.close()
    made.stop()


@pytest.fixture
def own_cluster(tmp_path: Path) -> Iterator[tuple[Cluster, Any]]:
    """One that the test may break."""
    made = Cluster(tmp_path)
    client = made.client()
    yield made, client
    client.close(timeout=1)
    made.stop()


# -- Dask -------------------------------------------------------------------------------------


def test_a_client_is_taken_and_gives_the_same_to_the_bit(cluster: Any) -> None:
    assert is_client(cluster)
    one = ms.walk_forward(RISING, Cross, **SETTINGS, executor="serial")
    assert same(ms.walk_forward(RISING, Cross, **SETTINGS, executor=cluster), one)
    warm = ms.walk_forward(RISING, Cross, **SETTINGS, warm_start=True)
    assert same(ms.walk_forward(RISING, Cross, **SETTINGS, warm_start=True, executor=cluster), warm)
    sweep = ms.sweep(RISING, Cross, n=60, seed=3, executor="serial")
    assert ms.sweep(RISING, Cross, n=60, seed=3, executor=cluster).table.equals(sweep.table)


def test_every_trial_is_reported_before_its_fold_is_done(cluster: Any) -> None:
    heard: list[Any] = []
    wf = ms.walk_forward(RISING, Cross, **SETTINGS, executor=cluster, progress=heard.append)
    trials = [event for event in heard if isinstance(event, ev.TrialDone)]
    reported = sorted((event.fold, event.number, event.state) for event in trials)
    assert reported == sorted(wf.trials.select("fold", "trial", "state").rows())
    for fold in range(len(wf.folds)):
        done = next(k for k, event in enumerate(heard) if isinstance(event, ev.FoldDone) and event.fold == fold)
        assert all(heard.index(event) < done for event in trials if event.fold == fold)


def test_a_task_that_runs_again_reports_nothing_twice() -> None:
    heard: list[tuple[int, Any]] = []
    reports = _Reports(lambda number, value: heard.append((number, value)))
    reports.hear(7, 0, ["a", "b"])
    reports.hear(7, 0, ["a"])  # from the beginning, on another worker
    reports.hear(7, 1, ["b", "c"])
    reports.hear(7, 9, ["z"])  # what came between was lost
    reports.end(7)
    reports.hear(7, 3, ["late"])
    assert heard == [(7, "a"), (7, "b"), (7, "c")]


def test_bars_reach_each_worker_once_and_leave_when_the_run_ends(cluster: Any) -> None:
    results_of(run_tasks(Dask(cluster), [Task(add, (k,)) for k in range(20)], 5))

    def kept(dask_worker: Any) -> list[str]:
        return [str(key) for key in dask_worker.data if str(key).startswith("maestro-")]

    until = time.monotonic() + GIVE_UP
    while any(cluster.run(kept).values()):
        assert time.monotonic() < until
        time.sleep(0.05)


def test_a_cancelled_run_frees_the_workers_and_counts_its_trials(cluster: Any, tmp_path: Path) -> None:
    cancel = threading.Event()

    def listen(event: Event) -> None:
        if isinstance(event, FoldDone):
            cancel.set()

    settings = {**THREE, "trials": 400, "runs_dir": tmp_path}
    with pytest.raises(RunCancelled, match=r"cancelled after [12] of 3 folds; they are kept in"):
        ms.walk_forward(RISING, Slow, **settings, executor=cluster, progress=listen, cancel=cancel)
    states = ms.Ledger(RISING).entries().filter(kind="walk_forward")["state"].to_list()
    assert "interrupted" in states  # what it had done came back
    assert results_of(run_tasks(Dask(cluster), [Task(add, (k,)) for k in range(4)], 1)) == [1, 2, 3, 4]
    cancel.clear()
    wf = ms.walk_forward(RISING, Slow, **settings)
    assert same(wf, ms.walk_forward(RISING, Slow, **{**THREE, "trials": 400}))


class DiesOnce(Cross):
    """Ends the first process in which it is asked, but the test's."""

    spared = ms.Int(0, 0, 2**31, search=False)
    flag = ms.Choice("", ("",), search=False)

    def signals(self, bars: Bars) -> ms.Signals:
        if os.getpid() != self.spared:
            try:
                os.close(os.open(FLAG, os.O_CREAT | os.O_EXCL))
            except FileExistsError:
                pass
            else:
                os._exit(9)
        return super().signals(bars)


FLAG = ""


def test_a_worker_that_is_killed_costs_nothing_but_time(own_cluster: tuple[Cluster, Any], tmp_path: Path) -> None:
    global FLAG
    FLAG = str(tmp_path / "died")  # goes to the workers with the class
    params = {"spared": os.getpid()}
    one = ms.walk_forward(RISING, DiesOnce, **SETTINGS, params=params, executor="serial")
    assert same(ms.walk_forward(RISING, DiesOnce, **SETTINGS, params=params, executor=own_cluster[1]), one)
    assert Path(FLAG).exists()


class Dies(Cross):
    def signals(self, bars: Bars) -> ms.Signals:
        os._exit(9)


def test_a_strategy_that_kills_every_worker_is_a_run_error(own_cluster: tuple[Cluster, Any], tmp_path: Path) -> None:
    one = ms.Rolling(n_splits=2)
    _, client = own_cluster
    client.run_on_scheduler(lambda dask_scheduler: setattr(dask_scheduler, "allowed_failures", 1))
    with pytest.raises(RunError, match=r"several workers of the Dask cluster died .*Look at the workers' logs"):
        ms.walk_forward(RISING, Dies, splitter=one, trials=2, executor=client, runs_dir=tmp_path / "runs")


def test_a_scheduler_that_is_killed_is_a_run_error_with_a_remedy(
    own_cluster: tuple[Cluster, Any], tmp_path: Path
) -> None:
    cluster, client = own_cluster

    def listen(event: Event) -> None:
        if isinstance(event, FoldDone) and cluster.scheduler.poll() is None:
            cluster.scheduler.kill()
            cluster.scheduler.wait()

    settings = {**THREE, "trials": 400, "runs_dir": tmp_path / "runs"}
    message = (
        r"the Dask cluster stopped working .*connect a new Client .*[12] of 3 folds are finished; they are kept in"
    )
    with pytest.raises(RunError, match=message):
        ms.walk_forward(RISING, Slow, **settings, executor=client, progress=listen)
    assert same(ms.walk_forward(RISING, Slow, **settings), ms.walk_forward(RISING, Slow, **{**THREE, "trials": 400}))


def test_a_client_that_cannot_wait_is_refused() -> None:
    class Asynchronous(distributed.Client):
        asynchronous = True

        def __init__(self) -> None:
            pass

        def __del__(self) -> None:
            pass

    with pytest.raises(SettingsError, match="an asynchronous Client cannot be used; give Client"):
        choose(Asynchronous(), None, 3)


# -- others -----------------------------------------------------------------------------------


def test_an_object_with_submit_gets_the_part_that_a_task_needs() -> None:
    class Far:
        """Pickles what it is given, as an executor on another machine does."""

        def submit(self, function: Any, *args: Any) -> Future[Any]:
            sent = pickle.dumps((function, args))
            sizes.append(len(sent))
            future: Future[Any] = Future()
            function, args = pickle.loads(sent)
            future.set_result(function(*args))
            return future

    def half(shared: list[int], number: int) -> tuple[list[int], tuple[int]]:
        return shared[number * 500 : number * 500 + 500], (number + 1,)

    def summed(shared: list[int], context: Any, number: int) -> int:
        return number * sum(shared)

    sizes: list[int] = []
    shared = list(range(1_000))
    tasks = [Task(summed, (k,), half) for k in range(2)]
    assert results_of(run_tasks(Submitting(Far()), tasks, shared)) == [sum(shared[:500]), 2 * sum(shared[500:])]
    assert max(sizes) < len(pickle.dumps(shared))


def test_the_standard_librarys_processes_get_code_that_they_cannot_import() -> None:
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
        one = ms.walk_forward(RISING, Cross, **SETTINGS, executor="serial")
        assert same(ms.walk_forward(RISING, Cross, **SETTINGS, executor=pool), one)


def test_a_parcel_that_is_not_sent_holds_the_object_itself() -> None:
    value = object()
    assert Parcel(value).open() is value
    assert pickle.loads(pickle.dumps(Parcel((1, Cross)))).open()[0] == 1
