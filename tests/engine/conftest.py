"""Real bars for the engine's tests, read where they stand beside the project."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from maestro.bars import Bars

DATA = Path(__file__).parents[3] / "shared" / "data"


@pytest.fixture(scope="session")
def btc_2018() -> Bars:
    """BTCUSD 1h, the 8,760 bars from 2018-01-01."""
    path = DATA / "bitfinex_7sym_1h.parquet"
    if not path.exists():
        pytest.skip(f"the real data is not here: {path.name} is expected in ../shared/data beside the project")
    frame = pl.read_parquet(path).filter(
        pl.col("symbol") == "BTCUSD", pl.col("ts") >= pl.datetime(2018, 1, 1, time_zone="UTC")
    )
    return Bars.from_frame(frame.head(8760), provider="BITFINEX", symbol="BTCUSD", timeframe="1h")
