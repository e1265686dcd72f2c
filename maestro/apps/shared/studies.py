"""The Optuna dashboards of runs, below the address of the apps: a tile, a hub or a proxy leads to no other port."""

from __future__ import annotations

import secrets
from typing import Any

from tornado.httpclient import AsyncHTTPClient, HTTPClientError
from tornado.web import HTTPError, RequestHandler

PATTERN = r"/studies/([\w-]+)(/.*)"
"""Path of a dashboard: its token, then the path that the dashboard knows."""
_PORTS: dict[str, int] = {}
"""Ports of the dashboards that are open, by token."""
_served = False
_KEPT = ("Content-Type", "Content-Security-Policy", "Content-Disposition")
_STARTING = "<!DOCTYPE html><html lang='en'><title>Optuna dashboard</title><p>The dashboard is starting.</p></html>"


def offer(port: int) -> str:
    """Serve the dashboard of a port of this machine; returns its token, which cannot be guessed."""
    token = secrets.token_urlsafe(16)
    _PORTS[token] = port
    return token


def withdraw(token: str) -> None:
    """Serve a dashboard no longer."""
    _PORTS.pop(token, None)


class StudiesHandler(RequestHandler):
    """Forwards requests to a dashboard, and puts the path before its name into its own addresses."""

    async def forward(self, token: str, path: str) -> None:
        """Answer as the dashboard does."""
        port = _PORTS.get(token)
        if port is None:
            raise HTTPError(404, reason="This dashboard is closed; open it again in the Walk-forward app")
        body = self.request.body if self.request.method in ("POST", "PUT") else None
        given = {name: self.request.headers[name] for name in ("Content-Type",) if name in self.request.headers}
        query = f"?{self.request.query}" if self.request.query else ""
        try:
            answer = await AsyncHTTPClient().fetch(
                f"http://127.0.0.1:{port}{path}{query}", method=self.request.method or "GET", body=body,
                headers=given, raise_error=False, follow_redirects=False, request_timeout=120.0,
            )  # fmt: skip
        except (ConnectionError, HTTPClientError):
            self.set_status(202)
            self.set_header("Refresh", "1")
            self.finish(_STARTING)
            return
        self.set_status(answer.code, answer.reason)
        for name in _KEPT:
            if name in answer.headers:
                self.set_header(name, answer.headers[name])
        base = self.request.path.removesuffix(path)
        if "Location" in answer.headers:
            self.set_header("Location", base + answer.headers["Location"].removeprefix(f"http://127.0.0.1:{port}"))
        self.finish(below(base, path, answer.body or b""))

    get = post = put = delete = forward

    def check_xsrf_cookie(self) -> None:
        """Nothing: the token in the address is known to the visitor's page alone."""


def below(base: str, path: str, body: bytes) -> bytes:
    """Page or script of the dashboard with `base` before its own addresses, which are absolute."""
    start = base.encode()
    if path.startswith("/dashboard"):
        return body.replace(b'src="/static/', b'src="' + start + b"/static/")
    if path == "/static/bundle.js":
        router = body.replace(b'url_prefix:"/dashboard"', b'url_prefix:"' + start + b'/dashboard"')
        return router.replace(b"{this.baseURL}/api/", b"{this.baseURL}" + start + b"/api/")
    return body


def patterns() -> list[Any]:
    """Patterns for the server of the apps, which has dashboards from then on."""
    global _served
    _served = True
    return [(PATTERN, StudiesHandler)]


def served() -> bool:
    """Whether the server of the apps forwards to dashboards; ``panel serve`` and notebooks do not."""
    return _served
