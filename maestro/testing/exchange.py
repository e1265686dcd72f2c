"""A fake exchange: an HTTP server on this machine that answers, counts requests, bans and fails like a real one.

The data and the wire format are a `Market`, which a plug-in writes for its exchange; the server does the rest.
"""

from __future__ import annotations

import asyncio
import json
import math
import threading
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from email.utils import formatdate
from pathlib import Path
from types import TracebackType
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import polars as pl

from maestro.data.sources.limits import Clock
from maestro.testing.faults import Faults, NoFaults


class Refusal(Exception):
    """An answer other than 200.

    Parameters
    ----------
    status : int
    body : dict
        Sent as JSON.
    """

    def __init__(self, status: int, body: dict[str, Any]) -> None:
        super().__init__(body)
        self.status, self.body = status, body


@dataclass
class Answer:
    """Rows of an answer, as JSON values, and what the request costs.

    Attributes
    ----------
    rows : list
    budget : str
        Which rate limit the request counts on; an empty string is none.
    cost : float
    wrap : str
        Key under which the rows are sent, in an object; by default they are sent as a list.
    """

    rows: list[Any]
    budget: str = ""
    cost: float = 1.0
    wrap: str = ""

    def encode(self, rows: list[Any]) -> bytes:
        """JSON of some rows."""
        return encode({self.wrap: rows} if self.wrap else rows)


@dataclass
class Market(ABC):
    """The data of an exchange, and its answers.

    Attributes
    ----------
    series : dict of polars frames by (symbol, series, timeframe)
        Columns as in `maestro.data.sources.COLUMNS`; series without a timeframe have ``""``.
    cap : int
        Rows of one answer at most, whatever was asked for.
    """

    series: dict[tuple[str, str, str], pl.DataFrame] = field(default_factory=dict)
    cap: int = 10**9

    paths: tuple[str, ...] = field(default=("/",), init=False, repr=False)
    """Beginnings of the paths of the API; below others files are served."""
    same_series: tuple[str, ...] = field(default=("symbol",), init=False, repr=False)
    """Parameters that say which series is asked for; the others say which part of it."""

    @abstractmethod
    def answer(self, path: str, params: dict[str, str], now: float) -> Answer:
        """Answer a request at a time [s since 1970].

        Raises
        ------
        Refusal
            What the exchange answers to a request that it refuses.
        """

    def limit(self, path: str, budget: str) -> tuple[float, float]:
        """Rate limit of a budget: units allowed in a window, and the window [s], which begins on its full multiples."""
        return math.inf, 60.0

    def headers(self, budget: str, used: float, allowed: float, reset: float) -> Mapping[str, str]:
        """Headers by which the exchange tells what was used; `reset` is when the window ends [s since 1970]."""
        return {}


@dataclass
class Request:
    """A request as the exchange saw it: when, what, and what was done with it."""

    time: float
    path: str
    params: dict[str, str]
    outcome: str = ""


@dataclass
class Ban:
    """A stretch of time in which no request may come."""

    start: float
    end: float
    status: int = 418


