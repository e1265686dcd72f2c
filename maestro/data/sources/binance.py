"""Binance, spot and USD-M perpetuals: klines, funding, open interest and basis as rows."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import polars as pl

from maestro.data.sources.context import Context
from maestro.data.sources.http import Client, Reply
from maestro.data.sources.limits import Budget
from maestro.data.sources.paging import walk
from maestro.data.sources.protocol import COLUMNS, Page, Source, check_page, make_frame
from maestro.data.timeframes import DAY_US, timeframe_us
from maestro.errors import SettingsError, nearest

if TYPE_CHECKING:
    import httpx

SPOT, PERPETUAL = "BINANCE", "BINANCE-PERPETUAL"
_BARS = ("1m", "3m", "5m", "15m", "30m", "1h", "2h", "4h", "6h", "8h", "12h", "1d", "1w")
_STATISTICS = ("5m", "15m", "30m", "1h", "2h", "4h", "6h", "12h", "1d")
_STATISTICS_KEPT = 30 * DAY_US  # openInterestHist and basis reach back one month only
_FUNDING_STEP = timeframe_us("8h")  # the longest interval of settlements; some symbols have 4h or 1h
_MS = 1_000


def budgets(provider: str) -> dict[str, Budget]:
    """Rate limits: weight per minute; requests per five minutes for funding and for statistics."""
    weight = 6_000 if provider == SPOT else 2_400
    return {"weight": Budget(weight, 60), "funding": Budget(500, 300), "statistics": Budget(1_000, 300)}


def usage(headers: Mapping[str, str]) -> dict[str, float]:
    """Weight that the exchange has counted in this minute."""
    used = headers.get("x-mbx-used-weight-1m", "")
    return {"weight": float(used)} if used.isdigit() else {}


@asynccontextmanager
async def open_binance(context: Context) -> AsyncIterator[Source]:
    """Open Binance's spot market or its perpetuals."""
    own = context.settings.servers.binance
    url = own.url if context.provider == SPOT else own.usdm_url
    async with context.client(url, budgets(context.provider), usage) as client:
        yield Binance(context.provider, client)


class Binance:
    """Binance's public market data.

    Parameters
    ----------
    provider : str
        ``"BINANCE"`` is spot, ``"BINANCE-PERPETUAL"`` the USD-M perpetuals.
    client : Client
        Of the host that serves this market.
    """

    def __init__(self, provider: str, client: Client) -> None:
        self.provider, self.client = provider, client

    def step_us(self, series: str, timeframe: str) -> int:
        if self.provider == SPOT and series != "bars":
            raise SettingsError(f"{SPOT} is the spot market and has no {series}; ask {PERPETUAL}.")
        if series == "funding":
            return _FUNDING_STEP
        if series not in COLUMNS:
            raise SettingsError(f"{self.provider} has no {series}; it has {', '.join(COLUMNS)}.")
        known = _BARS if series == "bars" else _STATISTICS
        if timeframe not in known:
            raise SettingsError(
                f"{self.provider} has no {series} of {timeframe!r}; it has {', '.join(known)}. "
                "Fetch a shorter one and make others with bars.resample()." + nearest(timeframe, known)
            )
        return timeframe_us(timeframe)

    def check_symbol(self, symbol: str) -> None:
        if not re.fullmatch(r"[A-Z0-9_]+", symbol):
            raise SettingsError(f"{self.provider} has no symbol {symbol!r}; it writes them without signs: BTCUSDT.")

    def earliest(self, series: str) -> int | None:
        if series in ("open_interest", "basis"):
            return int(self.client.host.clock.now() * 1_000_000) - _STATISTICS_KEPT
        return None

    def pages(self, symbol: str, series: str, timeframe: str, start: int, end: int) -> AsyncIterator[Page]:
        step = self.step_us(series, timeframe)

        async def ask(low: int, high: int) -> Reply[pl.DataFrame]:
            def read(response: httpx.Response) -> pl.DataFrame:
                return check_page(_read(series, response.json(), symbol), low, high)

            path, params, cost = self._question(symbol, series, timeframe, -((low - high) // step))
            stretch = {"startTime": -(-low // _MS), "endTime": (high - 1) // _MS}
            return await self.client.get(path, params | stretch, cost, read)

        if series == "bars":
            return walk(ask, start, end, step=step, length=step, advance=step)
        if series == "funding":
            return walk(ask, start, end, step=step, length=0, advance=_MS)
        return walk(ask, start, end, step=step, length=0, advance=step, window=500 * step)

    def _question(
        self, symbol: str, series: str, timeframe: str, rows: int
    ) -> tuple[str, dict[str, Any], dict[str, float]]:
        """Path, parameters and cost of the request for the next `rows` rows, as many as are worth their cost."""
        if series == "bars" and self.provider == SPOT:
            return "/api/v3/klines", _klines(symbol, timeframe, min(rows, 1_000)), {"weight": 2}
        if series == "bars":
            # 1,500 rows would weigh 10: a thousand for 5 brings more rows for the same weight.
            weight = 1 if rows < 100 else 2 if rows < 500 else 5
            return "/fapi/v1/klines", _klines(symbol, timeframe, min(rows, 1_000)), {"weight": weight}
        if series == "funding":
            return "/fapi/v1/fundingRate", {"symbol": symbol, "limit": 1_000}, {"funding": 1}
        asked: dict[str, Any] = {"period": timeframe, "limit": 500}
        if series == "open_interest":
            return "/futures/data/openInterestHist", {"symbol": symbol} | asked, {"statistics": 1}
        return "/futures/data/basis", {"pair": symbol, "contractType": "PERPETUAL"} | asked, {"statistics": 1}


def _klines(symbol: str, interval: str, limit: int) -> dict[str, Any]:
    return {"symbol": symbol, "interval": interval, "limit": limit}


def _read(series: str, answer: Any, symbol: str) -> pl.DataFrame:
    """Rows of an answer; ValueError where its shape is not the documented one."""
    if not isinstance(answer, list):
        raise ValueError(f"a {type(answer).__name__} where a list of rows belongs")
    try:
        if series == "bars":
            stamps = [int(row[0]) * _MS for row in answer]
            return make_frame(series, stamps, [[row[n] for row in answer] for n in range(1, 6)])
        if series == "funding":
            stamps = [int(row["fundingTime"]) * _MS for row in answer]
            values = [row["fundingRate"] for row in answer]
        elif series == "open_interest":
            stamps = [int(row["timestamp"]) * _MS for row in answer]
            values = [row["sumOpenInterest"] for row in answer]
        else:
            # Not their basisRate, which is cut to four digits.
            stamps = [int(row["timestamp"]) * _MS for row in answer]
            values = [float(row["futuresPrice"]) / float(row["indexPrice"]) - 1.0 for row in answer]
        if any(row.get("symbol", symbol) != symbol for row in answer):
            raise ValueError(f"rows of another symbol than {symbol}")
    except (KeyError, IndexError, TypeError, AttributeError, ZeroDivisionError) as error:
        raise ValueError(f"a row of another shape ({type(error).__name__} {error})") from None
    return make_frame(series, stamps, [values])
