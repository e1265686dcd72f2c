"""The test exchange: an HTTP server on this machine that answers, counts, bans and fails like the real ones."""

from __future__ import annotations

import asyncio
import math
import threading
from dataclasses import dataclass, field
from email.utils import formatdate
from pathlib import Path
from types import TracebackType
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from maestro.data.sources.limits import Clock
from tests.support.exchange.faults import Faults, NoFaults
from tests.support.exchange.markets import Market, Refusal, encode

_ALLOWED = {"/api/v3": ("weight", 6_000, 60), "/fapi": ("weight", 2_400, 60), "/api/v1": ("requests", 30, 60)}
_SERIES = ("symbol", "pair", "interval", "binSize", "period")
_OTHERS = {"funding": (500, 300), "statistics": (1_000, 300)}


@dataclass
class Request:
    """A request as the exchange saw it: when, what, and what was done with it."""

    time: float
    path: str
    params: dict[str, str]
    outcome: str = ""


@dataclass
class Ban:
    """The stretch of time in which nothing may come."""

    start: float
    end: float
    status: int = 418


@dataclass
class Exchange:
    """Run it with ``with Exchange(market) as exchange``; `reset` it between schedules; it logs requests and bans."""

    market: Market = field(default_factory=Market)
    clock: Clock = field(default_factory=Clock)
    faults: Faults = field(default_factory=NoFaults)
    files: Path | None = None  # served below their paths, for the archive
    slow: float = 0.6  # [s, real]
    latency: float = 0.0  # [s, real] of every answer

    def __post_init__(self) -> None:
        self.requests: list[Request] = []
        self.bans: list[Ban] = []
        self.over_limit = 0
        self._spent: dict[str, list[tuple[float, float]]] = {}
        self._pages: dict[str, bytes] = {}  # the last page of each series
        self._loop = asyncio.new_event_loop()
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self.port = 0

    # -- life -------------------------------------------------------------------------------

    def __enter__(self) -> Exchange:
        self._thread.start()
        self._ready.wait()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def reset(self, market: Market, clock: Clock, faults: Faults) -> None:
        """Another day: nothing is remembered."""
        self.market, self.clock, self.faults = market, clock, faults
        self.requests, self.bans, self.over_limit = [], [], 0
        self._spent, self._pages = {}, {}

    def inside_bans(self) -> list[Request]:
        """Requests that came while the exchange had told everyone to keep away.

        One that was on its way when the ban was spoken, so at the same instant, could not know of it.
        """
        return [one for one in self.requests if any(ban.start < one.time < ban.end for ban in self.bans)]

    def _serve(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_until_complete(self._main())
        self._loop.close()

    async def _main(self) -> None:
        self._stop = asyncio.Event()
        self._open: set[asyncio.Task[None]] = set()
        server = await asyncio.start_server(self._connection, "127.0.0.1", self.port)
        self.port = server.sockets[0].getsockname()[1]
        self._ready.set()
        await self._stop.wait()
        server.close()
        for task in self._open:
            task.cancel()
        await asyncio.gather(*self._open, return_exceptions=True)

    async def _connection(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._open.add(task)
        try:
            while await self._exchange_once(reader, writer):
                pass
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            writer.close()  # the client has gone, or the test is over
        finally:
            self._open.discard(task)
            writer.close()

    # -- one request ------------------------------------------------------------------------

    async def _exchange_once(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """Answer one request; False where the connection is to end."""
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        target = urlsplit(head.split(" ", 2)[1])
        request = Request(self.clock.now(), target.path, dict(parse_qsl(target.query)))
        self.requests.append(request)
        if self.latency:
            await asyncio.sleep(self.latency)
        status, headers, body, way = self._answer(request)
        request.outcome = request.outcome or str(status)
        if way == "drop":
            return False
        lines = [
            f"HTTP/1.1 {status} X",
            f"Content-Length: {len(body)}",
            f"Date: {formatdate(self.clock.now(), usegmt=True)}",
        ]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        writer.write("\r\n".join(lines).encode() + b"\r\n\r\n")
        if way == "torn body":
            writer.write(body[: len(body) // 2])
            await writer.drain()
            return False
        if way == "slow":
            writer.write(body[:1])
            await writer.drain()
            await asyncio.sleep(self.slow)
            body = body[1:]
        writer.write(body)
        await writer.drain()
        return True

    def _answer(self, request: Request) -> tuple[int, dict[str, str], bytes, str]:
        now = self.clock.now()
        for ban in self.bans:
            if ban.start <= now < ban.end:
                request.outcome = f"inside a {ban.status}"
                return self._banned(ban, now)
        fault = self.faults.next(f"{request.path}{sorted(request.params.items())}")
        request.outcome = fault
        if fault in ("429", "418"):
            seconds = self.faults.rng.randint(1, 60) if fault == "429" else self.faults.rng.randint(120, 600)
            return self._ban(int(fault), now, seconds)
        if fault in ("5xx", "html"):
            status = self.faults.rng.choice((500, 502, 503, 504)) if fault == "5xx" else 200
            return status, {}, b"<html>try again</html>", ""
        way = fault if fault in ("drop", "torn body", "slow") else ""
        if not request.path.startswith(("/api", "/fapi", "/futures")):
            return self._file(request, fault, way)
        try:
            rows, budget, cost = self.market.answer(request.path, request.params, now)
        except Refusal as refusal:
            return refusal.status, {}, encode(refusal.body), ""
        headers, seconds_over = self._count(request.path, budget, cost, now)
        if seconds_over:
            self.over_limit += 1
            return self._ban(429, now, int(seconds_over) + 1)
        body = encode(rows)
        series = " ".join((request.path, *(request.params.get(key, "") for key in _SERIES)))
        before, self._pages[series] = self._pages.get(series, body), body
        if fault == "repeated":
            return 200, headers, before, ""
        if fault in ("short", "empty", "holes"):
            body = encode(self._lie(fault, rows))
        if fault == "torn json":
            body = body[: max(1, len(body) - self.faults.rng.randint(1, max(1, len(body) - 1)))]
        return 200, headers, body, way

    def _lie(self, fault: str, rows: list[Any]) -> list[Any]:
        if fault == "empty" or len(rows) < 2:
            return []
        first, last = sorted(self.faults.rng.sample(range(1, len(rows) + 1), 2)) if len(rows) > 2 else (1, 2)
        return rows[:first] if fault == "short" else rows[:first] + rows[last:]

    def _count(self, path: str, budget: str, cost: float, now: float) -> tuple[dict[str, str], float]:
        """Headers that tell what was used; seconds until the window is free where this request is too much."""
        name, allowed, window = next((v for prefix, v in _ALLOWED.items() if path.startswith(prefix)), ("", 0, 0))
        if budget != name:
            allowed, window = _OTHERS[budget]
        key = f"{path.split('/')[1]}{budget}"
        # As the exchanges do it: a window starts anew on the full minute.
        spent = [(t, c) for t, c in self._spent.get(key, []) if t // window == now // window]
        used = sum(c for _, c in spent) + cost
        self._spent[key] = [*spent, (now, cost)]
        left = (now // window + 1) * window - now
        if budget == "weight":
            headers = {"X-MBX-USED-WEIGHT-1M": str(int(used))}
        elif budget == "requests":
            headers = {"x-ratelimit-limit": str(allowed), "x-ratelimit-remaining": str(int(max(0, allowed - used)))}
            headers["x-ratelimit-reset"] = str(int(now + left))
        else:
            headers = {}
        return headers, left if used > allowed else 0.0

    def _ban(self, status: int, now: float, seconds: int) -> tuple[int, dict[str, str], bytes, str]:
        self.bans.append(Ban(now, now + seconds, status))
        return self._banned(self.bans[-1], now)

    def _banned(self, ban: Ban, now: float) -> tuple[int, dict[str, str], bytes, str]:
        body = encode({"code": -1003, "msg": "Too many requests."})
        return ban.status, {"Retry-After": str(math.ceil(ban.end - now))}, body, ""

    def _file(self, request: Request, fault: str, way: str) -> tuple[int, dict[str, str], bytes, str]:
        path = None if self.files is None else self.files / request.path.lstrip("/")
        if path is None or not path.is_file():
            return 404, {}, b"<Error><Code>NoSuchKey</Code></Error>", way
        body = path.read_bytes()
        return 200, {}, body[: len(body) // 2] if fault == "torn json" else body, way
