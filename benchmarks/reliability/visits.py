"""Visitors of the apps who come and go over real connections: the server holds none of their pages afterwards."""

from __future__ import annotations

import functools
import gc
import importlib
import re
import socket
import time
import weakref
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.parse import urlencode
from urllib.request import urlopen

from maestro.apps.serving import APPS, page_of
from maestro.apps.shared import access

_BATCH = 100
_PATIENCE = 60.0
_LINK = {"walk_forward": {"trials": "2", "splitter": "rolling:3,2,1"}}
"""Settings in the link of an app, so that a visit costs the page and not a search."""
_alive: weakref.WeakSet[Any] = weakref.WeakSet()
_opened: list[str] = []
"""Apps that were opened, by name: a page of an error has none."""


def _watch(name: str) -> None:
    """Enter every App of a module in `_alive` from now on."""
    app = importlib.import_module(f"maestro.apps.{name}").App
    if not hasattr(app.__init__, "watched"):
        original = app.__init__

        @functools.wraps(original)
        def entered(self: Any, *given: Any, **settings: Any) -> None:
            _alive.add(self)
            _opened.append(name)
            original(self, *given, **settings)

        entered.watched = True  # type: ignore[attr-defined]
        app.__init__ = entered


def _held() -> int:
    """Apps in memory, after a collection of garbage."""
    gc.collect()
    return len(_alive)


def _remaining(before: int) -> int:
    """Apps that are held although every session had time to end."""
    end = time.monotonic() + _PATIENCE
    while (held := _held() - before) > 0 and time.monotonic() < end:
        time.sleep(0.5)
    return held


def _reachable(url: str) -> None:
    end = time.monotonic() + _PATIENCE
    while True:
        try:
            with urlopen(f"{url}/favicon.ico", timeout=_PATIENCE):
                return
        except URLError:
            if time.monotonic() > end:
                raise
            time.sleep(0.2)


def _until(connection: Any, kind: str) -> None:
    """Read messages of a socket, each of a header, metadata and content, until one of this kind has come."""
    while f'"{kind}"' not in str(connection.recv(_PATIENCE)):
        pass
    for _ in ("metadata", "content"):
        connection.recv(_PATIENCE)


def _visit(url: str, name: str) -> bool:
    """Do what a browser does: get a page, pull its document, say that it is drawn, leave; True if an app came."""
    from bokeh.document import Document
    from bokeh.document.events import MessageSentEvent
    from bokeh.events import DocumentReady
    from bokeh.protocol import Protocol
    from websockets.sync.client import connect
    from websockets.typing import Subprotocol

    before = len(_opened)
    with urlopen(f"{url}/{name}?{urlencode(_LINK.get(name, {}))}", timeout=_PATIENCE) as answer:
        token = re.search(r'"token":"([^"]+)"', answer.read().decode())
    if token is None:
        return False
    offered = [Subprotocol("bokeh"), Subprotocol(token[1])]
    with connect(
        f"ws{url[4:]}/{name}/ws", subprotocols=offered, max_size=None, open_timeout=_PATIENCE,
        max_queue=None,  # with a limit, unread messages would hold up the end of the connection
    ) as connection:  # fmt: skip

        def send(message: Any) -> None:
            for part in (message.header_json, message.metadata_json, message.content_json):
                connection.send(part)

        _until(connection, "ACK")
        send(Protocol().create("PULL-DOC-REQ"))
        _until(connection, "PULL-DOC-REPLY")
        send(Protocol().create("PATCH-DOC", [MessageSentEvent(Document(), "bokeh_event", DocumentReady())]))
        _until(connection, "OK")
    return set(_opened[before:]) == {name}


_TURN = (*APPS, *(name for name in APPS if name != "walk_forward"))
"""The Walk-forward app costs as much as four others, and is visited half as often."""


def visits(tries: int, folder: Path, names: Sequence[str] = _TURN) -> Iterator[str]:
    """Visit the apps in turn and leave: the server keeps no page of a visitor who has left."""
    import panel as pn

    access.restrict()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = int(free.getsockname()[1])
    for name in set(names):
        _watch(name)
    url, before = f"http://127.0.0.1:{port}", _held()
    server = pn.serve(
        {name: page_of(name) for name in names}, port=port, address="127.0.0.1", show=False, threaded=True,
        check_unused_sessions_milliseconds=300, unused_session_lifetime_milliseconds=3_000,
    )  # fmt: skip
    try:
        _reachable(url)
        for number in range(tries):
            name = names[number % len(names)]
            opened = _visit(url, name)
            last = number % _BATCH == _BATCH - 1 or number == tries - 1
            held = _remaining(before) if last else 0
            yield f"{held} pages held" if held > 0 else "" if opened else "an empty page"
    finally:
        server.stop()
        access.restrict(None)
