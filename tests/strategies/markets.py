"""Bars for the tests of the strategies: real ones with their series joined, and random walks with odd stretches."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
import polars as pl

from maestro.bars import Bars
from tests.support.real_data import real_path

HOUR_US = 3_600_000_000


@lru_cache
def bitfinex(symbol: str = "BTCUSD") -> Bars:
    """One symbol against USD, 1h, the 8,760 bars from 2018-01-01."""
    frame = pl.read_parquet(real_path("bitfinex_7sym_1h.parquet")).filter(
        pl.col("symbol") == symbol, pl.col("ts") >= pl.datetime(2018, 1, 1, time_zone="UTC")
    )
    return Bars.from_frame(frame.sort("ts").head(8760), provider="BITFINEX", symbol=symbol, timeframe="1h")


@lru_cache
def perpetual(symbol: str = "BTCUSDT", timeframe: str = "4h") -> Bars:
    """A Binance perpetual with its funding: a bar's rate is what was settled after the open before, up to its own."""
    bars = (
        pl.read_parquet(real_path(f"binance_usdm_12sym_{timeframe}.parquet"))
        .filter(pl.col("symbol") == symbol)
        .sort("timestamp")
        .select("timestamp", "open", "high", "low", "close", "volume")
    )
    funding = (
        pl.read_parquet(real_path("binance_usdm_allsym_funding.parquet"))
        .filter(pl.col("symbol") == symbol)
        .with_columns(settled=pl.col("timestamp") // 1000 * 1000)  # stamps are up to 17 ms late
        .sort("settled")
        .join_asof(bars.select(bar="timestamp"), left_on="settled", right_on="bar", strategy="forward")
        .drop_nulls("bar")
        .group_by("bar")
        .agg(funding_rate=pl.col("funding_rate").sum(), funding_count=pl.len().cast(pl.Float64))
    )
    joined = bars.join(funding, left_on="timestamp", right_on="bar", how="left").sort("timestamp")
    return Bars.from_frame(joined, provider="BINANCE", symbol=symbol, timeframe=timeframe)


@lru_cache
def bitstamp() -> Bars:
    """BTCUSD 1h of another exchange, whole days of 2018-05-16 to 2024-11-29."""
    schema = {"datetime": pl.String, **dict.fromkeys(("Open", "High", "Low", "Close", "VolumeBTC"), pl.Float64)}
    frame = pl.read_csv(real_path("bitstamp_BTCUSD_1h_2018-2024.csv.gz"), schema=schema).rename(
        {"datetime": "timestamp", "VolumeBTC": "volume"}
    )
    bars = Bars.from_frame(frame.sort("timestamp"), provider="BITSTAMP", symbol="BTCUSD", timeframe="1h")
    return bars.between("2018-05-16", "2024-11-30")


@lru_cache
def daily_interest() -> Bars:
    """Daily BTCUSD with the open interest of all exchanges: a day's figure counts from the next day."""
    schema = {"Date": pl.String, "Data": pl.Float64}
    known = pl.read_csv(real_path("heun630_open_interest.csv"), schema=schema).select(
        day=pl.col("Date").str.to_datetime("%Y.%-m.%-d", time_unit="us", time_zone="UTC").dt.offset_by("1d"),
        open_interest="Data",
    )
    days = bitstamp().resample("1d").to_frame().join(known, left_on="timestamp", right_on="day").sort("timestamp")
    return Bars.from_frame(days, provider="BITSTAMP", symbol="BTCUSD", timeframe="1d")


@lru_cache
def with_basis() -> Bars:
    """BTCUSD 1h of one exchange with its premium over another: two real prices of one thing, as a basis is."""
    other = bitstamp().to_frame().select("timestamp", other="close")
    joined = bitfinex().to_frame().join(other, on="timestamp").sort("timestamp")
    premium = joined.with_columns(basis=pl.col("close") / pl.col("other") - 1).drop("other")
    return Bars.from_frame(premium, provider="BITFINEX", symbol="BTCUSD", timeframe="1h")


def random_market(seed: int, n: int = 1500, *, tick: float | None = None) -> Bars:
    """Random walk with every series, a flat stretch, one without volume, and zeros and NaN in the optional ones.

    With `tick`, a power of two, prices lie on a grid on which sums are exact, so that lines often touch.
    """
    rng = np.random.default_rng(seed)
    close = 100 * np.exp(np.cumsum(rng.standard_t(4, n) * 0.006))
    volume = rng.lognormal(3, 1, n)
    a, b, c = n // 3, n // 2, 2 * n // 3
    close[a : a + 70] = close[a]
    volume[b : b + 60] = 0.0
    volume[c : c + 60] = 64.0
    opens = np.concatenate((close[:1], close[:-1]))
    high = np.maximum(opens, close) * (1 + abs(rng.normal(0, 0.003, n)))
    low = np.minimum(opens, close) * (1 - abs(rng.normal(0, 0.003, n)))
    if tick is not None:
        opens, close = (np.round(x / tick) * tick for x in (opens, close))
        high, low = np.ceil(high / tick) * tick, np.floor(low / tick) * tick
    high[a + 1 : a + 70] = low[a + 1 : a + 70] = close[a]
    settled = rng.random(n) < 0.2
    settled[0] = True
    rate = np.where(settled, np.round(rng.normal(0, 13, n)) / 2**17, np.nan)  # no mean of them ties with a decimal
    interest = 1e6 * np.exp(np.cumsum(rng.normal(0, 0.03, n)))
    interest[b : b + 5] = 0.0
    premium = rng.normal(0, 0.001, n).cumsum() * 0.1 + rng.normal(0, 0.001, n)
    for series in (interest, premium):
        series[rng.choice(np.arange(1, n), 5)] = np.nan
    columns: dict[str, Any] = {
        "time": np.arange(n, dtype=np.int64) * HOUR_US, "open": opens, "high": high, "low": low, "close": close,
        "volume": volume, "funding_rate": rate, "funding_count": np.where(settled, rng.integers(1, 4, n), 0.0),
        "open_interest": interest, "basis": premium,
    }  # fmt: skip
    for values in columns.values():
        values.flags.writeable = False
    return Bars(columns, provider="TEST", symbol=f"SEED{seed}", timeframe="1h", periods_per_year=8760.0)
