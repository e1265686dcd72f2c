"""The events of a job: the same by long polling, server-sent events and WebSocket, and pings while nothing happens."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from websockets.sync.client import connect

from maestro.service.web import progress
from maestro.service.web.progress import follow
from maestro.service.web.state import Service
from tests.service.conftest import SMALL
from tests.service.web.conftest import Site
from tests.service.web.test_access import JOBS
from tests.support.patience import GIVE_UP


def sse(http: httpx.Client, ident: str, last: int = 0) -> list[dict[str, object]]:
    with http.stream("GET", f"{JOBS}/{ident}/stream", headers={"Last-Event-ID": str(last)}) as answer:
        lines = [line.removeprefix("data: ") for line in answer.iter_lines() if line.startswith("data: ")]
    return [one for one in map(json.loads, lines) if "seq" in one]


def test_polling_stream_and_socket_give_the_same_events_and_go_on_anywhere(alone: Site) -> None:
    with alone.http() as http:
        job = http.post(JOBS, json={**SMALL, "trials": 60}).json()["id"]
        streamed: list[dict[str, object]] = []
        socketed: list[dict[str, object]] = []

        def read_stream() -> None:
            with alone.http() as own:
                streamed.extend(sse(own, job))

        def read_socket() -> None:
            with connect(f"ws://127.0.0.1:{alone.port}{JOBS}/{job}/ws", proxy=None) as socket:
                socketed.extend(one for one in map(json.loads, socket) if "seq" in one)

        readers = [threading.Thread(target=read) for read in (read_stream, read_socket)]
        for reader in readers:
            reader.start()
        alone.work()
        for reader in readers:
            reader.join(GIVE_UP)
        polled, after = [], 0
        while True:
            answer = http.get(f"{JOBS}/{job}/events?after={after}&wait=5").json()
            if not answer["events"]:
                break
            polled += answer["events"]
            after = polled[-1]["seq"]
        assert [event["kind"] for event in polled] == ["queued", "started", *["fold"] * 3, "done"]
        assert streamed == socketed == polled
        assert sse(http, job, polled[2]["seq"]) == polled[3:]


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    made = Service(tmp_path / "service")
    yield made
    made.database.close()


@pytest.fixture
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """No pause between looks, and no silence between messages."""

    async def at_once(*_: object) -> None:
        await asyncio.sleep(0)

    monkeypatch.setattr(progress, "_PING", 0.0)
    monkeypatch.setattr(progress, "_SHARE", 0.0)
    monkeypatch.setattr(progress, "_change", at_once)


def submitted(service: Service) -> str:
    job, _ = service.queue.submit(
        "anna", {}, run="0" * 16, strategy="Rule", provider="P", symbol="S", folds=3, trials=24
    )
    return job.id


async def first(service: Service, ident: str, count: int, after: int = 0) -> list[dict[str, Any]]:
    found = []
    async for message in follow(service, ident, after):
        found.append(message)
        if len(found) == count:
            break
    return found


def test_the_stream_sends_the_progress_of_a_job_then_pings(service: Service, hasty: None) -> None:
    event, share, ping = asyncio.run(first(service, submitted(service), 3))
    assert (event["kind"], event["seq"]) == ("queued", 1)
    assert share == {"kind": "progress", "data": {"done": 0, "total": 3 * 24, "state": "queued"}}
    assert ping == {"kind": "ping", "data": {}}


def test_a_finished_job_ends_the_stream(service: Service) -> None:
    ident = submitted(service)
    service.queue.cancel(ident)
    whole = asyncio.run(first(service, ident, 100))
    assert [message["kind"] for message in whole] == ["queued", "cancelled"]
    assert asyncio.run(first(service, ident, 100, after=whole[0]["seq"])) == whole[1:]
    assert asyncio.run(first(service, ident, 100, after=whole[1]["seq"])) == []


def test_server_sent_events_have_numbers_and_pings_are_comments(service: Service, hasty: None) -> None:

    async def read(count: int) -> list[str]:
        stream = progress._sse(service, ident, 0)
        return [await anext(stream) for _ in range(count)]

    ident = submitted(service)
    event, share, ping = asyncio.run(read(3))
    head, kind, data, *_ = event.split("\n")
    assert (head, kind) == ("id: 1", "event: queued")
    assert json.loads(data.removeprefix("data: "))["kind"] == "queued"
    assert share.startswith("event: progress\ndata: {")
    assert ping == ": ping\n\n"
    assert event.endswith("\n\n")
