"""The client against a server that listens: the library's results, progress, resumption, and refusals."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import maestro as ms
from maestro.client import Client
from maestro.errors import AccessError, JobError, QuotaError, RunCancelled, ServiceError, SettingsError
from maestro.service.worker import Worker
from tests.service.web.conftest import Site, listening
from tests.support.patience import GIVE_UP

ASKED: dict[str, Any] = {"trials": 8, "splitter": "rolling:4,2,1", "space": {"fast": (5, 20)}}


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    with listening(tmp_path / "service") as found:
        found.service.users.add("anna", "researcher", "correct horse battery")
        found.keys["anna"] = found.service.users.make_key("anna")
        yield found


@pytest.fixture
def working(site: Site) -> Iterator[Site]:
    worker = Worker(site.service.database, site.service.runs_dir)
    thread = threading.Thread(target=worker.run)
    thread.start()
    yield site
    worker.stop()
    thread.join(GIVE_UP)


def test_the_result_is_that_of_the_library(working: Site, tmp_path: Path) -> None:
    seen: list[dict[str, Any]] = []
    costs = ms.Costs(fee=0.002)
    with Client(working.url, working.keys["anna"], runs_dir=tmp_path / "there") as client:
        estimate = client.estimate("sample:IBM", "RSIStrategy", trials=8, splitter="rolling:4,2,1", costs=costs)
        wf = client.walk_forward("sample:AAPL", "EmaCrossStrategy", **ASKED, costs=costs, progress=seen.append)
        assert client.walk_forward("sample:AAPL", "EmaCrossStrategy", **ASKED, costs=costs).id == wf.id
        assert "sample:IBM" in client.series()
        assert "RSIStrategy" in client.strategies()
        assert [job.run for job in client.jobs()] == [wf.id]
    own = ms.walk_forward(ms.load("sample:AAPL"), "EmaCrossStrategy", **ASKED, costs=costs, runs_dir=tmp_path / "here")
    assert (wf.id, wf.folder) == (own.id, tmp_path / "there" / own.id)
    assert ms.runs.RunStore(wf.folder).fetched_from() == working.url
    for name in ("trials", "folds", "equity", "trades"):
        one, two = (tmp_path / where / wf.id / f"{name}.parquet" for where in ("here", "there"))
        assert one.read_bytes() == two.read_bytes()
    assert ms.load_run(wf.id, tmp_path / "there").metrics == pytest.approx(own.metrics, nan_ok=True)
    assert [event["kind"] for event in seen if "seq" in event] == ["queued", "started", *["fold"] * 3, "done"]
    assert estimate["folds"] == 3


def test_a_backtest_is_that_of_the_library(working: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[dict[str, Any]] = []
    asked: dict[str, Any] = {"params": {"fast": 10, "slow": 50}, "sizing": "percent:0.5", "costs": ms.Costs(fee=0.002)}
    own = ms.backtest(ms.load("sample:AAPL", start="2010"), "EmaCrossStrategy", **asked)
    with Client(working.url, working.keys["anna"], runs_dir=tmp_path) as client:
        bt = client.backtest("sample:AAPL", "EmaCrossStrategy", **asked, start="2010", progress=seen.append)
        (job,) = client.jobs()
        assert (job.kind, job.state) == ("backtest", "done")
        assert job.result().metrics == bt.metrics == own.metrics
    assert isinstance(bt, ms.Backtest)
    for table in ("equity", "trades", "orders"):
        assert getattr(bt, table).equals(getattr(own, table), null_equal=True)
    assert bt.bars.fingerprint == own.bars.fingerprint
    assert (tmp_path / "backtests" / job.run / "manifest.json").is_file()
    assert ms.runs.list_runs(tmp_path).is_empty()
    assert [event["kind"] for event in seen if "seq" in event] == ["queued", "started", "done"]
    monkeypatch.setenv("MAESTRO_SERVICE_KEY", working.keys["anna"])
    line = [sys.executable, "-m", "maestro", "--server", working.url, "backtest", "EmaCrossStrategy", "-d",
            "sample:AAPL", "--start", "2010", "--param", "fast=10", "--param", "slow=50", "--sizing", "percent:0.5",
            "--fee", "0.002", "--json"]  # fmt: skip
    done = subprocess.run(line, capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert f"makes backtest {job.run}" in done.stderr
    assert json.loads(done.stdout)["metrics"]["final_equity"] == own.metrics["final_equity"]


def test_without_a_socket_the_same_events_come_by_polling(working: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    import websockets.sync.client

    def refuse(*_: Any, **__: Any) -> None:
        raise OSError("blocked by a proxy")

    with Client(working.url, working.keys["anna"]) as client:
        job = client.submit("sample:AAPL", "EmaCrossStrategy", **ASKED)
        by_socket = [event for event in job.events() if "seq" in event]
        monkeypatch.setattr(websockets.sync.client, "connect", refuse)
        assert [event for event in job.events() if "seq" in event] == by_socket
        assert [event for event in job.events(by_socket[2]["seq"]) if "seq" in event] == by_socket[3:]


def test_a_restart_of_the_service_ends_nothing(tmp_path: Path) -> None:
    folder = tmp_path / "service"
    seen: list[dict[str, Any]] = []
    with listening(folder) as site:
        client = Client(site.url, runs_dir=tmp_path / "runs", patience=120.0)
        job = client.submit("sample:AAPL", "EmaCrossStrategy", **{**ASKED, "trials": 100})
        port = site.port
        waiting = threading.Thread(target=lambda: job.wait(seen.append))
        waiting.start()
    with listening(folder, port) as site:
        Worker(site.service.database, site.service.runs_dir).run(until_empty=True)
        waiting.join(GIVE_UP)
        assert not waiting.is_alive()
        assert job.result().id == job.run
        client.close()
    assert [event["kind"] for event in seen if "seq" in event] == ["queued", "started", *["fold"] * 3, "done"]


def test_refusals_are_errors_of_the_library(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    with Client(site.url, site.keys["anna"]) as client:
        with pytest.raises(SettingsError, match="trials=0 leaves nothing to search"):
            client.submit("sample:AAPL", "EmaCrossStrategy", trials=0)
        with pytest.raises(SettingsError, match="a service takes names"):
            client.submit(ms.load("sample:AAPL"), "EmaCrossStrategy")  # type: ignore[arg-type]
        with pytest.raises(SettingsError, match="give it as text"):
            client.submit("sample:AAPL", "EmaCrossStrategy", splitter=ms.Rolling())
        with pytest.raises(JobError, match="there is no job"):
            client.job("nope")
        job = client.submit("sample:AAPL", "EmaCrossStrategy", **ASKED)
        with pytest.raises(JobError, match="is not finished, its job"):
            job.result()
        job.cancel()
        with pytest.raises(RunCancelled, match="submit it again"):
            job.wait()
        site.service.queue.quota = 0
        with pytest.raises(QuotaError, match="0 are allowed"):
            client.submit("sample:AAPL", "EmaCrossStrategy", **ASKED)
    with Client(site.url, "mk_00000000_" + "x" * 43) as client, pytest.raises(AccessError, match="no valid login"):
        client.jobs()
    with pytest.raises(ServiceError, match="is maestro serve running there"):
        Client("http://127.0.0.1:9", patience=0.0)
    with pytest.raises(SettingsError, match="not the address of a service"):
        Client("ftp://example")
    monkeypatch.setattr("maestro.client.connection.__version__", "0.0.0")
    with pytest.raises(ServiceError, match="install the same version"):
        Client(site.url, site.keys["anna"])


def test_a_failed_job_has_a_reason(site: Site) -> None:
    with Client(site.url, site.keys["anna"]) as client:
        job = client.submit("sample:AAPL", "EmaCrossStrategy", **ASKED)
        with site.service.database.writing() as connection:
            connection.execute("UPDATE jobs SET run = 'elsewhere'")
        site.work()
        with pytest.raises(JobError, match=r"failed: the data, the strategy or the version of Maestro changed"):
            job.wait(progress=True)
