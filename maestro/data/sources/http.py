"""An HTTP client for one host: it keeps the rate limits, sends nothing while banned, and retries within bounds."""

from __future__ import annotations

import asyncio
import email.utils
import functools
import logging
import random
import ssl
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import TYPE_CHECKING, Any, Generic, NamedTuple, TypeVar

from maestro.config.settings import FetchSettings
from maestro.data.sources.limits import Host
from maestro.errors import MissingExtraError, SourceError

if TYPE_CHECKING:
    import httpx

T = TypeVar("T")
_LOG = logging.getLogger("maestro.data")
_LOGGED_FROM = 2.0  # [s] of waiting
MARGIN = 0.1  # [s] added to every Retry-After, whose seconds are truncated
WITHOUT_RETRY_AFTER = {429: 60.0, 418: 120.0}  # [s] the shortest of the exchanges' bans, where the header is missing
LONGEST = 256 * 2**20
"""Bytes of an answer at most, unpacked; a month of minutes in an archive has 3 MB."""
BACKOFF = (0.25, 30.0)  # [s] the first and the longest pause after a failure


class Reply(NamedTuple, Generic[T]):
    """The content of a response, and its time [s since 1970]: the host's clock or ours, whichever is earlier."""

    value: T
    now: float


class Client:
    """GET requests to one host.

    Every request waits for its budget and for the end of a ban. 429, 418, 5xx, lost connections, slow or incomplete
    bodies and answers that `read` refuses are retried with growing pauses. After any such failure requests are sent one
    at a time until one has succeeded.

    Parameters
    ----------
    base_url : str
    host : Host, shared by all clients of the same host
    fetch : FetchSettings
    timeout : float [s], optional
        Longest wait for one whole answer, its body included; that of `fetch` by default.
    rng : random.Random, optional, for the jitter of the pauses
    """

    def __init__(
        self,
        base_url: str,
        host: Host,
        fetch: FetchSettings,
        *,
        timeout: float | None = None,
        rng: random.Random | None = None,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self.host, self.fetch = host, fetch
        self.timeout = fetch.timeout if timeout is None else timeout
        self._rng = rng or random.Random()
        self._http = _library().AsyncClient(
            base_url=base_url,
            headers={"User-Agent": "maestro-research", "Accept": "application/json, */*"},
            timeout=self.timeout,
            verify=_certificates() if base_url.startswith("https") else False,
            transport=transport,
        )
        self._queue = asyncio.Lock()
        self._freed = asyncio.Event()
        self._under_way = 0
        self._trouble = False

    async def __aenter__(self) -> Client:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._http.aclose()

    async def get(
        self,
        path: str,
        params: Mapping[str, Any],
        cost: Mapping[str, float],
        read: Callable[[httpx.Response], T],
        *,
        missing: Callable[[], T] | None = None,
    ) -> Reply[T]:
        """Send a request until an answer can be read.

        Parameters
        ----------
        path, params : the request
        cost : units by budget
        read : callable
            Turns the response into a value; its ValueError means that the answer cannot be used and is retried.
        missing : callable, optional
            The value for 404; without it, 404 is an error like any other refusal.

        Raises
        ------
        SourceError
            The host refuses (unknown symbol, firewall), sends more than any answer has, bans for longer than
            `fetch.patience`, or has failed `fetch.tries` times in a row.
        """
        problem = ""
        for attempt in range(self.fetch.tries):
            await self._admit(cost, problem)
            try:
                async with asyncio.timeout(self.timeout):
                    response = await self._answer(path, params)
            except (_library().RequestError, TimeoutError) as error:
                problem = f"{type(error).__name__} {error}".strip()
            else:
                self.host.update_from_headers(response.headers)
                if response.status_code == 404 and missing is not None:
                    return Reply(missing(), self.host.clock.now())
                problem = self._refusal(response)
                if not problem:
                    try:
                        value = read(response)
                    except ValueError as error:
                        problem = f"an answer that cannot be used: {error}"
                    else:
                        self._trouble = False
                        return Reply(value, earlier_time(response.headers, self.host.clock.now()))
            finally:
                self._under_way -= 1
                self._freed.set()
            self._trouble = True
            if not self.host.banned():
                first, longest = BACKOFF
                await self.host.clock.sleep(min(first * 2**attempt, longest) * self._rng.uniform(0.5, 1.0))
        raise retries_exhausted(self.host.name, self.fetch.tries, problem, f" at {path}")

    async def _answer(self, path: str, params: Mapping[str, Any]) -> httpx.Response:
        """Send a request once; an answer that is too long, unpacked or endless, is refused while it is received."""
        content = bytearray()
        async with self._http.stream("GET", path, params=dict(params)) as response:
            self._record_ban(response)
            async for part in response.aiter_bytes():
                content += part
                if len(content) > LONGEST:
                    raise SourceError(
                        f"{self.host.name} sent more than {LONGEST / 2**20:,.0f} MB at {path}, which no answer has; "
                        "is the base URL that of the exchange?"
                    )
        names = ("content-encoding", "content-length", "transfer-encoding")  # it is unpacked already
        kept = [(name, value) for name, value in response.headers.multi_items() if name not in names]
        return _library().Response(response.status_code, headers=kept, content=bytes(content), request=response.request)

    async def _admit(self, cost: Mapping[str, float], problem: str) -> None:
        """Wait until a request may be sent, and count it."""
        async with self._queue:
            while True:
                wait = self.host.wait(cost)
                if wait > self.fetch.patience:
                    until = self.host.clock.now() + wait
                    raise banned(self.host.name, until, problem or "it banned this address", self.fetch)
                if wait > 0:
                    if wait >= _LOGGED_FROM:
                        _LOG.info(
                            "%s: waiting %.0f s (%s)", self.host.name, wait, problem or "its rate limit is used up"
                        )
                    await self.host.clock.sleep(wait)
                elif self._under_way >= (1 if self._trouble else self.fetch.concurrency):
                    self._freed.clear()
                    await self._freed.wait()
                else:
                    break
            self.host.spend(cost)
            self._under_way += 1

    def _record_ban(self, response: httpx.Response) -> None:
        """Send nothing for as long as the headers say, before the rest of the answer has come."""
        status, headers = response.status_code, response.headers
        if status in WITHOUT_RETRY_AFTER or (status >= 500 and "retry-after" in headers):
            self.host.ban(retry_after(headers, status, self.host.clock.now()) + MARGIN)

    def _refusal(self, response: httpx.Response) -> str:
        """Why to retry, or an empty string; raises where a retry would be of no use."""
        status = response.status_code
        if status == 200:
            return ""
        message = f"HTTP {status} {_message(response)}".strip()
        if status in WITHOUT_RETRY_AFTER or status >= 500:
            return message
        if status in (403, 451):
            raise SourceError(
                f"{self.host.name} does not serve this address ({message}): its firewall, or the place. "
                "Wait some minutes, or set the base URL of a mirror."
            )
        if 300 <= status < 400:
            raise SourceError(
                f"{self.host.name} redirects to {response.headers.get('location')}; set that as base URL."
            )
        raise SourceError(f"{self.host.name} refused {response.request.url.path}: {message}")


def earlier_time(headers: Mapping[str, str], now: float) -> float:
    """The earlier of our time and the host's: with a clock that is fast an open bar must not look closed."""
    try:
        return min(now, email.utils.parsedate_to_datetime(headers["date"]).timestamp())
    except (KeyError, ValueError):
        return now


def retries_exhausted(name: str, tries: int, problem: str, where: str = "") -> SourceError:
    """Error of a host that failed as often as is allowed."""
    return SourceError(
        f"{name} failed {tries} times in a row{where}; the last failure: {problem.rstrip('.')}. "
        "What was received before is stored; run the same command again later."
    )


def banned(name: str, until: float, problem: str, fetch: FetchSettings) -> SourceError:
    """Error of a host that must not be called until a time [s since 1970] that is too far away."""
    moment = email.utils.formatdate(until, usegmt=True)
    return SourceError(
        f"{name} must not be called before {moment} ({problem}); fetch.patience (MAESTRO_FETCH_PATIENCE) allows a wait "
        f"of {fetch.patience:g} s. What was received before is stored; run the same command again after that time."
    )


def _message(response: httpx.Response) -> str:
    """The host's message: Binance's code and msg, BitMEX's error, or the start of the body."""
    try:
        message = response.json()
    except ValueError:
        return response.text[:200].strip()
    if isinstance(message, dict) and "msg" in message:
        return f"{message.get('code', '')} {message['msg']}".strip()
    if isinstance(message, dict) and isinstance(message.get("error"), dict):
        return f"{message['error'].get('name', '')}: {message['error'].get('message', '')}"
    return str(message)[:200]


def retry_after(headers: Mapping[str, str], status: int, now: float) -> float:
    """Seconds to wait: a number, or an HTTP date; the shortest of the exchanges' bans where there is neither."""
    text = headers.get("retry-after", "").strip()
    try:
        seconds = float(text)
    except ValueError:
        try:
            seconds = email.utils.parsedate_to_datetime(text).timestamp() - now
        except ValueError:
            seconds = -1.0
    if not 0 <= seconds < float("inf"):
        return WITHOUT_RETRY_AFTER.get(status, 60.0)
    return seconds


@functools.cache
def _certificates() -> ssl.SSLContext:
    return ssl.create_default_context()


def _library() -> Any:
    try:
        import httpx
    except ImportError:
        raise MissingExtraError("httpx", "exchange") from None
    return httpx
