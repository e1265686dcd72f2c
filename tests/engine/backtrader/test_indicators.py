"""Indicators for backtrader give what the compiled rules use, and are undefined in a flat market."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import polars as pl
import pytest

import maestro as ms
from maestro.bars import Bars
from tests.engine.libraries import library

bt: Any = library("backtrader", "legacy")

from maestro.engine.backtrader import indicators  # noqa: E402  (imports backtrader)
from maestro.engine.backtrader.running import Feed  # noqa: E402

BARS = ms.synthetic_bars(120, seed=4)
CLOSE = BARS.close


def values(indicator: str, line: str, bars: Bars = BARS, **params: Any) -> np.ndarray[Any, Any]:
    """Values of an indicator's line, one per bar; NaN before its first."""
    found: list[float] = []

    class Reader(bt.Strategy):  # type: ignore[misc]
        def __init__(self) -> None:
            self.own = getattr(indicators, indicator)(self.data, **params)

        def next(self) -> None:
            found.append(getattr(self.own.lines, line)[0])

    cerebro = bt.Cerebro(stdstats=False)
    cerebro.adddata(Feed(bars=bars))
    cerebro.addstrategy(Reader)
    cerebro.run()
    return np.array([math.nan] * (len(bars) - len(found)) + found)


def test_deviation_and_score_are_those_of_numpy() -> None:
    windows = np.lib.stride_tricks.sliding_window_view(CLOSE, 20)
    np.testing.assert_allclose(values("Deviation", "deviation")[19:], windows.std(axis=1), rtol=1e-9)
    score = (CLOSE[19:] - windows.mean(axis=1)) / windows.std(axis=1)
    np.testing.assert_allclose(values("Score", "score")[19:], score, rtol=1e-6)


def test_bands_are_deviations_around_the_mean() -> None:
    windows = np.lib.stride_tricks.sliding_window_view(CLOSE, 10)
    upper = windows.mean(axis=1) + 1.5 * windows.std(axis=1)
    np.testing.assert_allclose(values("Bands", "upper", period=10, factor=1.5)[9:], upper, rtol=1e-9)


def test_rsi_is_that_of_the_library() -> None:
    np.testing.assert_allclose(values("Rsi", "rsi"), ms.indicators.rsi(CLOSE, 14), rtol=1e-9)


def test_change_is_against_the_bar_some_bars_before() -> None:
    np.testing.assert_allclose(values("Change", "change", period=10)[10:], CLOSE[10:] / CLOSE[:-10] - 1.0, rtol=1e-12)


@pytest.mark.parametrize(
    ("indicator", "line", "expected"),
    [("Deviation", "deviation", 0.0), ("Score", "score", math.nan), ("Bands", "upper", math.nan),
     ("Rsi", "rsi", math.nan), ("Stochastic", "place", math.nan), ("BandWidth", "width", math.nan)],
)  # fmt: skip
def test_a_flat_market_leaves_no_noise(indicator: str, line: str, expected: float) -> None:
    flat = BARS.to_frame().with_columns(pl.lit(0.1).alias(name) for name in ("open", "high", "low", "close"))
    found = values(indicator, line, Bars.from_frame(flat, timeframe="1h"))
    np.testing.assert_array_equal(found[-50:], np.full(50, expected))
