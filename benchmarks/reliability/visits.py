"""Visitors of the apps who come and go over real connections: the server holds none of their pages afterwards."""

from __future__ import annotations

import functools
import gc
import importlib
import socket
import time
import weakref
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.request import urlopen

from maestro.apps.serving import APPS, page_of
from maestro.apps.shared import access

_BATCH = 20
_PATIENCE = 60.0


_LINK = {"walk_forward": {"trials": "2"}}
"""Settings in the link of an app, so that a visit costs the page and not a search."""
_alive: weakref.WeakSet[Any] = weakref.WeakSet()


def _watch(name: str) -> None:
    """Enter every App of a module in `_alive` from now on."""
    app = importlib.import_module(f"maestro.apps.{name}").App
    if not hasattr(app.__init__, "watched"):
        original = app.__init__

        @functools.wraps(original)
        def entered(self: Any, *given: Any, **settings: Any) -> None:
            _alive.add(self)
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


def visits(tries: int, folder: Path, names: Sequence[str] = tuple(APPS)) -> Iterator[str]:
    """Visit the apps in turn and leave: the server holds no page of a visitor who has left."""
    import panel as pn
    from bokeh.client import pull_session

    access.restrict()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = int(free.getsockname()[1])
    for name in names:
        _watch(name)
    url, before = f"http://127.0.0.1:{port}", _held()
    server = pn.serve(
        {name: page_of(name) for name in names}, port=port, address="127.0.0.1", show=False, threaded=True,
        check_unused_sessions_milliseconds=300, unused_session_lifetime_milliseconds=200,
    )  # fmt: skip
    try:
        _reachable(url)
        for number in range(tries):
            name = names[number % len(names)]
            session = pull_session(url=f"{url}/{name}", arguments=_LINK.get(name, {}))
            opened = len(_alive) > before  # a page of an error has no app
            session.close()
            del session
            last = number % _BATCH == _BATCH - 1 or number == tries - 1
            held = _remaining(before) if last else 0
            yield f"{held} pages held" if held > 0 else "" if opened else "an empty page"
    finally:
        server.stop()
        access.restrict(None)
