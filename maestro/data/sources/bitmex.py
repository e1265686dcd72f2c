"""BitMEX: trade buckets, whose stamps are the bars' ends, and funding as rows."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import polars as pl

from maestro.data.sources.context import Context
from maestro.data.sources.http import Client, Reply
from maestro.data.sources.limits import Budget
from maestro.data.sources.paging import AGREE, walk
from maestro.data.sources.protocol import Page, Source, check_page, make_frame
from maestro.data.timeframes import timeframe_us
from maestro.errors import SettingsError, SourceError

if TYPE_CHECKING:
    import httpx

BITMEX = "BITMEX"
_BARS = ("1m", "5m", "1h", "1d")
_FUNDING_STEP = timeframe_us("8h")
_PRICES = ("open", "high", "low", "close")
_BUCKETS = "/api/v1/trade/bucketed"
_MS = 1_000


def budgets() -> dict[str, Budget]:
    """30 requests a minute without a key."""
    return {"requests": Budget(30, 60)}


def usage(headers: Mapping[str, str]) -> dict[str, float]:
    """Requests that the exchange has counted in this minute."""
    left = headers.get("x-ratelimit-remaining", "")
    return {"requests": max(0.0, 30.0 - float(left))} if left.isdigit() else {}


@asynccontextmanager
async def open_bitmex(context: Context) -> AsyncIterator[Source]:
    """Open BitMEX."""
    async with context.client(context.settings.servers.bitmex.url, budgets(), usage) as client:
        yield Bitmex(client)


class Bitmex:
    """BitMEX's public market data.

    A bucket's ``timestamp`` is its end; rows carry its open, one bin earlier. Its ``open`` is the previous bucket's
    close and is kept so: it can lie outside [low, high], which `bars.quality()` reports. Volume is in contracts.
    A bucket without a price (null before the first trade) is not a row.
    """

    provider = BITMEX

    def __init__(self, client: Client) -> None:
        self.client = client

    def step_us(self, series: str, timeframe: str) -> int:
        if series == "funding":
            return _FUNDING_STEP
        if series != "bars":
            raise SettingsError(f"{BITMEX} gives no history of {series}; it has bars and funding.")
        if timeframe not in _BARS:
            raise SettingsError(
                f"{BITMEX} has no bars of {timeframe!r}; it has {', '.join(_BARS)}. "
                "Fetch a shorter one and make others with bars.resample()."
            )
        return timeframe_us(timeframe)

    def earliest(self, series: str) -> int | None:
        return None

    async def pages(self, symbol: str, series: str, timeframe: str, start: int, end: int) -> AsyncIterator[Page]:
        step = self.step_us(series, timeframe)
        shift = step if series == "bars" else 0  # from a row's stamp to the exchange's

        async def ask(low: int, high: int) -> Reply[pl.DataFrame]:
            def read(response: httpx.Response) -> pl.DataFrame:
                return check_page(_read(series, response.json(), symbol, shift), low, high)

            if series == "bars":
                rows = min(-((low - high) // step), 1_000)
                path, params = _BUCKETS, {"binSize": timeframe, "partial": "false", "count": rows}
            else:
                path, params = "/api/v1/funding", {"count": 500}
            stretch = {"startTime": _iso(-(-(low + shift) // _MS)), "endTime": _iso((high - 1 + shift) // _MS)}
            asked = {"symbol": symbol, "reverse": "false", **params, **stretch}
            return await self.client.get(path, asked, {"requests": 1}, read)

        advance = step if series == "bars" else _MS
        first = True
        async for page in walk(ask, start, end, step=step, length=shift, advance=advance):
            if first and not len(page.frame):
                await self._check_symbol(symbol)
            first = False
            yield page

    async def _check_symbol(self, symbol: str) -> None:
        """Refuse a symbol that never had a bucket: BitMEX answers it with an empty list, like an empty stretch."""
        newest = {"symbol": symbol, "binSize": "1d", "count": 1, "reverse": "true"}
        for _ in range(1 + AGREE):
            reply = await self.client.get(_BUCKETS, newest, {"requests": 1}, lambda response: bool(response.json()))
            if reply.value:
                return
        raise SourceError(f"{BITMEX} has never had a bar of {symbol!r}; give the symbol as it writes it, like XBTUSD.")


def _read(series: str, answer: Any, symbol: str, shift: int) -> pl.DataFrame:
    """Rows of an answer; ValueError where its shape is not the documented one."""
    if not isinstance(answer, list):
        raise ValueError(f"a {type(answer).__name__} where a list of rows belongs")
    try:
        if any(row["symbol"] != symbol for row in answer):
            raise ValueError(f"rows of another symbol than {symbol}")
        if series == "funding":
            return make_frame(series, map(_stamp, answer), [[row["fundingRate"] for row in answer]])
        priced = [row for row in answer if all(row[name] is not None for name in _PRICES)]
        columns = [[row[name] for row in priced] for name in _PRICES]
        volumes = [row["volume"] or 0.0 for row in priced]  # null where nobody traded
        return make_frame(series, [_stamp(row) - shift for row in priced], [*columns, volumes])
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"a row of another shape ({type(error).__name__} {error})") from None


def _stamp(row: Mapping[str, Any]) -> int:
    """The exchange's stamp [µs], whose text is ISO with ms and Z."""
    return round(datetime.fromisoformat(row["timestamp"]).timestamp() * 1_000) * _MS


def _iso(stamp_ms: int) -> str:
    return datetime.fromtimestamp(stamp_ms / 1_000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
