"""Errors as problem details (RFC 9457): the value received, the rule, and the remedy."""

from __future__ import annotations

import errno
import logging
import re
from typing import Any

from fastapi import FastAPI, HTTPException, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException as StarletteHTTPException

from maestro._core.json import dumps, plain
from maestro.errors import AccessError, JobError, MaestroError, QuotaError, RunError, ServiceError
from maestro.service.jobs.database import FILE
from maestro.service.specification import SpecificationError

log = logging.getLogger("maestro.service.web")

TYPE = "application/problem+json"
_LONGEST = 1000  # characters of a rule or remedy
_TITLES = {
    400: "The request cannot be understood", 401: "Log in first", 403: "Not allowed", 404: "Not found",
    405: "Not possible here", 408: "The request took too long", 409: "Conflict", 410: "Removed", 413: "Too large",
    415: "Unsupported encoding", 422: "A field cannot be used", 429: "Too much at once", 431: "Headers too large",
    500: "A fault of the service", 503: "Not available at this moment", 507: "The service cannot write",
}  # fmt: skip


def problem(
    status: int, detail: str, *, field: str = "", value: Any = None, headers: dict[str, str] | None = None
) -> Response:
    """Return problem details; the rule is what stands before the semicolon of `detail`, the remedy what follows."""
    rule, separator, remedy = detail.partition("; ")
    rule, remedy = _short(rule), _short(remedy)
    document: dict[str, Any] = {
        "type": "about:blank", "title": _TITLES.get(status, "Error"), "status": status,
        "detail": f"{rule}{separator}{remedy}", "rule": rule, "remedy": remedy or None,
    }  # fmt: skip
    if field:
        document |= {"field": field, "value": plain(value)}
    return Response(dumps(document), status, headers, media_type=TYPE)


def _short(words: str) -> str:
    """Cut the middle out of words that repeat a very long value."""
    return words if len(words) <= _LONGEST else f"{words[: _LONGEST // 2]} … {words[-_LONGEST // 2 :]}"


def answer(error: MaestroError) -> Response:
    """Return the problem details of an error of ours."""
    if isinstance(error, SpecificationError):
        return problem(422, str(error), field=error.field, value=error.value)
    if isinstance(error, AccessError):
        status = int(getattr(error, "status", 403))
        login = {"WWW-Authenticate": "Bearer"} if status == 401 else {}
        return problem(status, str(error), headers={**login, **({"Retry-After": "5"} if status in (429, 503) else {})})
    if isinstance(error, QuotaError):
        return problem(429, str(error), headers={"Retry-After": "30"})
    if isinstance(error, JobError):
        return problem(404, str(error))
    if isinstance(error, ServiceError):
        words = re.sub(rf"^.*[/\\]({re.escape(FILE)}: )", r"\1", str(error))  # without the folder of the server
        return problem(409 if "Idempotency-Key" in words else 503, words)
    if isinstance(error, RunError) and hasattr(error, "status"):
        return problem(int(error.status), str(error))
    if isinstance(error, RunError):
        log.error("a run cannot be read: %s", error)
        return problem(500, "the run cannot be read on the server; ask an admin, its log says why.")
    return problem(422 if isinstance(error, ValueError) else 500, str(error))


def handle_errors(app: FastAPI) -> None:
    """Make every error of an application problem details."""

    async def ours(request: Request, error: Exception) -> Response:
        assert isinstance(error, MaestroError)
        return answer(error)

    async def of_http(request: Request, error: Exception) -> Response:
        assert isinstance(error, StarletteHTTPException)
        headers = dict(error.headers or {})
        if error.status_code == 405:  # Starlette names the methods of the first route of an address only
            headers["Allow"] = ", ".join(_methods(app, request.url.path)) or headers.get("allow", "")
        return problem(error.status_code, str(error.detail), headers=headers)

    async def of_validation(request: Request, error: Exception) -> Response:
        assert isinstance(error, RequestValidationError)
        first = error.errors()[0]
        name = str(first["loc"][-1])
        return problem(422, f"{name}: {first['msg']}; see /docs.", field=name, value=first.get("input"))

    async def of_system(request: Request, error: Exception) -> Response:
        assert isinstance(error, OSError)
        log.error("request failed", exc_info=error, extra={"path": request.url.path})
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            return problem(507, "the disk of the service is full; nothing was changed, ask an admin to make room.")
        why = f"the service cannot read or write a file ({error.strerror or type(error).__name__})"
        return problem(500, f"{why}; its log has the cause under this request id.")

    async def unexpected(request: Request, error: Exception) -> Response:
        log.error("request failed", exc_info=error, extra={"path": request.url.path})
        return problem(500, "the service failed; its log has the cause under this request id.")

    app.add_exception_handler(MaestroError, ours)
    app.add_exception_handler(StarletteHTTPException, of_http)
    app.add_exception_handler(HTTPException, of_http)
    app.add_exception_handler(RequestValidationError, of_validation)
    app.add_exception_handler(OSError, of_system)
    app.add_exception_handler(Exception, unexpected)


def _methods(app: FastAPI, path: str) -> list[str]:
    """Methods that an address has, as the OpenAPI document names them."""
    paths = app.openapi()["paths"]
    found = [paths[path]] if path in paths else [
        operations for template, operations in paths.items()
        if re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", template), path)
    ]  # fmt: skip
    return sorted({method.upper() for operations in found for method in operations})
