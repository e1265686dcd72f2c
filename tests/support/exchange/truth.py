"""Real bars for the test exchange: hourly perpetuals and recorded BitMEX replies from beside the project."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

import polars as pl

from tests.support.real_data import BESIDE, real_path

HOUR_US = 3_600_000_000
STAMP = pl.Datetime("us", "UTC")


@cache
def hourly(symbol: str = "BTCUSDT") -> pl.DataFrame:
    """4,500 hourly bars of a perpetual, without a gap. Elsewhere: daily bars of a fund, stamped hour by hour.

    What is tested is the way of rows, not the market; so the tests run on any machine.
    """
    names = ("open", "high", "low", "close", "volume")
    if (BESIDE / "binance_usdm_12sym_1h.parquet").exists():
        frame = pl.read_parquet(BESIDE / "binance_usdm_12sym_1h.parquet").filter(pl.col("symbol") == symbol)
        return frame.select((pl.col("timestamp") * 1_000).cast(STAMP), *names)
    rows = pl.read_parquet(real_path("lean_us_equity_daily_10sym.parquet"))
    rows = rows.filter(pl.col("symbol") == ("SPY" if symbol == "BTCUSDT" else "IBM")).tail(4_500)
    stamps = pl.Series(range(len(rows))) * HOUR_US + 1_700_000_000_000_000 // HOUR_US * HOUR_US
    return rows.select(stamps.cast(STAMP).alias("timestamp"), *(pl.col(name).cast(pl.Float64) for name in names))


@cache
def settlements(symbol: str = "BTCUSDT") -> pl.DataFrame:
    """Funding settlements of a perpetual, some of them stamped some ms late. Elsewhere: daily rates, every 8 hours."""
    if (BESIDE / "binance_usdm_allsym_funding.parquet").exists():
        frame = pl.read_parquet(BESIDE / "binance_usdm_allsym_funding.parquet").filter(pl.col("symbol") == symbol)
        return frame.select((pl.col("timestamp") * 1_000).cast(STAMP), "funding_rate").sort("timestamp")
    rates = pl.read_csv(real_path("lukmol_funding_rates.csv"))["funding_mean"].head(200)
    number = pl.Series(range(len(rates)))
    late = number * 7 % 18 * 1_000  # [µs]
    stamps = number * 8 * HOUR_US + 1_768_176_000_000_000 + late
    return pl.DataFrame({"timestamp": stamps.cast(STAMP), "funding_rate": rates.cast(pl.Float64)})


def recorded_buckets() -> list[dict[str, Any]]:
    """3,000 one-minute buckets as BitMEX sent them."""
    pages = [real_path(f"fixtures/bitmexr_bucketed-{part}.json") for part in ("8b21dd", "e90a27", "21f56c")]
    return [row for page in pages for row in json.loads(page.read_text())]


def stamp_us(frame: pl.DataFrame, row: int) -> int:
    """A row's stamp [µs]."""
    return int(frame["timestamp"].to_physical()[row])
