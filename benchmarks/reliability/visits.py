"""Visitors of the apps who come and go over real connections: the server holds none of their pages afterwards."""

from __future__ import annotations

import gc
import socket
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

from maestro.apps.serving import APPS, page_of
from maestro.apps.shared import access

_BATCH = 20
_PATIENCE = 60.0


def _apps() -> int:
    """Apps in memory, garbage included."""
    return sum(type(one).__name__ == "App" and type(one).__module__.startswith("maestro") for one in gc.get_objects())


def _held() -> int:
    """Apps in memory, after a collection of garbage."""
    gc.collect()
    return _apps()


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
    url, before = f"http://127.0.0.1:{port}", _held()
    server = pn.serve(
        {name: page_of(name) for name in names}, port=port, address="127.0.0.1", show=False, threaded=True,
        check_unused_sessions_milliseconds=300, unused_session_lifetime_milliseconds=200,
    )  # fmt: skip
    try:
        _reachable(url)
        for number in range(tries):
            session = pull_session(url=f"{url}/{names[number % len(names)]}")
            opened = _apps() > before  # a page of an error has no app
            session.close()
            del session
            last = number % _BATCH == _BATCH - 1 or number == tries - 1
            held = _remaining(before) if last else 0
            yield f"{held} pages held" if held > 0 else "" if opened else "an empty page"
    finally:
        server.stop()
        access.restrict(None)
