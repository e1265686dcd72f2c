"""The ASGI application: endpoints, error handlers, middleware, health checks and metrics."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from fastapi import FastAPI, Request, Response

from maestro.errors import JobError
from maestro.service.web import catalogue, optimizations, overview, progress, results, sessions
from maestro.service.web.access import identify
from maestro.service.web.described import with_errors
from maestro.service.web.guard import Guard, on_loopback
from maestro.service.web.problems import handle_errors
from maestro.service.web.state import Service
from maestro.version import __version__

_WORDS = """Walk-forwards for a team: submit one, follow it, read its result. The run id and the bytes are those of
`ms.walk_forward`. Errors are problem details (RFC 9457) that name the field, the value, the rule and the remedy."""


def make_application(service: Service) -> Any:
    """Return the ASGI application of a service."""
    return Guard(_application(service), service.metrics)


def openapi(folder: Path) -> dict[str, Any]:
    """Return the OpenAPI document; the service that it is read from is made in a folder and not served."""
    service = Service(folder)
    try:
        document: dict[str, Any] = _application(service).openapi()
        return document
    finally:
        service.database.close()


def _application(service: Service) -> FastAPI:

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        yield
        service.database.close()

    app = FastAPI(title="Maestro", version=__version__, description=_WORDS, docs_url=None, redoc_url=None,
                  lifespan=lifespan)  # fmt: skip
    handle_errors(app)
    plain = app.openapi

    def document() -> dict[str, Any]:
        if app.openapi_schema is None:
            app.openapi_schema = with_errors(plain())
        return app.openapi_schema

    app.openapi = document  # type: ignore[method-assign]
    for routes in (sessions, catalogue, optimizations, progress, results):
        app.include_router(routes.routes(service))
    app.include_router(sessions.pages(service))
    app.include_router(overview.pages(app))

    @app.get("/healthz", tags=["operation"], summary="Whether the process answers")
    async def healthz() -> dict[str, str]:
        return {"status": "ok", "version": __version__}

    @app.get("/readyz", tags=["operation"], summary="Whether the database can be read")
    async def readyz() -> dict[str, str]:
        service.database.row("SELECT 1 FROM jobs LIMIT 1")
        return {"status": "ready"}

    @app.get("/metrics", include_in_schema=False)
    def metrics(request: Request) -> Response:
        near = on_loopback(request.client.host if request.client else None, request.headers.get("host", ""))
        caller = identify(service, request)
        if (not near or "x-forwarded-for" in request.headers) and not (caller and caller.has_role("admin")):
            raise JobError("there is nothing here; ask on this machine, or as an admin.")
        return Response(service.metrics.text(), media_type="text/plain; version=0.0.4; charset=utf-8")

    return app
