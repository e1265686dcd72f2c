"""Endpoints of jobs: estimate, submit, list, look at, cancel."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.concurrency import run_in_threadpool

from maestro._core.json import dumps
from maestro.service.accounts import Caller
from maestro.service.jobs import Job
from maestro.service.jobs.job import REMOVED
from maestro.service.specification import SpecificationError, plan_of
from maestro.service.web.access import document_of, require
from maestro.service.web.described import content_of
from maestro.service.web.schema import BODY
from maestro.service.web.state import Service

PREFIX = "/api/v2/optimizations"


def json(document: Any, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """Return a document as an answer; NaN is null."""
    return Response(dumps(document), status, {"Cache-Control": "no-store", **(headers or {})}, "application/json")


def shown(job: Job) -> dict[str, Any]:
    """Return a job with the addresses of what belongs to it."""
    here = f"{PREFIX}/{job.id}"
    links = {"self": here, "events": f"{here}/events", "stream": f"{here}/stream", "cancel": f"{here}/cancel"}
    if job.state == "done" and job.error_type != REMOVED:
        links["result"] = f"/api/v2/results/{job.run}"
    return {**job.public(), "links": links}


_KNOWN = content_of("application/json", words="A job of this user that has this run already")


def routes(service: Service) -> APIRouter:
    """Return the endpoints."""
    router = APIRouter(prefix=PREFIX, tags=["optimizations"])
    viewer, researcher = (Depends(require(service, role)) for role in ("viewer", "researcher"))

    @router.post("/estimate", openapi_extra=BODY, summary="Check a specification; returns run id, folds and seconds")
    async def estimate(request: Request, caller: Annotated[Caller, researcher]) -> Response:
        document = await document_of(request)

        def look() -> dict[str, Any]:
            _, _, planned = plan_of(document)
            seconds = planned.estimate()
            return {"run": planned.id, "folds": planned.folds, "trials": planned.trials, "core_seconds": seconds}

        return json(await run_in_threadpool(look))

    @router.post(
        "", status_code=202, openapi_extra=BODY, responses=_KNOWN, summary="Submit a walk-forward or a backtest"
    )
    async def submit(request: Request, caller: Annotated[Caller, researcher]) -> Response:
        document = await document_of(request)
        priority = document.pop("priority", 0)
        if isinstance(priority, bool) or not isinstance(priority, int) or not -100 <= priority <= 100:
            raise SpecificationError(
                f"priority={priority!r} is not a priority; give -100 to 100.", "priority", priority
            )
        if priority > 0 and not caller.has_role("admin"):
            raise SpecificationError(f"priority={priority} is for admins; give 0 or less.", "priority", priority)
        key = request.headers.get("idempotency-key")
        if key is not None and not 1 <= len(key) <= 200:
            raise SpecificationError("the header Idempotency-Key is not 1 to 200 characters; give another.")

        def add() -> tuple[Job, bool]:
            specification, bars, planned = plan_of(document)
            kept = service.bodies_of(specification.kind).is_kept(planned.id)
            return service.queue.submit(
                caller.name, specification.to_dict(), run=planned.id, strategy=specification.strategy,
                provider=bars.provider, symbol=bars.symbol, folds=planned.folds, trials=planned.trials,
                name=specification.name, priority=priority, idempotency=key, kept=kept,
            )  # fmt: skip

        job, new = await run_in_threadpool(add)
        return json(shown(job), 202 if new or job.is_open else 200, {"Location": f"{PREFIX}/{job.id}"})

    @router.get("", summary="Jobs, the newest first")
    async def every(
        caller: Annotated[Caller, viewer],
        state: Annotated[Literal["queued", "running", "done", "failed", "cancelled"] | None, Query()] = None,
        run: Annotated[str | None, Query(description="only jobs that make this run", pattern="^[0-9a-f]{16}$")] = None,
        cursor: Annotated[int | None, Query(description="`next` of the page before", ge=1, le=2**62)] = None,
        limit: Annotated[int, Query(ge=1, le=200)] = 50,
    ) -> Response:
        jobs = service.queue.jobs(caller.owner, state=state, run=run, before=cursor, limit=limit)
        following = jobs[-1].number if len(jobs) == limit else None
        return json({"jobs": [shown(job) for job in jobs], "next": following})

    @router.get("/{ident}", summary="One job")
    async def one(ident: str, caller: Annotated[Caller, viewer]) -> Response:
        return json(shown(service.queue.get(ident, caller.owner)))

    @router.post("/{ident}/cancel", summary="Cancel a job; a finished one stays as it is")
    async def cancel(ident: str, caller: Annotated[Caller, researcher]) -> Response:
        return json(shown(await run_in_threadpool(service.queue.cancel, ident, caller.owner)))

    return router
