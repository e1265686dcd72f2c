"""Any exchange that ccxt knows: its bars, and funding rates of its perpetuals."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any, TypeVar
from urllib.parse import urlsplit

import polars as pl

from maestro.data.sources.context import Context
from maestro.data.sources.http import BACKOFF, MARGIN, Reply, banned, earlier_time, retries_exhausted, retry_after
from maestro.data.sources.limits import Clock
from maestro.data.sources.paging import walk
from maestro.data.sources.protocol import Page, Source, check_page, make_frame
from maestro.data.timeframes import timeframe_us
from maestro.errors import MissingExtraError, SettingsError, SourceError, nearest

T = TypeVar("T")
PREFIX = "CCXT-"
"""``CCXT-BINANCE`` is ccxt's Binance, ``BINANCE`` is Maestro's own source; ``KRAKEN`` is ``CCXT-KRAKEN``."""
_ROWS = 1_000
"""Rows asked for at once; an exchange that sends fewer is asked again from the last one on."""
_FUNDING_STEP = timeframe_us("8h")
_MS = 1_000


def exchange_of(provider: str) -> str:
    """Return ccxt's id of an exchange: ``kraken`` for ``KRAKEN`` and ``CCXT-KRAKEN``; empty if ccxt has none.

    Raises
    ------
    MissingExtraError
        ccxt is not installed.
    """
    name = provider.removeprefix(PREFIX).lower()
    return name if name in _library().exchanges else ""


@asynccontextmanager
async def open_ccxt(context: Context) -> AsyncIterator[Source]:
    """Open an exchange of ccxt by its id."""
    library = _library()
    name = exchange_of(context.provider)
    if not name:
        asked = context.provider.removeprefix(PREFIX)
        raise SettingsError(f"ccxt has no exchange {asked.lower()!r}.{nearest(asked.lower(), library.exchanges)}")
    fetch = context.settings.fetch
    exchange = getattr(library, name)({"enableRateLimit": True, "timeout": int(fetch.timeout * 1_000)})
    if context.settings.servers.ccxt.url:
        exchange.urls["api"] = _moved(exchange.urls["api"], context.settings.servers.ccxt.url)
    try:
        yield CcxtExchange(context.provider, exchange, context)
    finally:
        await exchange.close()


class CcxtExchange:
    """Public market data of one exchange, through ccxt, which keeps the exchange's rate limit.

    Parameters
    ----------
    provider : str
    exchange : ccxt.async_support.Exchange
    context : Context
    """

    def __init__(self, provider: str, exchange: Any, context: Context) -> None:
        self.provider, self.exchange = provider, exchange
        self._fetch, self._clock = context.settings.fetch, context.clock or Clock()
        self._rng = context.rng or random.Random()

    def step_us(self, series: str, timeframe: str) -> int:
        if series == "funding" and self.exchange.has.get("fetchFundingRateHistory") is True:
            return _FUNDING_STEP
        if series != "bars" or self.exchange.has.get("fetchOHLCV") is not True:
            raise SettingsError(f"{self.exchange.name} has no {series} in ccxt; its bars and funding are what is read.")
        known = [_ours(name) for name in self.exchange.timeframes or {}]
        if timeframe not in known:
            raise SettingsError(
                f"{self.exchange.name} has no bars of {timeframe!r}; it has {', '.join(known)}. "
                "Fetch a shorter one and make others with bars.resample()." + nearest(timeframe, known)
            )
        return timeframe_us(timeframe)

    def earliest(self, series: str) -> int | None:
        return None

    def pages(self, symbol: str, series: str, timeframe: str, start: int, end: int) -> AsyncIterator[Page]:
        step = self.step_us(series, timeframe)

        async def ask(low: int, high: int) -> Reply[pl.DataFrame]:
            limit = max(1, min(_ROWS, -((low - high) // step)))
            since = -(-low // _MS)
            if series == "bars":
                call = lambda: self.exchange.fetch_ohlcv(symbol, _theirs(timeframe), since, limit)  # noqa: E731
            else:
                call = lambda: self.exchange.fetch_funding_rate_history(symbol, since, _ROWS)  # noqa: E731
            return await self._answer(call, lambda rows: check_page(_read(series, rows, low, high), low, high))

        length = step if series == "bars" else 0
        return walk(ask, start, end, step=step, length=length, advance=step if series == "bars" else _MS)

    async def _answer(self, call: Callable[[], Awaitable[Any]], read: Callable[[Any], T]) -> Reply[T]:
        """Ask until an answer can be read; failures of the network are tried again with growing pauses."""
        library, problem = _library(), ""
        for attempt in range(self._fetch.tries):
            try:
                value = read(await call())
            except (library.RateLimitExceeded, library.DDoSProtection) as error:
                problem = str(error)
                await self._wait_for_ban(problem)
            except (library.NetworkError, ValueError, TypeError, LookupError) as error:  # the latter of torn bodies
                problem = f"{type(error).__name__}: {error}"
                first, longest = BACKOFF
                await self._clock.sleep(min(first * 2**attempt, longest) * self._rng.uniform(0.5, 1.0))
            except library.BadSymbol as error:
                near = nearest(str(error).split()[-1], list(self.exchange.markets or {}))
                raise SourceError(f"{self.exchange.name} refused: {error}.{near}") from error
            except library.BaseError as error:
                raise SourceError(f"{self.exchange.name} refused: {type(error).__name__}: {error}") from error
            else:
                return Reply(value, earlier_time(self._headers(), self._clock.now()))
        raise retries_exhausted(self.exchange.name, self._fetch.tries, problem)

    async def _wait_for_ban(self, problem: str) -> None:
        """Wait as long as the exchange asks for."""
        wait = retry_after(self._headers(), 429, self._clock.now()) + MARGIN
        if wait > self._fetch.patience:
            raise banned(self.exchange.name, self._clock.now() + wait, problem, self._fetch)
        await self._clock.sleep(wait)

    def _headers(self) -> dict[str, str]:
        return {key.lower(): value for key, value in (self.exchange.last_response_headers or {}).items()}


def _read(series: str, rows: Any, low: int, high: int) -> pl.DataFrame:
    """Rows of an answer inside the stretch; ccxt's `since` is a lower bound only on some exchanges."""
    if series == "bars":
        kept = [row for row in rows if low <= row[0] * _MS < high]
        return make_frame(series, [row[0] * _MS for row in kept], [[row[n] for row in kept] for n in range(1, 6)])
    kept = [row for row in rows if low <= row["timestamp"] * _MS < high]
    return make_frame(series, [row["timestamp"] * _MS for row in kept], [[row["fundingRate"] for row in kept]])


def _moved(urls: Any, to: str) -> Any:
    """Return ccxt's addresses with another host, the paths as they are."""
    if isinstance(urls, dict):
        return {key: _moved(value, to) for key, value in urls.items()}
    return to.rstrip("/") + urlsplit(urls).path if isinstance(urls, str) else urls


def _ours(timeframe: str) -> str:
    return timeframe.replace("M", "mo") if timeframe.endswith("M") else timeframe


def _theirs(timeframe: str) -> str:
    return timeframe.replace("mo", "M")


def _library() -> Any:
    try:
        import ccxt.async_support as library
    except ImportError as error:
        raise MissingExtraError(error.name or "ccxt", "ccxt") from error
    return library
