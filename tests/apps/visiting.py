"""A real server of the apps, and visitors who are watched, for the tests."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.request import urlopen

from tests.support.patience import GIVE_UP, GIVE_UP_MS

ROOT = Path(__file__).parents[2]
WAIT = GIVE_UP_MS


@contextmanager
def served(folder: Path, **environment: str) -> Iterator[str]:
    """`panel serve widgets/*.py` with `folder` as its working directory; gives the address before the app's name."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    scripts = sorted(map(str, (ROOT / "widgets").glob("*.py")))
    index = ["--index", "home"] if (ROOT / "widgets" / "home.py").is_file() else []
    address = ["--port", str(port), "--address", "127.0.0.1"]
    command = [sys.executable, "-m", "panel", "serve", *scripts, *index, *address]
    log = folder / "server.log"
    with open(log, "wb") as out:
        server = subprocess.Popen(
            command, cwd=folder, stdout=out, stderr=subprocess.STDOUT, env={**os.environ, **environment}
        )
    try:
        wait_until_served(server, port, log)
        yield f"http://127.0.0.1:{port}/"
        assert "maestro/" not in log.read_text(), log.read_text()  # the line of a traceback
    finally:
        server.terminate()
        server.wait(GIVE_UP)


def wait_until_served(server: subprocess.Popen[bytes], port: int, log: Path | None = None) -> None:
    """Wait until a server of apps answers."""
    give_up = time.monotonic() + GIVE_UP
    while True:
        try:
            urlopen(f"http://127.0.0.1:{port}/static/js/bokeh.min.js", timeout=5).close()
            return
        except (URLError, OSError):
            failed = log.read_text() if log else "the apps do not answer"
            assert server.poll() is None, failed
            assert time.monotonic() < give_up, failed
            time.sleep(0.25)


class Visitor:
    """A page that is watched: what it says to the console, and whom it asks."""

    def __init__(
        self, browser: Any, url: str, *, width: int = 1500, height: int = 1400, ready: str = "Freeze", **options: Any
    ) -> None:
        self.context = browser.new_context(
            viewport={"width": width, "height": height}, accept_downloads=True, **options
        )
        self.page = self.context.new_page()
        self.page.set_default_timeout(WAIT)
        self.output: list[str] = []
        self.asked: list[str] = []

        def guard(route: Any) -> None:
            if route.request.url.startswith(("http://127.0.0.1:", "data:", "blob:", "about:")):
                route.continue_()
            else:
                self.asked.append(route.request.url)
                route.abort()

        self.page.route("**/*", guard)
        self.page.on("console", lambda m: self.output.append(m.text) if m.type == "error" else None)
        self.page.on("pageerror", lambda error: self.output.append(error.stack or str(error)))
        self.page.on("dialog", lambda dialog: self.output.append(f"dialog: {dialog.message}") or dialog.dismiss())
        self.page.goto(url)
        self.page.get_by_text(ready, exact=False).first.wait_for()

    def leave(self) -> None:
        """Close the page; nothing was asked of another machine, and the console is clean."""
        self.context.close()
        assert not self.asked, self.asked
        assert not self.output, self.output

    def text(self, name: str) -> str:
        """Text of a tab of the card "Freeze"."""
        self.page.locator(".bk-tab", has_text=name).last.click()
        begins = {"Python": "import maestro", "Papermill": "# maestro", "Link": "?"}[name]
        texts = self.page.locator("pre")
        self.until(lambda: any(text.startswith(begins) for text in texts.all_inner_texts()))
        return next(text for text in texts.all_inner_texts() if text.startswith(begins))

    def shown(self) -> list[float]:
        """From and to, in seconds, of what the chart shows."""
        found = self.page.locator(".legend").evaluate(
            "node => { const r = node.parentElement.parentElement.chart.timeScale().getVisibleRange();"
            " return [r.from, r.to]; }"
        )
        return [float(edge) for edge in found]

    def until(self, condition: Any, seconds: float = GIVE_UP) -> None:
        """Wait until `condition()` holds."""
        end = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < end, "it did not come"
            self.page.wait_for_timeout(50)
