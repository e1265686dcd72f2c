"""Runs of the Walk-forward app on a service: found again after the tab was closed, and cancelled there."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

import maestro as ms
from maestro.apps.shared.service import service
from maestro.apps.walk_forward.app import App
from maestro.apps.walk_forward.job import Job
from maestro.apps.walk_forward.remote import belongs_to_service, has_job, run_on_service
from maestro.apps.walk_forward.runner import Runner, folder_of, in_progress
from maestro.apps.walk_forward.state import WalkForwardState
from maestro.errors import BarsError, RunCancelled
from maestro.execution.jobs import RunProgress
from maestro.service.worker import Worker
from tests.service.web.conftest import Site, listening
from tests.support.patience import GIVE_UP


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    with listening(tmp_path / "service") as found:
        monkeypatch.setenv("MAESTRO_SERVICE_URL", found.url)
        yield found


@contextmanager
def working(site: Site) -> Iterator[None]:
    worker = Worker(site.service.database, site.service.runs_dir)
    thread = threading.Thread(target=worker.run)
    thread.start()
    try:
        yield
    finally:
        worker.stop()
        thread.join(GIVE_UP)


def state(tmp_path: Path, **changed: Any) -> WalkForwardState:
    given = {"splitter": "rolling:4,2,1", "trials": 30, "runs_dir": str(tmp_path / "app")}
    return WalkForwardState(**{**given, **changed})


def test_a_run_goes_on_without_its_page_and_is_found_again(site: Site, tmp_path: Path) -> None:
    bars = ms.load("sample:AAPL")
    first, closed = Runner(), threading.Event()
    first.start(state(tmp_path), bars, lambda result, error: closed.set())
    while not site.service.queue.jobs():
        time.sleep(0.01)
    (job,) = site.service.queue.jobs()
    site.work()  # the first page may be gone: its thread knows nothing that the service does not
    found: list[Any] = []
    second = Runner()
    second.start(state(tmp_path), bars, lambda result, error: found.extend((result, error)))
    second.wait(GIVE_UP)
    first.wait(GIVE_UP)
    wf, error = found
    assert error is None
    assert [one.id for one in site.service.queue.jobs()] == [job.id]
    own = ms.walk_forward(bars, "EmaCrossStrategy", splitter="rolling:4,2,1", trials=30, select="sharpe_ratio,vwr")
    assert (wf.id, wf.equity.equals(own.equity)) == (own.id, True)
    progress = second.progress
    assert isinstance(progress, RunProgress)
    assert (progress.folds, progress.folds_done) == (3, 3)


def test_it_is_cancelled_on_the_service(site: Site, tmp_path: Path) -> None:
    cancel, bars = threading.Event(), ms.load("sample:AAPL")
    threading.Timer(1.0, cancel.set).start()
    with working(site), pytest.raises(RunCancelled):
        run_on_service(state(tmp_path, trials=20_000), bars, RunProgress(), cancel)
    assert site.service.queue.jobs()[0].state == "cancelled"


def test_other_bars_of_the_same_name_are_refused(site: Site, tmp_path: Path) -> None:
    bars = ms.load("sample:AAPL")[:-1]
    with working(site), pytest.raises(BarsError, match="other bars of sample:AAPL"):
        run_on_service(state(tmp_path), bars, RunProgress(), threading.Event())


def test_files_and_own_strategies_run_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Own(ms.Strategy):
        n = ms.Int(3, 2, 9)

    assert not belongs_to_service(state(tmp_path)), "there is no service"
    monkeypatch.setenv("MAESTRO_SERVICE_URL", "http://127.0.0.1:9")
    assert belongs_to_service(state(tmp_path))
    assert belongs_to_service(state(tmp_path, data="BINANCE:BTCUSDT:1h"))
    assert not belongs_to_service(state(tmp_path, data=str(tmp_path / "prices.csv")))
    assert not belongs_to_service(WalkForwardState(Own))


def test_a_page_that_opens_settings_of_a_job_follows_it(site: Site, tmp_path: Path) -> None:
    bars, asked = ms.load("sample:AAPL"), state(tmp_path)
    run = Job(asked, bars).id
    assert not has_job(run, "")
    with service("") as client:
        job = client.submit("sample:AAPL", "EmaCrossStrategy", splitter="rolling:4,2,1", trials=30)
        assert job.run == run
        assert has_job(run, "")
        job.cancel()
        assert not has_job(run, "")
        client.submit("sample:AAPL", "EmaCrossStrategy", splitter="rolling:4,2,1", trials=30)
    site.work()
    page = App(query={"splitter": "rolling:4,2,1", "trials": "30", "runs_dir": str(tmp_path / "app")})
    page.runner.wait(GIVE_UP)
    page.look()
    assert page.wf is not None
    assert page.wf.id == run
    assert (tmp_path / "app" / run / "manifest.json").is_file()


def test_another_visitor_does_not_follow_the_runner_of_the_first(site: Site, tmp_path: Path) -> None:
    bars, asked = ms.load("sample:AAPL"), state(tmp_path, trials=20_000)
    job, ended = Job(asked, bars), threading.Event()
    first = Runner()
    first.start(asked, bars, lambda *_: ended.set(), folder=folder_of(job), login="anna's cookie")
    try:
        assert in_progress(job, "anna's cookie") is first
        assert in_progress(job, "ben's cookie") is None
    finally:
        first.cancel()
        assert ended.wait(GIVE_UP)
