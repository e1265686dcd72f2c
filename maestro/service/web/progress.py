"""Endpoints that follow a job: long polling, server-sent events and WebSocket, all with the same numbered events."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request, Response, WebSocket, WebSocketDisconnect
from fastapi.responses import StreamingResponse

from maestro._core.json import dumps
from maestro.errors import MaestroError
from maestro.service.accounts import Caller
from maestro.service.accounts.users import access_error
from maestro.service.web.access import recognise, require
from maestro.service.web.described import content_of
from maestro.service.web.guard import same_origin
from maestro.service.web.optimizations import PREFIX, json, shown
from maestro.service.web.state import Service

_POLL, _PING, _SHARE = 0.05, 15.0, 0.5
"""Seconds between looks for a change, between signs of life, and between two tellings of how far a job is."""


def routes(service: Service) -> APIRouter:
    """Return the endpoints."""
    router = APIRouter(prefix=PREFIX, tags=["progress"])
    viewer = Depends(require(service, "viewer"))

    @router.get("/{ident}/events", summary="Events behind a number, at once or as soon as there are some")
    async def events(
        ident: str,
        caller: Annotated[Caller, viewer],
        after: Annotated[int, Query(ge=0, le=2**62)] = 0,
        wait: Annotated[float, Query(ge=0, le=30, description="seconds to wait for an event")] = 0.0,
    ) -> Response:
        end = time.monotonic() + wait
        while True:
            version = service.database.version()
            job = service.queue.get(ident, caller.owner)
            found = service.queue.events(ident, after)
            if found or not job.is_open or time.monotonic() >= end:
                return json({"job": shown(job), "events": [event.public() for event in found]})
            await _change(service, version, end)

    @router.get("/{ident}/stream", responses=content_of("text/event-stream"),
                summary="Events as server-sent events; continues after Last-Event-ID")  # fmt: skip
    async def stream(
        request: Request,
        ident: str,
        caller: Annotated[Caller, viewer],
        after: Annotated[int, Query(ge=0, le=2**62)] = 0,
    ) -> StreamingResponse:
        service.queue.get(ident, caller.owner)
        last = request.headers.get("last-event-id", "")
        seen = int(last) if last.isdigit() and len(last) < 19 else after
        headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
        return StreamingResponse(_sse(service, ident, seen), headers=headers, media_type="text/event-stream")

    @router.websocket("/{ident}/ws")
    async def socket(websocket: WebSocket, ident: str, after: int = 0, ticket: str = "") -> None:
        try:
            caller = await recognise(service, websocket)
        except MaestroError as error:
            await websocket.close(1008, str(error))
            return
        if caller is not None and caller.by in ("cookie", "local") and not same_origin(dict(websocket.headers)):
            caller = None
        ticketed = caller is None and bool(ticket) and service.tokens.take_ticket(ticket, ident) is not None
        try:
            if caller is None and not ticketed:
                raise access_error("no valid login.", 401)
            service.queue.get(ident, caller.owner if caller else None)
        except MaestroError as error:
            await websocket.close(1008, str(error))
            return
        await websocket.accept()
        with suppress(WebSocketDisconnect, RuntimeError):
            async for message in follow(service, ident, after):
                await websocket.send_text(dumps(message))
            await websocket.close()

    return router


async def follow(service: Service, ident: str, after: int) -> AsyncIterator[dict[str, Any]]:
    """Yield the events of a job behind a number, how far it is between them, and pings, until it is finished."""
    sent, shared, spoken = -1, 0.0, time.monotonic()
    while True:
        version = service.database.version()
        job = service.queue.get(ident)  # before its events: a finished job has no later ones
        found = service.queue.events(ident, after)
        for event in found:
            yield event.public()
            after = event.seq
        now = time.monotonic()
        if job.is_open and job.done != sent and now - shared >= _SHARE:
            yield {"kind": "progress", "data": {"done": job.done, "total": job.total, "state": job.state}}
            sent, shared, spoken = job.done, now, now
        elif found:
            spoken = now
        elif now - spoken >= _PING:
            yield {"kind": "ping", "data": {}}
            spoken = now
        if not job.is_open:
            return
        await _change(service, version, now + (1.0 if job.done == sent else _SHARE))


async def _change(service: Service, version: int, end: float) -> None:
    """Wait for the next write to the database, at most until a moment, and 50 ms at least."""
    while True:
        await asyncio.sleep(_POLL)
        if service.database.version() != version or time.monotonic() >= end:
            return


async def _sse(service: Service, ident: str, after: int) -> AsyncIterator[str]:
    async for message in follow(service, ident, after):
        if message["kind"] == "ping":
            yield ": ping\n\n"
        else:
            number = f"id: {message['seq']}\n" if "seq" in message else ""
            yield f"{number}event: {message['kind']}\ndata: {dumps(message)}\n\n"
