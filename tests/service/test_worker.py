"""Workers: results of the library, cancellation, orderly ends, and SIGKILL at any moment."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

import maestro as ms
from maestro.runs import RunStore
from maestro.service.jobs import Database, Job, Leases, Queue
from maestro.service.worker import Worker
from tests.support.forked import forks
from tests.support.mlflow import stand_in
from tests.support.patience import GIVE_UP

Submit = Callable[..., Job]
KILLS = int(os.environ.get("MAESTRO_TEST_WORKER_KILLS", "4"))
TABLES = ("trials", "folds", "equity", "trades")


@contextmanager
def working(database: Database, **settings: object) -> Iterator[Worker]:
    worker = Worker(database, database.folder / "runs", **settings)  # type: ignore[arg-type]
    thread = threading.Thread(target=worker.run)
    thread.start()
    try:
        yield worker
    finally:
        worker.stop()
        thread.join(GIVE_UP)
        assert not thread.is_alive()


def start_worker(folder: Path) -> subprocess.Popen[bytes]:
    line = [sys.executable, "-m", "maestro", "worker", "--folder", str(folder), "--no-idle"]
    return subprocess.Popen(line, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def wait_for(condition: Callable[[], bool], seconds: float = GIVE_UP) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "this did not happen in time"
        time.sleep(0.01)


def test_a_job_gives_the_run_of_the_library(submit: Submit, queue: Queue, database: Database, tmp_path: Path) -> None:
    job, follower, failing = submit(), submit(owner="ben"), submit(seed=3)
    with database.writing() as connection:
        connection.execute("UPDATE jobs SET run = 'elsewhere' WHERE id = ?", (failing.id,))
    Worker(database, database.folder / "runs").run(until_empty=True)
    done = queue.get(job.id)
    assert (done.state, done.done) == ("done", done.total)
    assert queue.get(follower.id).state == "done"
    assert "submit it again" in str(queue.get(failing.id).error)
    wf = ms.walk_forward(
        ms.load("sample:AAPL"), "EmaCrossStrategy", trials=8, splitter="rolling:4,2,1", runs_dir=tmp_path / "own"
    )
    assert wf.id == job.run
    for name in TABLES:
        one, two = (folder / job.run / f"{name}.parquet" for folder in (tmp_path / "own", database.folder / "runs"))
        assert one.read_bytes() == two.read_bytes()
    assert wf.manifest["ledger"]["user"] != "anna"
    assert RunStore(database.folder / "runs" / job.run).manifest()["ledger"]["user"] == "anna"
    kinds = [event.kind for event in queue.events(job.id)]
    assert kinds == ["queued", "started", *["fold"] * job.folds, "done"]
    assert done.sharpe == pytest.approx(wf.metrics["sharpe_ratio"], nan_ok=True)


def test_runs_are_logged_on_an_mlflow_server_and_its_absence_is_reported(
    submit: Submit, queue: Queue, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    with stand_in() as server:
        monkeypatch.setenv("MAESTRO_MLFLOW_URL", server.url)
        job = submit()
        Worker(database, database.folder / "runs").run(until_empty=True)
        tag = {"key": "maestro.run", "value": job.run}
        logged = [run for run in server.runs.values() if tag in run["data"]["tags"]]
        assert [run["info"]["status"] for run in logged] == ["FINISHED"]
        assert any(name.endswith("report.html") for name in server.files)
    other = submit(seed=1)
    Worker(database, database.folder / "runs").run(until_empty=True)
    assert queue.get(other.id).state == "done"
    [note] = [event for event in queue.events(other.id) if event.kind == "note"]
    assert "MLflow does not have all of it" in note.data["note"]


def test_a_running_job_is_cancelled(submit: Submit, queue: Queue, database: Database) -> None:
    job = submit(trials=20_000)
    with working(database):
        wait_for(lambda: queue.get(job.id).state == "running")
        queue.cancel(job.id)
        wait_for(lambda: queue.get(job.id).state == "cancelled")
    assert [event.kind for event in queue.events(job.id)][-1] == "cancelled"


def test_a_worker_that_is_stopped_gives_its_job_back(submit: Submit, queue: Queue, database: Database) -> None:
    job = submit(trials=20_000)
    with working(database):
        wait_for(lambda: queue.get(job.id).state == "running")
    waiting = queue.get(job.id)
    assert (waiting.state, waiting.attempts) == ("queued", 0)
    assert [event.kind for event in queue.events(job.id)][-1] == "requeued"


def test_a_worker_that_loses_its_watcher_gives_its_job_back(
    submit: Submit, queue: Queue, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> bool:
        raise RuntimeError("broken")

    job = submit(trials=20_000)
    monkeypatch.setattr(Leases, "cancel_requested", broken)
    with pytest.raises(RuntimeError, match="broken"):
        Worker(database, database.folder / "runs").run()
    assert queue.get(job.id).state == "queued"


def test_a_lost_lease_ends_the_work_and_writes_nothing(submit: Submit, queue: Queue, database: Database) -> None:
    job = submit(trials=20_000)
    with working(database, lease=1000.0):
        wait_for(lambda: queue.get(job.id).state == "running")
        with database.writing() as connection:
            connection.execute("UPDATE jobs SET worker = 'another' WHERE id = ?", (job.id,))
        other = submit()
        wait_for(lambda: queue.get(other.id).state == "done")  # the worker has let go of the first
    assert queue.get(job.id).worker == "another"
    assert queue.get(job.id).state == "running"


def test_a_run_that_another_process_works_on_is_waited_for(submit: Submit, queue: Queue, database: Database) -> None:
    job = submit()
    store = RunStore(database.folder / "runs" / job.run)
    with working(database):
        with store.locked():
            wait_for(lambda: any(event.kind == "requeued" for event in queue.events(job.id)))
            assert queue.get(job.id).state in ("queued", "running")
        wait_for(lambda: queue.get(job.id).state == "done")


def jobs_of(queue: Queue) -> list[Job]:
    return queue.jobs(limit=10_000)


@pytest.mark.slow
def test_sigkill_of_workers_loses_no_job_and_changes_no_byte(
    submit: Submit, queue: Queue, database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As many kills as MAESTRO_TEST_WORKER_KILLS says, each in or after a fold; leases are cut short by hand."""
    jobs: list[Job] = []
    draw = random.Random(0)
    words = ("worker", "--folder", str(database.folder), "--no-idle")

    def count_of(kind: str) -> int:
        found = database.row("SELECT COUNT(*) FROM events WHERE kind = ?", (kind,))
        return int(found[0]) if found else 0

    with forks() as forked:
        for _ in range(KILLS):
            while sum(job.state != "done" for job in jobs_of(queue)) < 2:  # there is always work to be killed in
                jobs.append(submit(seed=len(jobs), trials=400))
            started, folds, wanted = count_of("started"), count_of("fold"), draw.randrange(4)
            with forked.running(*words) as worker:
                wait_for(lambda before=started: count_of("started") > before)
                wait_for(lambda enough=folds + wanted: count_of("fold") >= enough)
                time.sleep(draw.uniform(0.0, 0.3))
                worker.end(signal.SIGKILL)
            with database.writing() as connection:  # nobody waits 10 s for the lease of a worker that is dead
                connection.execute("UPDATE jobs SET lease_until = 0, attempts = 1 WHERE state = 'running'")
    jobs.append(submit(seed=len(jobs), trials=400))  # the last worker works, so it is up when it is asked to end
    worker = start_worker(database.folder)
    try:
        wait_for(lambda: all(job.state == "done" for job in jobs_of(queue)))
    finally:
        worker.terminate()
        assert worker.wait(GIVE_UP) == 0
    assert {job.id for job in jobs_of(queue)} == {job.id for job in jobs}
    for job in jobs:
        seed = job.spec["seed"]
        wf = ms.walk_forward(
            ms.load("sample:AAPL"), "EmaCrossStrategy", trials=400, splitter="rolling:4,2,1", seed=seed,
            runs_dir=tmp_path / "own",
        )  # fmt: skip
        for name in TABLES:
            own, kept = (folder / wf.id / f"{name}.parquet" for folder in (tmp_path / "own", database.folder / "runs"))
            assert own.read_bytes() == kept.read_bytes()
        folds = [event.data["fold"] for event in queue.events(job.id) if event.kind == "fold"]
        assert sorted(folds) == list(range(job.folds))
        assert [event.kind for event in queue.events(job.id)].count("done") == 1
