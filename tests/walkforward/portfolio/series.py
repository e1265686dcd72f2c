"""Bars and runs of sleeves that can be liquidated."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl

import maestro as ms
from maestro.typing import FloatArray

FREE = ms.Costs(fee=0.0, slippage=0.0)


class Short(ms.Strategy):
    """Always short."""

    fast = ms.Int(5, 2, 9)

    def signals(self, bars: Any) -> Any:
        return ms.Signals(short_entry=np.ones(len(bars), np.bool_))


def bars(close: FloatArray, high: FloatArray | None = None, opens: FloatArray | None = None) -> ms.Bars:
    opens = close if opens is None else opens
    high = np.maximum(close, opens) if high is None else high
    start = pl.datetime(2020, 1, 1)
    frame = pl.DataFrame(
        {"timestamp": pl.datetime_range(start, start + pl.duration(days=len(close) - 1), "1d", eager=True),
         "open": opens, "high": high, "low": np.minimum(close, opens), "close": close, "volume": np.ones(len(close))}
    )  # fmt: skip
    return ms.Bars.from_frame(frame, symbol="UP")


def course(n: int = 200) -> FloatArray:
    return 100.0 * (1.0 + 0.001 * np.sin(np.arange(n)))


def run(series: ms.Bars, rule: type[ms.Strategy] = Short) -> ms.WalkForward:
    return ms.walk_forward(series, rule, splitter="rolling:1,1,1", trials=1, executor="serial", costs=FREE,
                           accept_defects=True, sizing="percent:1.0")  # fmt: skip
