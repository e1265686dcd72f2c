"""A worker computes the folds of its jobs on the Dask cluster of the setting ``cluster``."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

import maestro as ms
from maestro.service.jobs import Database, Job, Queue
from maestro.service.worker import Worker
from tests.execution.test_distributed import Cluster
from tests.service.test_worker import TABLES, wait_for, working


def test_folds_run_on_the_cluster_with_the_same_bytes_and_can_be_cancelled(
    submit: Callable[..., Job], queue: Queue, database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cluster = Cluster(tmp_path)
    try:
        client = cluster.client()
        monkeypatch.setenv("MAESTRO_CLUSTER", client.scheduler.address)
        before = client.run_on_scheduler(lambda dask_scheduler: dask_scheduler.transition_counter)
        job = submit(trials=400)
        Worker(database, database.folder / "runs").run(until_empty=True)
        done = queue.get(job.id)
        assert (done.state, done.error, done.done) == ("done", None, done.total)
        after = client.run_on_scheduler(lambda dask_scheduler: dask_scheduler.transition_counter)
        assert after > before, "the cluster did nothing"
        long = submit(trials=20_000, seed=1)
        with working(database):
            wait_for(lambda: queue.get(long.id).done > 0)  # trials are reported within a fold
            queue.cancel(long.id)
            wait_for(lambda: queue.get(long.id).state == "cancelled")
        client.close()
    finally:
        cluster.stop()
    monkeypatch.delenv("MAESTRO_CLUSTER")
    wf = ms.walk_forward(
        ms.load("sample:AAPL"), "EmaCrossStrategy", trials=400, splitter="rolling:4,2,1", runs_dir=tmp_path / "own"
    )
    for name in TABLES:
        own, kept = (folder / wf.id / f"{name}.parquet" for folder in (tmp_path / "own", database.folder / "runs"))
        assert own.read_bytes() == kept.read_bytes()


def test_a_cluster_that_does_not_answer_fails_the_job_in_words(
    submit: Callable[..., Job], queue: Queue, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MAESTRO_CLUSTER", "tcp://127.0.0.1:9")
    job = submit()
    Worker(database, database.folder / "runs").run(until_empty=True)
    assert queue.get(job.id).state == "failed"
    assert "no Dask scheduler answers at tcp://127.0.0.1:9" in str(queue.get(job.id).error)