@dataclass
class FakeExchange:
    """An exchange on this machine; it logs requests and bans.

    Use it with ``with FakeExchange(market) as exchange`` and call `reset` between tests.

    Attributes
    ----------
    market : Market
    clock : Clock
        With a `VirtualClock` that the source shares, waiting takes no time.
    faults : Faults
    files : Path, optional
        Served below their paths, for archives.
    slow : float [s, real]
        Length of a slow answer.
    latency : float [s, real]
        Of every answer.
    requests, bans : list of Request, of Ban
    over_limit : int
        Requests that broke a rate limit.
    """

    market: Market
    clock: Clock = field(default_factory=Clock)
    faults: Faults = field(default_factory=NoFaults)
    files: Path | None = None
    slow: float = 0.6
    latency: float = 0.0

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

    def __enter__(self) -> FakeExchange:
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
        """Base URL."""
        return f"http://127.0.0.1:{self.port}"

    def reset(self, market: Market, clock: Clock, faults: Faults | None = None) -> None:
        """Start another day: nothing is remembered."""
        self.market, self.clock, self.faults = market, clock, faults or NoFaults()
        self.requests, self.bans, self.over_limit = [], [], 0
        self._spent, self._pages = {}, {}

    def inside_bans(self) -> list[Request]:
        """Requests that came while the exchange had banned everyone.

        One that was already on its way when the ban was sent, at the same instant, could not know of it.
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

    def _answer(self, request: Request) -> tuple[int, Mapping[str, str], bytes, str]:
        now = self.clock.now()
        for ban in self.bans:
            if ban.start <= now < ban.end:
                request.outcome = f"inside a {ban.status}"
                return _banned(ban, now)
        fault = self.faults.next(f"{request.path}{sorted(request.params.items())}")
        request.outcome = fault
        if fault in ("429", "418"):
            seconds = self.faults.rng.randint(1, 60) if fault == "429" else self.faults.rng.randint(120, 600)
            return self._ban(int(fault), now, seconds)
        if fault in ("5xx", "html"):
            status = self.faults.rng.choice((500, 502, 503, 504)) if fault == "5xx" else 200
            return status, {}, b"<html>try again</html>", ""
        way = fault if fault in ("drop", "torn body", "slow") else ""
        if not request.path.startswith(self.market.paths):
            return self._file(request, fault, way)
        try:
            answer = self.market.answer(request.path, request.params, now)
        except Refusal as refusal:
            return refusal.status, {}, encode(refusal.body), ""
        headers, seconds_over = self._count(request.path, answer, now)
        if seconds_over:
            self.over_limit += 1
            return self._ban(429, now, int(seconds_over) + 1)
        body = answer.encode(answer.rows)
        series = " ".join((request.path, *(request.params.get(key, "") for key in self.market.same_series)))
        before, self._pages[series] = self._pages.get(series, body), body
        if fault == "repeated":
            return 200, headers, before, ""
        if fault in ("short", "empty", "holes"):
            body = answer.encode(self._lie(fault, answer.rows))
        if fault == "torn json":
            body = body[: max(1, len(body) - self.faults.rng.randint(1, max(1, len(body) - 1)))]
        return 200, headers, body, way

    def _lie(self, fault: str, rows: list[Any]) -> list[Any]:
        if fault == "empty" or len(rows) < 2:
            return []
        first, last = sorted(self.faults.rng.sample(range(1, len(rows) + 1), 2)) if len(rows) > 2 else (1, 2)
        return rows[:first] if fault == "short" else rows[:first] + rows[last:]

    def _count(self, path: str, answer: Answer, now: float) -> tuple[Mapping[str, str], float]:
        """Headers that tell what was used; seconds until the window is free where this request is too much."""
        if not answer.budget:
            return {}, 0.0
        allowed, window = self.market.limit(path, answer.budget)
        key = f"{path.split('/')[1]}{answer.budget}"
        # As the exchanges do it: a window starts again on the full minute.
        spent = [(t, c) for t, c in self._spent.get(key, []) if t // window == now // window]
        used = sum(c for _, c in spent) + answer.cost
        self._spent[key] = [*spent, (now, answer.cost)]
        reset = (now // window + 1) * window
        return self.market.headers(answer.budget, used, allowed, reset), reset - now if used > allowed else 0.0

    def _ban(self, status: int, now: float, seconds: int) -> tuple[int, Mapping[str, str], bytes, str]:
        self.bans.append(Ban(now, now + seconds, status))
        return _banned(self.bans[-1], now)

    def _file(self, request: Request, fault: str, way: str) -> tuple[int, Mapping[str, str], bytes, str]:
        path = None if self.files is None else self.files / request.path.lstrip("/")
        if path is None or not path.is_file():
            return 404, {}, b"<Error><Code>NoSuchKey</Code></Error>", way
        body = path.read_bytes()
        return 200, {}, body[: len(body) // 2] if fault == "torn json" else body, way


def _banned(ban: Ban, now: float) -> tuple[int, Mapping[str, str], bytes, str]:
    body = encode({"code": -1003, "msg": "Too many requests."})
    return ban.status, {"Retry-After": str(math.ceil(ban.end - now))}, body, ""


def encode(value: object) -> bytes:
    """JSON as the exchanges send it."""
    return json.dumps(value, separators=(",", ":")).encode()
