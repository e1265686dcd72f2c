"""`maestro serve`: the addresses it listens on, an orderly end with streams open, and SIGKILL at any moment."""

from __future__ import annotations

import json
import os
import random
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from maestro.errors import SettingsError
from maestro.service.web.server import serve
from tests.service.conftest import SMALL
from tests.support.forked import forks
from tests.support.patience import GIVE_UP

KILLS = int(os.environ.get("MAESTRO_TEST_API_KILLS", "3"))
JOBS = "/api/v2/optimizations"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def process(*words: str) -> Iterator[subprocess.Popen[bytes]]:
    line = [sys.executable, "-m", "maestro", *words]
    started = subprocess.Popen(line, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        yield started
    finally:
        started.kill()
        started.wait()


def until_ready(http: httpx.Client) -> None:
    end = time.monotonic() + GIVE_UP
    while True:
        try:
            http.get("/readyz").raise_for_status()
            return
        except httpx.HTTPError:
            assert time.monotonic() < end
            time.sleep(0.05)


def test_without_users_no_other_address_is_listened_on(tmp_path: Path) -> None:
    for address in ("0.0.0.0", "::", "192.0.2.1", "example.org"):
        with pytest.raises(SettingsError, match="maestro user add"):
            serve(tmp_path, address=address)


def test_sigterm_ends_it_with_a_stream_open(tmp_path: Path) -> None:
    port = free_port()
    with (
        process("serve", "--port", str(port), "--folder", str(tmp_path)) as served,
        httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=120) as http,
    ):
        until_ready(http)
        job = http.post(JOBS, json=SMALL).json()["id"]
        with http.stream("GET", f"{JOBS}/{job}/stream") as stream:
            lines = stream.iter_lines()
            assert next(lines).startswith("id: ")
            served.send_signal(signal.SIGTERM)
            served.wait(GIVE_UP)  # a stream without an end would hold it for ever
        assert served.returncode in (0, -signal.SIGTERM)


@pytest.mark.slow
def test_sigkill_of_the_server_loses_and_doubles_no_event(tmp_path: Path) -> None:
    """As many kills as MAESTRO_TEST_API_KILLS says, each while a job runs and a reader follows it."""
    port, folder = free_port(), str(tmp_path)
    seen: dict[str, list[dict[str, Any]]] = {}
    over = threading.Event()

    def follow(http: httpx.Client, job: str) -> None:
        events = seen[job]
        last = {"Last-Event-ID": str(events[-1]["seq"] if events else 0)}
        with http.stream("GET", f"{JOBS}/{job}/stream", headers=last) as stream:
            lines = (line for line in stream.iter_lines() if line.startswith("data: "))
            events.extend(event for line in lines if "seq" in (event := json.loads(line[6:])))

    def read() -> None:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=GIVE_UP) as http:
            while waiting := unfinished(seen) or not over.is_set():
                try:
                    if isinstance(waiting, list):
                        follow(http, waiting[0])
                        continue
                except httpx.HTTPError:
                    pass
                time.sleep(0.05)

    reader = threading.Thread(target=read)
    reader.start()
    draw = random.Random(1)
    try:
        with forks() as forked, process("worker", "--folder", folder, "--no-idle") as worker:
            for kill in range(KILLS + 1):
                with (
                    forked.running("serve", "--port", str(port), "--folder", folder) as served,
                    httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=GIVE_UP) as http,
                ):
                    until_ready(http)
                    if kill < KILLS:
                        if not unfinished(seen):
                            asked = {**SMALL, "splitter": "rolling:30,2,1", "trials": 150, "seed": len(seen)}
                            seen[http.post(JOBS, json=asked).raise_for_status().json()["id"]] = []
                        time.sleep(draw.uniform(0.0, 1.0))
                        served.end(signal.SIGKILL)
                        continue
                    over.set()
                    reader.join(GIVE_UP)
                    assert not reader.is_alive()
                    kept = {job: http.get(f"{JOBS}/{job}/events").json()["events"] for job in seen}
                    listed = http.get(JOBS, params={"limit": 200}).json()["jobs"]
            assert worker.poll() is None
    finally:
        over.set()
    assert {job["id"] for job in listed} == set(seen)
    assert seen == kept
    for events in seen.values():
        assert [event["kind"] for event in events].count("done") == 1
        assert sorted(event["data"]["fold"] for event in events if event["kind"] == "fold") == list(range(29))


def unfinished(seen: dict[str, list[dict[str, Any]]]) -> list[str]:
    """Jobs whose last event has not been read."""
    return [job for job, events in list(seen.items()) if not events or events[-1]["kind"] != "done"]
