"""Requests that are refused before any endpoint sees them, and what counts as a page of this host."""

from __future__ import annotations

import asyncio
import json
import logging
import socket
from typing import Any

import pytest

from maestro.service.web import guard
from maestro.service.web.guard import Guard, on_loopback, same_origin
from tests.service.web.conftest import Site
from tests.service.web.test_access import JOBS
from tests.support.patience import GIVE_UP


def test_large_slow_and_compressed_requests_are_refused(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guard, "BODY_SECONDS", 0.3)
    with site.http("anna") as http:
        assert http.post(JOBS, content=b"x" * (guard.BODY + 1)).status_code == 413
        assert http.post(JOBS, content=(b"x" * 65_536 for _ in range(8))).status_code == 413
        assert http.post(JOBS, content=b"\x1f\x8b", headers={"Content-Encoding": "gzip"}).status_code == 415
        assert http.get(JOBS, headers={"X-Long": "x" * 20_000}).status_code in (400, 431)
        assert http.get(JOBS, headers={"Authorization": "Bearer " + "x" * 5_000}).status_code == 401
    with socket.create_connection(("127.0.0.1", site.port)) as slow:
        slow.sendall(
            f"POST {JOBS} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {site.keys['anna']}\r\n"
            "Content-Length: 100\r\n\r\n{".encode()
        )
        slow.settimeout(GIVE_UP)
        assert b" 408 " in slow.recv(1000)


@pytest.mark.parametrize(
    ("headers", "ours"),
    [
        ({}, True),  # a program
        ({"origin": "http://a.test:1", "host": "a.test:1"}, True),
        ({"origin": "https://a.test", "host": "a.test"}, True),
        ({"origin": "http://a.test:2", "host": "a.test:1"}, False),
        ({"origin": "https://evil.example", "host": "a.test"}, False),
        ({"origin": "null", "host": "null"}, False),
        ({"origin": "", "host": "a.test"}, False),
        ({"sec-fetch-site": "same-origin"}, True),
        ({"sec-fetch-site": "same-site"}, False),
        ({"sec-fetch-site": "cross-site"}, False),
        ({"origin": "https://evil.example", "host": "a.test", "sec-fetch-site": "same-origin"}, False),
    ],
)
def test_only_pages_of_this_host_are_ours(headers: dict[str, str], ours: bool) -> None:
    assert same_origin(headers) is ours


@pytest.mark.parametrize(
    ("address", "host", "near"),
    [
        ("127.0.0.1", "localhost:8400", True), ("127.0.0.2", "127.0.0.1", True), ("::1", "[::1]:8400", True),
        ("::1", "[::1]", True), ("127.0.0.1", "evil.example", False), ("127.0.0.1", "localhost.evil.example", False),
        ("127.0.0.1", "", False), ("192.0.2.1", "localhost", False), (None, "localhost", False),
        ("no address", "localhost", False),
    ],
)  # fmt: skip
def test_only_this_machine_by_its_own_name_is_near(address: str | None, host: str, near: bool) -> None:
    assert on_loopback(address, host) is near


class Seen:
    """An application that reads its body, and the metrics; both remember what they saw."""

    def __init__(self) -> None:
        self.bodies: list[bytes] = []
        self.observed: list[tuple[str, int]] = []

    def observe(self, method: str, status: int, seconds: float) -> None:
        self.observed.append((method, status))

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            self.bodies.append((await receive())["body"])
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body", "body": b""})


def ask(seen: Seen, kind: str = "http", **headers: str) -> list[dict[str, Any]]:
    """Send one request through the guard; returns what it answers."""
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"{}", "more_body": False}

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    raw = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    scope = {"type": kind, "path": "/x", "headers": raw} | ({"method": "POST"} if kind == "http" else {})
    asyncio.run(Guard(seen, seen)(scope, receive, send))  # type: ignore[arg-type]
    return sent


def test_what_is_let_in_gets_the_headers_of_every_answer(caplog: pytest.LogCaptureFixture) -> None:
    seen = Seen()
    with caplog.at_level(logging.INFO, "maestro.service.web"):
        start, _ = ask(seen)
    assert seen.bodies == [b"{}"]
    headers = dict(start["headers"])
    assert headers[b"x-content-type-options"] == b"nosniff"
    assert headers[b"x-frame-options"] == b"SAMEORIGIN"
    assert seen.observed == [("POST", 204)]
    [record] = [one for one in caplog.records if one.name == "maestro.service.web"]
    assert record.request == headers[b"x-request-id"].decode()  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"content_length": str(guard.BODY + 1)}, 413), ({"content_length": "-1"}, 413),
        ({"content_length": "1e3"}, 413), ({"content_encoding": "gzip"}, 415), ({"x": "y" * guard.HEADERS}, 431),
        ({"authorization": "x" * (guard.AUTHORIZATION + 1)}, 401), ({"origin": "https://evil.example"}, 403),
    ],
)  # fmt: skip
def test_what_is_refused_is_not_seen_by_an_endpoint(headers: dict[str, str], status: int) -> None:
    seen = Seen()
    start, body = ask(seen, **headers)
    assert start["status"] == json.loads(body["body"])["status"] == status
    assert json.loads(body["body"])["remedy"]
    assert not seen.bodies
    assert seen.observed == [("POST", status)]


def test_a_socket_with_long_headers_is_closed_with_the_reason() -> None:
    [closed] = ask(Seen(), "websocket", x="y" * guard.HEADERS)
    assert (closed["type"], closed["code"]) == ("websocket.close", 1008)
    assert "headers are longer" in closed["reason"]
