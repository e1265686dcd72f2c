"""A real cluster by its address: handshake, status, many walk-forwards, and the shell."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import maestro as ms
from maestro.cli import main
from maestro.errors import RunError
from maestro.execution import cluster as asked
from maestro.execution.distributed import connected
from maestro.runs import versions
from tests.execution.test_distributed import Cluster
from tests.support.patience import GIVE_UP
from tests.support.rules import Cross

pytest.importorskip("distributed")
SETTINGS: dict[str, Any] = {"splitter": "rolling:3,1,1", "trials": 4}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Cluster, Any]]:
    own = Cluster(tmp_path_factory.mktemp("cluster"))
    client = own.client()
    yield own, client
    client.close(timeout=1)
    own.stop()


def universe() -> ms.Universe:
    return ms.universe({name: ms.synthetic_bars(500, k, "1d") for k, name in enumerate("ABCD")})


def test_many_walk_forwards_are_equal_to_the_bit(made: tuple[Cluster, Any]) -> None:
    one = ms.walk_forward_many(universe(), [Cross, "RSIStrategy"], executor="serial", **SETTINGS)
    two = ms.walk_forward_many(universe(), [Cross, "RSIStrategy"], executor=made[1], **SETTINGS)
    assert two.table.equals(one.table)
    for cell, wf in one.items():
        for name in ("folds", "trials", "equity", "trades"):
            assert getattr(two[cell], name).equals(getattr(wf, name))


def test_killed_workers_cost_nothing_but_time(made: tuple[Cluster, Any]) -> None:
    """A worker is killed and another one started again and again while the work goes on."""
    own, client = made
    client.run_on_scheduler(lambda dask_scheduler: setattr(dask_scheduler, "allowed_failures", 1_000))
    ended = threading.Event()
    killed = 0

    def disturb() -> None:
        nonlocal killed
        while not ended.is_set() and killed < 4:
            time.sleep(0.4)
            victim = own.workers.pop(0)
            victim.kill()
            victim.wait()
            killed += 1
            own.workers.append(own._start("worker", "--scheduler-file", str(own.file), "--nthreads", "1",
                                          "--no-dashboard", "--no-nanny", "--host", "127.0.0.1",
                                          "--name", f"again-{killed}"))  # fmt: skip
            client.wait_for_workers(2, timeout=GIVE_UP)

    u = ms.universe({f"S{k}": ms.synthetic_bars(500, k, "1d") for k in range(12)})
    one = ms.walk_forward_many(u, Cross, executor="serial", **SETTINGS)
    thread = threading.Thread(target=disturb)
    thread.start()
    try:
        for _ in range(50):
            two = ms.walk_forward_many(u, Cross, executor=client, **SETTINGS)
            assert two.table.equals(one.table)
            if not thread.is_alive():
                break
    finally:
        ended.set()
        thread.join()
    assert killed >= 1


def test_workers_with_other_versions_are_refused(made: tuple[Cluster, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    _own, client = made
    real = versions()
    monkeypatch.setattr(asked, "_known", {})
    answers = {"tcp://x": {**real, "polars": "0.1"}}
    monkeypatch.setattr(asked, "_ask", lambda client, workers: answers)
    with pytest.raises(
        RunError, match=r"tcp://x has polars 0\.1 instead of .* Results could differ\. Install the same"
    ):
        asked.handshake(client)
    answers["tcp://x"] = {**real, "cpu": "Another"}
    (note,) = asked.handshake(client)
    assert "another kind of CPU (Another; here" in note
    assert asked.handshake(client) == (note,)  # known, and not asked again


def test_a_worker_without_maestro_is_named() -> None:
    class Client:
        def run(self, function: Any, workers: Any, on_error: str) -> dict[str, Any]:
            return {"tcp://x": ModuleNotFoundError("No module named 'maestro'")}

    with pytest.raises(RunError, match=r"tcp://x of the Dask cluster cannot run Maestro .*No module named"):
        asked._ask(Client(), ["tcp://x"])


def test_an_address_without_a_scheduler_is_refused() -> None:
    with (
        pytest.raises(RunError, match=r"no Dask scheduler answers at tcp://127\.0\.0\.1:9"),
        connected("tcp://127.0.0.1:9", timeout=1),
    ):
        pass


def test_the_shell_shows_and_uses_it(
    made: tuple[Cluster, Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    address = json.loads(made[0].file.read_text())["address"]

    def run(*words: str) -> int:
        with pytest.raises(SystemExit) as left:
            main(list(words))
        return int(left.value.code or 0)

    assert run("cluster", "status", address, "--json") == 0
    document = json.loads(capsys.readouterr().out)
    assert len(document["workers"]) == 2
    assert {row["maestro"] for row in document["workers"]} == {ms.__version__}
    assert run("cluster", "status", address) == 0
    assert "2 workers, 2 threads" in capsys.readouterr().out
    words = ("--splitter", "rolling:3,1,1", "--trials", "3", "--no-progress", "--json")
    assert run("walk-forward", "RSIStrategy", "-d", "sample:IBM", *words, "--cluster", address,
               "--runs-dir", str(tmp_path / "a")) == 0  # fmt: skip
    far = json.loads(capsys.readouterr().out)
    assert run("walk-forward", "RSIStrategy", "-d", "sample:IBM", *words, "--runs-dir", str(tmp_path / "b")) == 0
    here = json.loads(capsys.readouterr().out)
    assert far["id"] == here["id"]
    assert far["folds"] == here["folds"]
    assert "--cluster" not in far["command"]
    series = ("-d", "sample:IBM", "-d", "sample:AAPL")
    many = (
        "walk-forward-many",
        "RSIStrategy",
        *series,
        *words,
        "--cluster",
        address,
        "--runs-dir",
        str(tmp_path / "a"),
    )
    assert run(*many) == 0
    document = json.loads(capsys.readouterr().out)
    assert [row["id"] is not None for row in document["table"]] == [True, True]


@pytest.mark.skipif(sys.platform == "win32", reason="SIGINT cannot be sent to one process")
def test_a_local_cluster_runs_until_it_is_stopped() -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "maestro", "cluster", "start", "--workers", "1", "--port", "0"], stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line.startswith("1 workers; the scheduler listens at tcp://127.0.0.1:")
        with connected(line.rsplit(" ", 1)[1].strip(), timeout=GIVE_UP) as client:
            assert client.submit(sum, [1, 2]).result(timeout=GIVE_UP) == 3
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=GIVE_UP)
        assert process.returncode == 0
    finally:
        process.kill()
        process.wait()
        process.communicate()
