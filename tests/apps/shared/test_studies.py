"""Dashboards of studies below the address of the apps: their own addresses follow, and a closed one is gone."""

from __future__ import annotations

import asyncio
import json
from typing import Any

from tornado.httpclient import AsyncHTTPClient, HTTPResponse
from tornado.httpserver import HTTPServer
from tornado.testing import bind_unused_port
from tornado.web import Application, RequestHandler

from maestro.apps.shared import studies

BASE = "/hub/user/anna/tile"
PAGE = b'<script defer src="/static/bundle.js"></script>'
SCRIPT = b'{url_prefix:"/dashboard"};fetch(`${this.baseURL}/api/studies`)'


class Board(RequestHandler):
    """Answers as optuna-dashboard does, and repeats what came."""

    def get(self, path: str) -> None:
        if path == "/":
            self.redirect("/dashboard")
        elif path.startswith("/dashboard"):
            self.set_header("Content-Security-Policy", "default-src 'self'")
            self.write(PAGE)
        elif path == "/static/bundle.js":
            self.write(SCRIPT)
        else:
            self.write({"path": path, "query": self.request.query, "body": self.request.body.decode()})

    post = get


def asked(*requests: tuple[str, dict[str, Any]]) -> list[HTTPResponse]:
    """Answers to requests below the address of an open dashboard."""

    async def ask() -> list[HTTPResponse]:
        (board, port), (front, entrance) = bind_unused_port(), bind_unused_port()
        forwarding = Application([(BASE + studies.PATTERN, studies.StudiesHandler)])
        servers = [HTTPServer(Application([("(/.*)", Board)])), HTTPServer(forwarding)]
        for server, listening in zip(servers, (board, front), strict=True):
            server.add_socket(listening)
        token = studies.offer(port)
        try:
            return [
                await AsyncHTTPClient().fetch(
                    f"http://127.0.0.1:{entrance}{BASE}/studies/{token}{path}", raise_error=False,
                    follow_redirects=False, **options,
                )
                for path, options in requests
            ]  # fmt: skip
        finally:
            studies.withdraw(token)
            for server in servers:
                server.stop()
                await server.close_all_connections()

    return asyncio.run(ask())


def test_the_addresses_of_a_dashboard_begin_with_those_of_the_apps() -> None:
    page, deep, script, start = asked(
        ("/dashboard", {}), ("/dashboard/studies/3", {}), ("/static/bundle.js", {}), ("/", {})
    )
    base = page.effective_url.removesuffix("/dashboard").partition(BASE)[2]
    assert page.body == deep.body == f'<script defer src="{BASE}{base}/static/bundle.js"></script>'.encode()
    assert page.headers["Content-Security-Policy"] == "default-src 'self'"
    assert script.body.decode() == (
        f'{{url_prefix:"{BASE}{base}/dashboard"}};fetch(`${{this.baseURL}}{BASE}{base}/api/studies`)'
    )
    assert (start.code, start.headers["Location"]) == (302, f"{BASE}{base}/dashboard")


def test_requests_reach_the_dashboard_with_their_query_and_body() -> None:
    read, written = asked(("/api/studies/1?after=5", {}), ("/api/studies/1/note", {"method": "POST", "body": "text"}))
    assert json.loads(read.body) == {"path": "/api/studies/1", "query": "after=5", "body": ""}
    assert json.loads(written.body) == {"path": "/api/studies/1/note", "query": "", "body": "text"}


def test_the_installed_dashboard_has_the_addresses_that_are_changed() -> None:
    from importlib.util import find_spec
    from pathlib import Path

    found = find_spec("optuna_dashboard")
    assert found is not None
    assert found.origin is not None
    folder = Path(found.origin).parent
    changed = studies.below("/x", "/dashboard", (folder / "index.html").read_bytes())
    assert b'src="/x/static/bundle.js"' in changed
    script = studies.below("/x", "/static/bundle.js", (folder / "public" / "bundle.js").read_bytes())
    assert b'url_prefix:"/x/dashboard"' in script
    assert b"{this.baseURL}/x/api/studies" in script
    assert b"{this.baseURL}/api/" not in script


def test_a_closed_dashboard_is_gone_and_one_that_starts_is_asked_again() -> None:
    async def ask(token: str) -> HTTPResponse:
        front, entrance = bind_unused_port()
        server = HTTPServer(Application([(studies.PATTERN, studies.StudiesHandler)]))
        server.add_socket(front)
        try:
            return await AsyncHTTPClient().fetch(
                f"http://127.0.0.1:{entrance}/studies/{token}/dashboard", raise_error=False
            )
        finally:
            server.stop()
            await server.close_all_connections()

    unbound, port = bind_unused_port()
    unbound.close()
    token = studies.offer(port)
    starting = asyncio.run(ask(token))
    studies.withdraw(token)
    assert (starting.code, starting.headers["Refresh"]) == (202, "1")
    closed = asyncio.run(ask(token))
    assert closed.code == 404
    assert "open it again" in closed.reason
