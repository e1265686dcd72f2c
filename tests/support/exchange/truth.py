"""Real bars for the test exchange: hourly perpetuals and recorded BitMEX replies from beside the project."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import polars as pl
import pytest

DATA = Path(__file__).parents[4] / "shared" / "data"
HOUR_US = 3_600_000_000
STAMP = pl.Datetime("us", "UTC")


def real_file(name: str) -> Path:
    """A file of real data, or a skipped test that says which is absent."""
    path = DATA / name
    if not path.exists():
        pytest.skip(f"the real data is not here: {name} is expected in ../shared/data beside the project")
    return path


@cache
def hourly(symbol: str = "BTCUSDT") -> pl.DataFrame:
    """4,500 hourly bars of a perpetual, without a gap. Elsewhere: Apple's daily bars, stamped hour by hour.

    What is tested is the way of rows, not the market; so the tests run on any machine.
    """
    path = DATA / "binance_usdm_12sym_1h.parquet"
    names = ("open", "high", "low", "close", "volume")
    if path.exists():
        frame = pl.read_parquet(path).filter(pl.col("symbol") == symbol)
        return frame.select((pl.col("timestamp") * 1_000).cast(STAMP), *names)
    from bokeh_sampledata import stocks  # in the public domain

    columns = {name: [float(value) for value in stocks.AAPL[name]] for name in names}
    stamps = pl.Series(range(len(columns["open"]))) * HOUR_US + 1_700_000_000_000_000 // HOUR_US * HOUR_US
    return pl.DataFrame({"timestamp": stamps.cast(STAMP), **columns})


@cache
def settlements(symbol: str = "BTCUSDT") -> pl.DataFrame:
    """Funding settlements of a perpetual, some of them stamped some ms late."""
    frame = pl.read_parquet(real_file("binance_usdm_allsym_funding.parquet")).filter(pl.col("symbol") == symbol)
    return frame.select((pl.col("timestamp") * 1_000).cast(STAMP), "funding_rate").sort("timestamp")


def recorded_buckets() -> list[dict[str, Any]]:
    """3,000 one-minute buckets as BitMEX sent them."""
    pages = [real_file(f"fixtures/bitmexr_bucketed-{part}.json") for part in ("8b21dd", "e90a27", "21f56c")]
    return [row for page in pages for row in json.loads(page.read_text())]


def stamp_us(frame: pl.DataFrame, row: int) -> int:
    """A row's stamp [µs]."""
    return int(frame["timestamp"].to_physical()[row])
