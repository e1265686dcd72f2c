"""Reading from a QuestDB server with faults: some are survived, and none for ever."""

from __future__ import annotations

import http.server
import json
import socketserver
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from maestro.data.stores import QuestDBStore, SeriesKey, questdb_http
from maestro.errors import (
    StoreError,
    StoreFullError,
    StoreUnavailableError,
)
from tests.data.stores.test_questdb import HOUR, rows

pytestmark = pytest.mark.questdb


class _Faulty(http.server.BaseHTTPRequestHandler):
    """Answers every question by the plan of its server: a status and a body, or a connection that is dropped."""

    plan: list[tuple[int, bytes]]
    asked: list[str]

    def do_GET(self) -> None:
        type(self).asked.append(self.path)
        status, body = self.plan.pop(0) if len(self.plan) > 1 else self.plan[0]
        if status == 0:
            self.close_connection = True
            return
        self.send_response(status)
        self.send_header("Content-Length", str(len(body) + (status == 206) * 100))  # 206: breaks off
        self.end_headers()
        self.wfile.write(body)
        self.close_connection = status == 206

    def log_message(self, format: str, *args: Any) -> None: ...


@pytest.fixture
def faulty() -> Iterator[Callable[[list[tuple[int, bytes]]], tuple[QuestDBStore, list[str]]]]:
    made: list[socketserver.TCPServer] = []

    def make(plan: list[tuple[int, bytes]]) -> tuple[QuestDBStore, list[str]]:
        asked: list[str] = []
        handler = type("Handler", (_Faulty,), {"plan": list(plan), "asked": asked})
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
        made.append(server)
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        return QuestDBStore(f"http://127.0.0.1:{server.server_address[1]}", timeout=2.0), asked

    yield make
    for server in made:
        server.shutdown()
        server.server_close()


def parquet(frame: pl.DataFrame, tmp_path: Path) -> bytes:
    frame.write_parquet(tmp_path / "body.parquet")
    return (tmp_path / "body.parquet").read_bytes()


def test_reading_survives_some_faults(faulty: Any, tmp_path: Path) -> None:
    frame = rows([0, HOUR])
    body = parquet(frame, tmp_path)
    for fault in (
        (500, b"oops"),
        (0, b""),
        (200, body[:-20]),
        (206, body),
        (429, b'{"error": "exceeded connection limit"}'),
    ):
        store, asked = faulty([fault, fault, (200, body)])
        assert store.read(SeriesKey("X", "Y", "1h")).equals(frame)
        assert len(asked) == 3, fault
        store.close()


def test_reading_gives_up_after_a_bounded_number_of_tries(faulty: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(questdb_http, "_PAUSE", 0.001)
    for fault, kind, message in (
        ((500, b"oops"), StoreError, "refuses: oops"),
        ((0, b""), StoreUnavailableError, "does not answer"),
        ((200, b"PAR1torn"), StoreUnavailableError, "answered 5 times with torn Parquet"),
        ((500, b"could not write [errno=28]"), StoreFullError, "no space left"),
    ):
        store, asked = faulty([fault])
        with pytest.raises(kind, match=message):
            store.read(SeriesKey("X", "Y", "1h"))
        assert len(asked) == 5
        store.close()


def test_what_is_refused_is_not_asked_again(faulty: Any) -> None:
    store, asked = faulty([(400, json.dumps({"error": "unexpected token [x]", "position": 7}).encode())])
    with pytest.raises(StoreError, match=r"refuses: unexpected token \[x\]"):
        store.read(SeriesKey("X", "Y", "1h"))
    assert len(asked) == 1
    store.close()
