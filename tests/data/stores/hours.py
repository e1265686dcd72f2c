"""Rows of hourly bars for the tests of the Parquet store."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from maestro.data.stores import ParquetStore, SeriesKey
from maestro.data.stores.rows import STAMP

KEY = SeriesKey("TEST", "BTCUSD", "1h")


HOUR = 3_600_000_000


NEW_YEAR_2020 = 1_577_836_800_000_000


YEARS = NEW_YEAR_2020 + 6 * HOUR * np.arange(-2_000, 2_000)  # 2018 to 2021


def rows(stamps: Any, close: float = 1.0) -> pl.DataFrame:
    values = {name: np.full(len(stamps), close) for name in ("open", "high", "low", "close", "volume")}
    return pl.DataFrame({"timestamp": pl.Series(np.asarray(stamps, np.int64)).cast(STAMP), **values})


def folder(store: ParquetStore, key: SeriesKey = KEY) -> Path:
    return store.root.joinpath(*key.path)
