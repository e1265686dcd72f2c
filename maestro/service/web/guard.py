"""Middleware that rejects large, slow, compressed or cross-origin requests, and writes the access log."""

from __future__ import annotations

import asyncio
import ipaddress
import logging
import secrets
import time
from typing import Any

from starlette.exceptions import HTTPException

from maestro.service.web.metrics import Metrics
from maestro.service.web.problems import problem

log = logging.getLogger("maestro.service.web")

BODY, HEADERS, AUTHORIZATION = 256 * 1024, 16 * 1024, 4096
"""Most bytes of a body, of all headers, and of the header ``Authorization``."""
BODY_SECONDS = 15.0
_SAFE = ("GET", "HEAD", "OPTIONS")
_HEADERS = [
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"SAMEORIGIN"),
    (b"referrer-policy", b"same-origin"),
]


class Guard:
    """A plain ASGI layer around the application."""

    def __init__(self, app: Any, metrics: Metrics) -> None:
        self._app, self._metrics = app, metrics

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        """Serve one request."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        began, status = time.perf_counter(), 0
        request = secrets.token_hex(6)
        headers: dict[str, str] = {}
        for name, value in scope["headers"]:
            headers[name.decode("latin-1").lower()] = value.decode("latin-1")

        async def sending(message: Any) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message = {
                    **message, "headers": [*message["headers"], *_HEADERS, (b"x-request-id", request.encode())],
                }  # fmt: skip
            await send(message)

        refused = None if scope["type"] == "websocket" else self._refuse(scope, headers)
        try:
            if sum(len(name) + len(value) for name, value in scope["headers"]) > HEADERS:
                refused = (431, f"the headers are longer than {HEADERS} bytes; send fewer cookies.")
            if refused is not None:
                if scope["type"] == "websocket":
                    await send({"type": "websocket.close", "code": 1008, "reason": refused[1]})
                else:
                    await problem(*refused)(scope, receive, sending)
                return
            await self._app(scope, receive if scope["type"] == "websocket" else _limited(receive), sending)
        finally:
            seconds = time.perf_counter() - began
            method = scope.get("method", "WEBSOCKET")
            self._metrics.observe(method, status or 101, seconds)
            log.info(
                "request",
                extra={
                    "request": request, "method": method, "path": scope["path"], "status": status,
                    "ms": round(seconds * 1000, 2),
                },
            )  # fmt: skip

    @staticmethod
    def _refuse(scope: dict[str, Any], headers: dict[str, str]) -> tuple[int, str] | None:
        if headers.get("content-encoding", "identity") != "identity":
            return 415, "the body is compressed; send it as it is."
        length = headers.get("content-length", "0")
        if not length.isdigit() or int(length) > BODY:
            return 413, f"the body is longer than {BODY} bytes; send less."
        if len(headers.get("authorization", "")) > AUTHORIZATION:
            return 401, "the header Authorization is too long; send an API key or a token of this service."
        if scope["method"] not in _SAFE and not same_origin(headers):
            return 403, "the request comes from a page of another site; send it from this one, or from a program."
        return None


def same_origin(headers: dict[str, str]) -> bool:
    """Whether a request comes from a page of this host, or from no page at all."""
    origin = headers.get("origin")
    if origin is not None:
        return origin.partition("://")[2] == headers.get("host", "") and origin != "null"
    return headers.get("sec-fetch-site", "none") in ("none", "same-origin")


def on_loopback(address: str | None, host: str) -> bool:
    """Whether a request comes from this machine, to one of its own names: no page elsewhere can name it otherwise."""
    name = host.rsplit(":", 1)[0] if not host.endswith("]") else host
    return _is_loopback(address or "") and name in ("127.0.0.1", "localhost", "[::1]")


def _is_loopback(address: str) -> bool:
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return False


def _limited(receive: Any) -> Any:
    """Return `receive` that ends with an error where a body is too long or too slow."""
    size, end, whole = 0, time.monotonic() + BODY_SECONDS, False

    async def limited() -> Any:
        nonlocal size, whole
        if whole:  # only a disconnect can follow, which may take as long as it likes
            return await receive()
        try:
            message = await asyncio.wait_for(receive(), max(end - time.monotonic(), 0.001))
        except TimeoutError:
            raise HTTPException(408, f"the body took longer than {BODY_SECONDS:g} s; send it faster.") from None
        size += len(message.get("body", b""))
        whole = not message.get("more_body", False)
        if size > BODY:
            raise HTTPException(413, f"the body is longer than {BODY} bytes; send less.")
        return message

    return limited
