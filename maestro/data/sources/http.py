"""A polite HTTP client for one exchange: within the budget, silent while banned, patient with a bound."""

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

from maestro.data.sources.limits import Host
from maestro.data.sources.settings import SourceSettings
from maestro.errors import MissingExtraError, SourceError

if TYPE_CHECKING:
    import httpx

T = TypeVar("T")
_LOG = logging.getLogger("maestro.data")
_WORTH_SAYING = 2.0  # [s] of waiting
MARGIN = 0.1  # [s] added to every Retry-After, whose seconds are cut to whole ones
WITHOUT_RETRY_AFTER = {429: 60.0, 418: 120.0}  # [s] the exchanges' shortest, where the header is missing
_BACKOFF = (0.25, 30.0)  # [s] the first and the longest pause after a failure


class Reply(NamedTuple, Generic[T]):
    """What was read of an answer, and the time it belongs to [s since 1970], the exchange's where that is earlier."""

    value: T
    now: float


class Client:
    """GET requests to one host.

    Every request waits for its budget and for the end of a ban; 429, 418, 5xx, lost connections, slow or torn
    bodies and answers that `read` refuses are tried again with growing pauses. After any such trouble requests go
    one at a time until one has succeeded.

    Parameters
    ----------
    base_url : str
    host : Host, shared by all clients of the same host
    settings : SourceSettings
    heard : callable
        Takes the answer's headers, gives what the exchange says was used of which budget.
    rng : random.Random, optional, for the jitter of the pauses
    """

    def __init__(
        self,
        base_url: str,
        host: Host,
        settings: SourceSettings,
        heard: Callable[[Mapping[str, str]], Mapping[str, float]],
        *,
        rng: random.Random | None = None,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self.host, self.settings = host, settings
        self._heard = heard
        self._rng = rng or random.Random()
        self._http = _library().AsyncClient(
            base_url=base_url,
            headers={"User-Agent": "maestro-research", "Accept": "application/json, */*"},
            timeout=settings.timeout,
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
        """Ask until an answer can be read.

        Parameters
        ----------
        path, params : what to ask
        cost : units by budget
        read : callable
            Turns the response into a value; its ValueError means that the answer cannot be used, so it is asked again.
        missing : callable, optional
            The value for 404; without it, 404 is an error like any other refusal.

        Raises
        ------
        SourceError
            The exchange refuses (unknown symbol, firewall), bans for longer than the settings' patience, or has
            failed `tries` times one after the other.
        """
        problem = ""
        for attempt in range(self.settings.tries):
            await self._admit(cost, problem)
            try:
                async with asyncio.timeout(self.settings.timeout):
                    response = await self._http.get(path, params=dict(params))
            except (_library().RequestError, TimeoutError) as error:
                problem = f"{type(error).__name__} {error}".strip()
            else:
                self.host.told(self._heard(response.headers))
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
                        return Reply(value, self._time_of(response))
            finally:
                self._under_way -= 1
                self._freed.set()
            self._trouble = True
            if not self.host.banned():
                first, longest = _BACKOFF
                await self.host.clock.sleep(min(first * 2**attempt, longest) * self._rng.uniform(0.5, 1.0))
        raise SourceError(
            f"{self.host.name} failed {self.settings.tries} times one after the other at {path}; "
            f"the last: {problem.rstrip('.')}. "
            "What was received before is stored; run the same again later."
        )

    async def _admit(self, cost: Mapping[str, float], problem: str) -> None:
        """Wait until a request may go, and count it."""
        async with self._queue:
            while True:
                wait = self.host.wait(cost)
                if wait > self.settings.patience:
                    until = email.utils.formatdate(self.host.clock.now() + wait, usegmt=True)
                    raise SourceError(
                        f"{self.host.name} must not be called before {until} ({problem or 'it banned this address'}); "
                        f"MAESTRO_FETCH_PATIENCE allows to wait {self.settings.patience:g} s. "
                        "What was received before is stored; run the same again after that time."
                    )
                if wait > 0:
                    if wait >= _WORTH_SAYING:
                        _LOG.info(
                            "%s: waiting %.0f s (%s)", self.host.name, wait, problem or "its allowance is used up"
                        )
                    await self.host.clock.sleep(wait)
                elif self._under_way >= (1 if self._trouble else self.settings.concurrency):
                    self._freed.clear()
                    await self._freed.wait()
                else:
                    break
            self.host.spend(cost)
            self._under_way += 1

    def _refusal(self, response: httpx.Response) -> str:
        """Why to ask again, or an empty string; raises where asking again is of no use."""
        status = response.status_code
        if status == 200:
            return ""
        said = f"HTTP {status} {_message(response)}".strip()
        if status in WITHOUT_RETRY_AFTER:
            self.host.ban(_retry_after(response, self.host.clock.now()) + MARGIN)
            return said
        if status >= 500:
            if "retry-after" in response.headers:
                self.host.ban(_retry_after(response, self.host.clock.now()) + MARGIN)
            return said
        if status in (403, 451):
            raise SourceError(
                f"{self.host.name} does not serve this address ({said}): its firewall, or the place. "
                "Wait some minutes, or set the base URL of a mirror."
            )
        if 300 <= status < 400:
            raise SourceError(
                f"{self.host.name} redirects to {response.headers.get('location')}; set that as base URL."
            )
        raise SourceError(f"{self.host.name} refused {response.request.url.path}: {said}")

    def _time_of(self, response: httpx.Response) -> float:
        """The earlier of our time and the exchange's: a clock that runs ahead must not take an open bar for closed."""
        now = self.host.clock.now()
        try:
            return min(now, email.utils.parsedate_to_datetime(response.headers["date"]).timestamp())
        except (KeyError, ValueError):
            return now


def _message(response: httpx.Response) -> str:
    """The exchange's own words: Binance's code and msg, BitMEX's error, or the start of the body."""
    try:
        said = response.json()
    except ValueError:
        return response.text[:200].strip()
    if isinstance(said, dict) and "msg" in said:
        return f"{said.get('code', '')} {said['msg']}".strip()
    if isinstance(said, dict) and isinstance(said.get("error"), dict):
        return f"{said['error'].get('name', '')}: {said['error'].get('message', '')}"
    return str(said)[:200]


def _retry_after(response: httpx.Response, now: float) -> float:
    """Seconds to wait: a number, or an HTTP date; the exchanges' shortest where there is neither."""
    text = response.headers.get("retry-after", "").strip()
    try:
        seconds = float(text)
    except ValueError:
        try:
            seconds = email.utils.parsedate_to_datetime(text).timestamp() - now
        except ValueError:
            seconds = -1.0
    if not 0 <= seconds < float("inf"):
        return WITHOUT_RETRY_AFTER.get(response.status_code, 60.0)
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
