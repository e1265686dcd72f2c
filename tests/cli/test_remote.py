"""``maestro --server URL`` runs walk-forward and backtest on a service; the result is that of this machine."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest

import maestro as ms
from maestro import client
from maestro.service.worker import Worker
from tests.cli.commands import Done
from tests.service.web.conftest import Site, listening
from tests.support.patience import GIVE_UP

WALK = ("walk-forward", "EmaCrossStrategy", "-d", "sample:AAPL", "--trials", "4", "--splitter", "rolling:4,2,1")


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    """A service that listens, and a worker."""
    with listening(tmp_path / "service") as site:
        site.service.users.add("anna", "researcher", "correct horse battery")
        monkeypatch.setenv("MAESTRO_SERVICE_KEY", site.service.users.make_key("anna"))
        worker = Worker(site.service.database, site.service.runs_dir)
        thread = threading.Thread(target=worker.run)
        thread.start()
        yield site
        worker.stop()
        thread.join(GIVE_UP)


def test_a_walk_forward_is_kept_here_and_is_the_run_of_this_machine(
    run: Callable[..., Done], server: Site, tmp_path: Path
) -> None:
    far = run("--server", server.url, *WALK, "--no-progress")
    assert far.code == 0, far.err
    here = json.loads(run(*WALK, "--no-progress", "--json", "--runs-dir", "here").out)
    assert f"on {server.url} makes run {here['id']}; it goes on if this command ends" in far.err
    assert f"Run {here['id']} is kept in {Path('runs') / here['id']}" in far.out
    assert ms.load_run(here["id"], tmp_path / "runs").metrics == pytest.approx(
        ms.load_run(here["id"], tmp_path / "here").metrics, nan_ok=True, abs=0
    )


def test_a_backtest_has_the_figures_of_this_machine(run: Callable[..., Done], server: Site) -> None:
    words = ("backtest", "EmaCrossStrategy", "-d", "sample:AAPL", "-p", "fast=12", "--json")
    far, here = run("--server", server.url, *words), run(*words)
    assert far.code == 0, far.err
    assert "makes backtest " in far.err
    assert json.loads(far.out)["metrics"] == json.loads(here.out)["metrics"]


def test_only_two_commands_run_on_a_server(run: Callable[..., Done]) -> None:
    done = run("--server", "http://127.0.0.1:9", "strategies")
    assert (done.code, done.out) == (2, "")
    assert "--server is for walk-forward and backtest only; leave it out" in done.err


@pytest.mark.parametrize("address", ["http://127.0.0.1:9", "nowhere"])
def test_a_server_that_does_not_answer_is_one_line(
    run: Callable[..., Done], monkeypatch: pytest.MonkeyPatch, address: str
) -> None:
    monkeypatch.setattr(client, "Client", partial(client.Client, patience=0.0))
    done = run("--server", address, *WALK, "--no-progress")
    assert (done.code, done.out, done.err.count("\n")) == (1 if ":9" in address else 2, "", 1)
    assert address in done.err


def test_ctrl_c_leaves_the_job_to_go_on_and_says_so(
    run: Callable[..., Done], server: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(job: client.RemoteJob, progress: bool) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(client.RemoteJob, "wait", interrupted)
    done = run("--server", server.url, *WALK, "--seed", "4", "--no-progress")
    assert done.code == 130
    (job,) = server.service.queue.jobs()
    assert f"job {job.id} goes on; the same command follows it again" in done.err
    assert server.service.queue.wait(job.id, GIVE_UP).state == "done"
