"""Bars and funding as Binance spot, Binance USD-M and BitMEX send them, with their refusals and rate limits."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import numpy as np
import polars as pl

from maestro.data.timeframes import timeframe_us
from maestro.testing import Answer, Market, Refusal

MS = 1_000
MONTH_US = 30 * timeframe_us("1d")
_SPOT_BARS = ("1s", "1m", "3m", "5m", "15m", "30m", "1h", "2h", "4h", "6h", "8h", "12h", "1d", "3d", "1w", "1M")
_BITMEX_BARS = ("1m", "5m", "1h", "1d")
_KINDS = {
    "/fapi/v1/fundingRate": "funding",
    "/futures/data/openInterestHist": "open_interest",
    "/futures/data/basis": "basis",
}


_LIMITS = {"/api/v3": ("weight", 6_000, 60), "/fapi": ("weight", 2_400, 60), "/api/v1": ("requests", 30, 60)}
_OTHERS = {"funding": (500, 300), "statistics": (1_000, 300)}


@dataclass
class ExchangeMarket(Market):
    """What Binance and BitMEX have."""

    paths = ("/api", "/fapi", "/dapi", "/futures")
    same_series = ("symbol", "pair", "interval", "binSize", "period")

    def limit(self, path: str, budget: str) -> tuple[float, float]:
        name, allowed, window = next((v for prefix, v in _LIMITS.items() if path.startswith(prefix)), ("", 0, 0))
        return (allowed, window) if budget == name else _OTHERS[budget]

    def headers(self, budget: str, used: float, allowed: float, reset: float) -> dict[str, str]:
        if budget == "weight":
            return {"X-MBX-USED-WEIGHT-1M": str(int(used))}
        if budget == "requests":
            left = str(int(max(0, allowed - used)))
            return {
                "x-ratelimit-limit": str(allowed),
                "x-ratelimit-remaining": left,
                "x-ratelimit-reset": str(int(reset)),
            }
        return {}

    def answer(self, path: str, params: dict[str, str], now: float) -> Answer:
        now_us = int(now * 1_000_000)
        if path in ("/api/v3/klines", "/fapi/v1/klines"):
            return Answer(*self._klines(path, params, now_us))
        if path in _KINDS:
            return Answer(*self._binance(_KINDS[path], params, now_us))
        if path == "/api/v1/trade/bucketed":
            return Answer(self._buckets(params, now_us), "requests")
        if path == "/api/v1/funding":
            return Answer(self._bitmex_funding(params), "requests")
        if path.endswith("/exchangeInfo"):
            names = sorted({symbol for symbol, _, _ in self.series}) if not path.startswith("/dapi") else []
            return Answer([_symbol(name, path.startswith("/api")) for name in names], wrap="symbols")
        raise Refusal(404, {"code": -1, "msg": "no such path"})

    def _rows(self, symbol: str, series: str, timeframe: str) -> pl.DataFrame:
        if not any(known == symbol for known, _, _ in self.series):
            raise Refusal(400, {"code": -1121, "msg": "Invalid symbol."})
        empty = pl.DataFrame(schema={"timestamp": pl.Datetime("us", "UTC")})
        return self.series.get((symbol, series, timeframe), empty)

    def _limit(self, params: dict[str, str], name: str, default: int, most: int) -> int:
        return min(_limit(params, name, default, most), self.cap)

    def _klines(self, path: str, params: dict[str, str], now_us: int) -> tuple[list[Any], str, float]:
        spot = path == "/api/v3/klines"
        if params.get("interval") not in _SPOT_BARS:
            raise Refusal(400, {"code": -1120, "msg": "Invalid interval."})
        limit = _limit(params, "limit", 500, 1_000 if spot else 1_500)
        weight = 2 if spot else 1 if limit < 100 else 2 if limit < 500 else 5 if limit <= 1_000 else 10
        step = timeframe_us(params["interval"])
        frame = self._rows(params["symbol"], "bars", params["interval"])
        frame = frame.filter(pl.col("timestamp").to_physical() <= now_us)
        rows = []
        for stamp, opened, high, low, close, volume in _window(frame, params, min(limit, self.cap)).iter_rows():
            if stamp + step > now_us:  # still open: the part that has been traded, another one at every pull
                part = max(0.01, (now_us - stamp) / step)
                close, high, low, volume = opened, max(opened, high * part), min(opened, low / part), volume * part
            closes = (stamp + step) // MS - 1
            values = [_text(value) for value in (opened, high, low, close, volume)]
            rows.append([stamp // MS, *values, closes, _text(volume * close), 7, "0", "0", "0"])
        return rows, "weight", weight

    def _binance(self, series: str, params: dict[str, str], now_us: int) -> tuple[list[Any], str, float]:
        symbol = params["symbol" if series != "basis" else "pair"]
        if series == "funding":
            frame = self._rows(symbol, series, "")
            limit = self._limit(params, "limit", 100, 1_000)
            rows = [
                {"symbol": symbol, "fundingTime": stamp // MS, "fundingRate": _text(rate), "markPrice": "1.0"}
                for stamp, rate in _window(frame, params, limit).iter_rows()
            ]
            return rows, "funding", 1
        if "startTime" in params and int(params["startTime"]) * MS < now_us - MONTH_US:
            raise Refusal(400, {"code": -1130, "msg": "parameter 'startTime' is invalid."})
        frame = _window(
            self._rows(symbol, series, params["period"]), params, self._limit(params, "limit", 30, 500), newest=True
        )
        rows = []
        for n, (stamp, value) in enumerate(frame.iter_rows()):
            at: Any = stamp // MS if n % 2 else str(stamp // MS)  # number or text, as it comes
            if series == "open_interest":
                rows.append(
                    {"symbol": symbol, "sumOpenInterest": _text(value), "sumOpenInterestValue": "1", "timestamp": at}
                )
            else:
                index, future = 1_000.0, 1_000.0 * (1.0 + value)
                words = {"indexPrice": _text(index), "futuresPrice": _text(future), "basisRate": f"{value:.4f}"}
                rows.append({**words, "contractType": params["contractType"], "pair": symbol, "timestamp": int(at)})
        return rows, "statistics", 1

    def _buckets(self, params: dict[str, str], now_us: int) -> list[Any]:
        if params.get("binSize") not in _BITMEX_BARS:
            raise Refusal(400, {"error": {"message": "binSize is invalid", "name": "ValidationError"}})
        step = timeframe_us(params["binSize"])
        count = self._limit(params, "count", 100, 1_000)
        frame = self.series.get((params["symbol"], "bars", params["binSize"]))
        if frame is None:
            return []
        stamps = frame["timestamp"].to_physical() + step
        low, high = (_from_iso(params.get(name)) for name in ("startTime", "endTime"))
        keep = (stamps >= (low or 0)) & (stamps <= min(high or 1 << 62, now_us))
        keys = ("open", "high", "low", "close", "volume")
        kept = frame.with_columns(stamps.alias("timestamp")).filter(keep)
        kept = kept.reverse() if params.get("reverse") == "true" else kept
        rows = []
        for stamp, *values in kept.head(count).iter_rows():
            row = {key: None if math.isnan(value) else value for key, value in zip(keys, values, strict=True)}
            row |= {"timestamp": _iso(stamp), "symbol": params["symbol"], "trades": 1, "vwap": None, "lastSize": None}
            rows.append(row | {"turnover": 0, "homeNotional": 0.0, "foreignNotional": row["volume"]})
        return rows

    def _bitmex_funding(self, params: dict[str, str]) -> list[Any]:
        frame = self.series.get((params["symbol"], "funding", ""))
        if frame is None:
            return []
        stamps = frame["timestamp"].to_physical()
        low, high = (_from_iso(params.get(name)) for name in ("startTime", "endTime"))
        kept = frame.filter((stamps >= (low or 0)) & (stamps <= (high or 1 << 62))).head(
            self._limit(params, "count", 100, 500)
        )
        fixed = {"symbol": params["symbol"], "fundingInterval": "2000-01-01T08:00:00.000Z"}
        rates = kept.with_columns(pl.col("timestamp").to_physical()).iter_rows()
        return [{"timestamp": _iso(t), **fixed, "fundingRate": rate, "fundingRateDaily": rate * 3} for t, rate in rates]


def _symbol(name: str, spot: bool) -> dict[str, Any]:
    """Entry of a symbol in Binance's list of markets."""
    base, quote = name[:-4], name[-4:]
    kind = {} if spot else {"contractType": "PERPETUAL", "contractSize": 1, "marginAsset": quote}
    return {
        "symbol": name, "status": "TRADING", "baseAsset": base, "quoteAsset": quote, "baseAssetPrecision": 8,
        "quotePrecision": 8, "orderTypes": ["LIMIT", "MARKET"], "permissionSets": [["SPOT"]], "filters": [
            {"filterType": "PRICE_FILTER", "minPrice": "0.01", "maxPrice": "1000000.00", "tickSize": "0.01"},
            {"filterType": "LOT_SIZE", "minQty": "0.00001", "maxQty": "9000.0", "stepSize": "0.00001"},
        ], **kind,
    }  # fmt: skip


