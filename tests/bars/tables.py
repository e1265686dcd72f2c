"""Tables of valid hourly bars, with columns changed."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl

from maestro.bars import Bars

HOUR = 3_600_000_000


START = 1_704_067_200_000_000  # 2024-01-01


def table(n: int = 10, **changed: Any) -> dict[str, Any]:
    close = 100.0 + np.arange(n) % 7
    columns: dict[str, Any] = {
        "timestamp": START + HOUR * np.arange(n),
        "open": close - 0.5,
        "high": close + 1.0,
        "low": close - 1.0,
        "close": close,
        "volume": np.full(n, 10.0),
    }
    return {**columns, **changed}


def bars(n: int = 10, **changed: Any) -> Bars:
    return Bars.from_frame(pl.DataFrame(table(n, **changed)), provider="X", symbol="Y")
