"""``maestro cluster`` starts a Dask cluster until Ctrl-C, and shows the workers of any."""

from __future__ import annotations

import json
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

import pytest

from maestro.errors import RunError
from maestro.execution import cluster, distributed
from tests.cli.commands import Done, fits

WORKER = {
    "name": "one", "address": "tcp://127.0.0.1:40000", "threads": 2, "memory": 2**31, "executing": 3,
    "maestro": "0.1.0", "python": "3.11.7",
}  # fmt: skip
ADDRESS = "tcp://127.0.0.1:8786"


@pytest.fixture
def workers(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """A cluster that answers with these workers."""
    rows = [WORKER, {**WORKER, "name": "two"}]

    @contextmanager
    def connected(address: str, *, check: bool = True) -> Iterator[str]:
        assert (address, check) == (ADDRESS, False)
        yield "client"

    monkeypatch.setattr(distributed, "connected", connected)
    monkeypatch.setattr(cluster, "status", lambda client: rows)
    monkeypatch.setattr(cluster, "handshake", lambda client: ("another kind of CPU",))
    return rows


def test_status_shows_each_worker_and_notes(run: Callable[..., Done], workers: list[dict[str, Any]]) -> None:
    done = run("cluster", "status", ADDRESS)
    assert (done.code, done.err) == (0, "")
    assert done.out.splitlines()[0] == f"2 workers, 4 threads at {ADDRESS}"
    (row,) = [line.split() for line in done.out.splitlines() if line.startswith("two ")]
    assert row == ["two", "tcp://127.0.0.1:40000", "2", "2,048", "MB", "3", "0.1.0", "3.11.7"]
    assert "• another kind of CPU" in done.out
    assert fits(done.out, 90)
    document = json.loads(run("cluster", "status", ADDRESS, "--json").out)
    assert document == {"address": ADDRESS, "workers": workers, "notes": ["another kind of CPU"], "error": None}


def test_status_fails_where_a_worker_runs_another_version(
    run: Callable[..., Done], workers: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(client: object) -> tuple[str, ...]:
        raise RunError("tcp://x has polars 0.1")

    monkeypatch.setattr(cluster, "handshake", refuse)
    done = run("cluster", "status", ADDRESS)
    assert (done.code, done.out.splitlines()[-1]) == (1, "! tcp://x has polars 0.1")
    failed = run("cluster", "status", ADDRESS, "--json")
    assert (failed.code, json.loads(failed.out)["error"]) == (1, "tcp://x has polars 0.1")


def test_start_says_where_and_stops_at_ctrl_c(run: Callable[..., Done], monkeypatch: pytest.MonkeyPatch) -> None:
    import time

    calls: list[Any] = []

    @contextmanager
    def local(*words: Any) -> Iterator[Any]:
        calls.append(words)
        yield SimpleNamespace(workers=[1, 2], scheduler_address=ADDRESS)
        calls.append("closed")

    monkeypatch.setattr(distributed, "local_cluster", local)
    monkeypatch.setattr(time, "sleep", lambda seconds: signal.raise_signal(signal.SIGINT))
    done = run("cluster", "start", "--workers", "2", "--port", "0", "--memory", "2GB")
    assert done.code == 0
    assert calls == [(2, 0, "2GB"), "closed"]
    assert (
        done.out == f"2 workers; the scheduler listens at {ADDRESS}\nuse it with --cluster {ADDRESS}; Ctrl-C stops it\n"
    )


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (("status",), 2, "Missing argument 'ADDRESS'"),
        (("status", "nowhere"), 1, "no Dask scheduler answers at nowhere (missing port number"),
        (("start", "--workers", "0"), 2, "greater than or equal to 1, not '0'."),
        (("start", "--port", "70000"), 2, "less than or equal to 65535, not '70000'."),
        (("start", "--memory", "lots"), 2, "--memory 'lots' is not a size; give 2GB, 500MB or auto"),
    ],
)
def test_bad_input_is_one_line(run: Callable[..., Done], words: tuple[str, ...], code: int, message: str) -> None:
    pytest.importorskip("distributed")
    done = run("cluster", *words)
    assert (done.code, done.out, done.err.count("\n")) == (code, "", 1)
    assert message in done.err
