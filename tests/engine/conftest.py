"""Real bars for the engine's tests, read where they stand beside the project."""

from __future__ import annotations

import polars as pl
import pytest

from maestro.bars import Bars
from tests.strategies import markets
from tests.support.real_data import real_path


@pytest.fixture(scope="session")
def btc_2018() -> Bars:
    """BTCUSD 1h, the 8,760 bars from 2018-01-01."""
    frame = pl.read_parquet(real_path("bitfinex_7sym_1h.parquet")).filter(
        pl.col("symbol") == "BTCUSD", pl.col("ts") >= pl.datetime(2018, 1, 1, time_zone="UTC")
    )
    return Bars.from_frame(frame.head(8760), provider="BITFINEX", symbol="BTCUSD", timeframe="1h")


@pytest.fixture(scope="session")
def made_up() -> Bars:
    """Every optional series, flat stretches, stretches without volume, prices on a grid that lines often touch."""
    return markets.random_market(1, 800, tick=0.125)