def _limit(params: dict[str, str], name: str, default: int, most: int) -> int:
    limit = int(params.get(name, default))
    if not 1 <= limit <= most:
        raise Refusal(
            400, {"code": -1130, "msg": f"{name} is above {most}", "error": {"message": f"{name}", "name": "E"}}
        )
    return limit


def _window(frame: pl.DataFrame, params: dict[str, str], limit: int, newest: bool = False) -> pl.DataFrame:
    """Rows from startTime to endTime inclusive [ms]; the first ones, or the latest where there is neither."""
    frame = frame.with_columns(pl.col("timestamp").to_physical())
    stamp = pl.col("timestamp") // MS
    if "startTime" in params:
        frame = frame.filter(stamp >= int(params["startTime"]))
    if "endTime" in params:
        frame = frame.filter(stamp <= int(params["endTime"]))
    latest = newest or not {"startTime", "endTime"} & params.keys()
    return frame.tail(limit) if latest else frame.head(limit)


def _text(value: float) -> str:
    return np.format_float_positional(value, unique=True, trim="-")


def _iso(stamp_us: int) -> str:
    return (
        datetime.fromtimestamp(stamp_us / 1_000_000, UTC).strftime("%Y-%m-%dT%H:%M:%S.")
        + f"{stamp_us // MS % 1_000:03d}Z"
    )


def _from_iso(text: str | None) -> int | None:
    return None if text is None else round(datetime.fromisoformat(text).timestamp() * 1_000) * MS
