"""Endpoints of finished runs: summary, tables as JSON, Arrow or Parquet, manifest, report and verdict."""

import hashlib
from collections.abc import Callable
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import HTMLResponse

from maestro.errors import JobError
from maestro.runs.store import is_run_id
from maestro.service.accounts import Caller
from maestro.service.web.access import require
from maestro.service.web.described import content_of
from maestro.service.web.optimizations import PREFIX
from maestro.service.web.state import Service
from maestro.service.web.tables import TYPES, Bodies

_ENDS = {"failed": "failed", "cancelled": "was cancelled"}
_UNCHANGING = "private, max-age=31536000, immutable"


def routes(service: Service) -> APIRouter:
    """Return the endpoints."""
    router = APIRouter(prefix="/api/v2/results", tags=["results"])
    viewer = Depends(require(service, "viewer"))

    async def answer(
        request: Request,
        caller: Caller,
        run: str,
        form: str,
        body: Callable[[Bodies], bytes],
        *,
        unchanging: bool = True,
    ) -> Response:
        job = service.queue.of_run(run, caller.owner) if is_run_id(run) else None
        if job is None:
            raise JobError(f"there is no run {run!r} of yours; list your jobs to see those that there are.")
        if job.is_open:
            raise JobError(
                f"run {run} is not finished, its job {job.id} is {job.state}; follow {PREFIX}/{job.id}/events."
            )
        if job.state != "done":
            raise JobError(f"run {run} is not finished, its job {job.id} {_ENDS[job.state]}; submit it again.")
        content = await run_in_threadpool(body, service.bodies_of(job.kind))
        tag = f'"{hashlib.sha256(content).hexdigest()[:32]}"'
        headers = {"ETag": tag, "Cache-Control": _UNCHANGING if unchanging else "private, no-cache"}
        if request.headers.get("if-none-match") == tag:
            return Response(status_code=304, headers=headers)
        return Response(content, headers=headers, media_type=TYPES.get(form, form))

    @router.get("/{run}", summary="Metrics, folds, notes and specification of a run or backtest")
    async def summary(
        request: Request,
        run: str,
        caller: Annotated[Caller, viewer],
        schema: Annotated[Literal["v1", "v2"], Query(description="v1 is the schema of 2020")] = "v2",
    ) -> Response:
        return await answer(request, caller, run, "json", lambda on: on.v1(run) if schema == "v1" else on.summary(run))

    @router.get("/{run}/manifest", summary="The manifest as it lies on disk, sealed")
    async def manifest(request: Request, run: str, caller: Annotated[Caller, viewer]) -> Response:
        return await answer(request, caller, run, "json", lambda on: on.manifest(run))

    @router.get("/{run}/report", response_class=HTMLResponse, summary="The report, one HTML file")
    async def report(request: Request, run: str, caller: Annotated[Caller, viewer]) -> Response:
        form = "text/html; charset=utf-8"
        found = await answer(request, caller, run, form, lambda on: on.report(run), unchanging=False)
        found.headers["Content-Security-Policy"] = "sandbox allow-scripts allow-popups allow-downloads"
        return found

    @router.get("/{run}/verdict", summary="The verdict, if one was made (maestro verdict RUN)")
    async def verdict(request: Request, run: str, caller: Annotated[Caller, viewer]) -> Response:
        return await answer(request, caller, run, "json", lambda on: on.verdict(run), unchanging=False)

    @router.get(
        "/{run}/{table}", responses=content_of(*TYPES.values()),
        summary="A table: equity, trades; of a walk-forward also folds and trials, of a backtest orders and bars",
    )  # fmt: skip
    async def table(
        request: Request,
        run: str,
        table: Literal["equity", "trades", "folds", "trials", "orders", "bars"],
        caller: Annotated[Caller, viewer],
        format: Annotated[Literal["json", "arrow", "parquet"], Query()] = "json",
    ) -> Response:
        return await answer(request, caller, run, format, lambda on: on.table(run, table, format))

    return router
