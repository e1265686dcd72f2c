"""Indicators where backtrader's own are defined otherwise than the rules: two-pass deviations, undefined flat windows.

Its SMA, EMA, ATR, highest and lowest are the rules' own, and are taken from it.
"""

from __future__ import annotations

import math
from itertools import pairwise
from typing import Any

import backtrader as bt


def nan_in(window: Any) -> bool:
    """Whether a value is missing."""
    return any(value != value for value in window)


class Deviation(bt.Indicator):  # type: ignore[misc]
    """Population standard deviation in two passes; backtrader's one-pass form leaves noise where prices are flat."""

    lines: Any = ("deviation",)
    params: Any = (("period", 20),)

    def __init__(self, *_: Any, **__: Any) -> None:
        self.addminperiod(self.p.period)

    def next(self) -> None:
        window = self.data.get(size=self.p.period)
        mean = math.fsum(window) / len(window)
        flat = min(window) == max(window)
        spread = 0.0 if flat else math.sqrt(math.fsum((value - mean) ** 2 for value in window) / len(window))
        self.lines.deviation[0] = spread


class Bands(bt.Indicator):  # type: ignore[misc]
    """Mean and bands `factor` deviations around it; none over equal values."""

    lines: Any = ("middle", "lower", "upper")
    params: Any = (("period", 20), ("factor", 2.0))

    def __init__(self, *_: Any, **__: Any) -> None:
        self.mean = bt.ind.SMA(self.data, period=self.p.period)
        self.spread = Deviation(self.data, period=self.p.period)

    def next(self) -> None:
        mean, spread = self.mean[0], self.spread[0]
        width = self.p.factor * spread if spread > 0 else math.nan
        self.lines.middle[0] = mean
        self.lines.lower[0] = mean - width
        self.lines.upper[0] = mean + width


class Rsi(bt.Indicator):  # type: ignore[misc]
    """Wilder's RSI, undefined until something moves, unchanged where nothing does."""

    lines: Any = ("rsi",)
    params: Any = (("period", 14),)

    def __init__(self, *_: Any, **__: Any) -> None:
        self.addminperiod(self.p.period + 1)
        self.gain = self.loss = 0.0

    def nextstart(self) -> None:
        window = self.data.get(size=self.p.period + 1)
        moves = [now - before for before, now in pairwise(window)]
        self.gain = sum(max(move, 0.0) for move in moves) / self.p.period
        self.loss = sum(max(-move, 0.0) for move in moves) / self.p.period
        self.lines.rsi[0] = self.value(math.nan)

    def next(self) -> None:
        n, move = self.p.period, self.data[0] - self.data[-1]
        self.gain = (self.gain * (n - 1) + max(move, 0.0)) / n
        self.loss = (self.loss * (n - 1) + max(-move, 0.0)) / n
        before = self.lines.rsi[-1]
        self.lines.rsi[0] = self.value(before) if move != 0 else before

    def value(self, otherwise: float) -> float:
        """RSI of the present means."""
        both = self.gain + self.loss
        return 100.0 * self.gain / both if both > 0 else otherwise


class LateEma(bt.Indicator):  # type: ignore[misc]
    """EMA that is seeded `late` bars after it could be: the fast one of a MACD begins with the slow one."""

    lines: Any = ("ema",)
    params: Any = (("period", 12), ("late", 14))

    def __init__(self, *_: Any, **__: Any) -> None:
        self.addminperiod(self.p.period + self.p.late)

    def nextstart(self) -> None:
        self.lines.ema[0] = math.fsum(self.data.get(size=self.p.period)) / self.p.period

    def next(self) -> None:
        before = self.lines.ema[-1]
        self.lines.ema[0] = before + 2.0 / (self.p.period + 1) * (self.data[0] - before)


class Macd(bt.Indicator):  # type: ignore[misc]
    """MACD and its signal line, both EMAs seeded on the same bar."""

    lines: Any = ("macd", "signal")
    params: Any = (("fast", 12), ("slow", 26), ("smooth", 9))

    def __init__(self, *_: Any, **__: Any) -> None:
        slow = bt.ind.EMA(self.data, period=self.p.slow)
        self.lines.macd = LateEma(self.data, period=self.p.fast, late=self.p.slow - self.p.fast) - slow
        self.lines.signal = bt.ind.EMA(self.lines.macd, period=self.p.smooth)


class Stochastic(bt.Indicator):  # type: ignore[misc]
    """Place of a value in the range of its window, 0 to 100; undefined where there is no range."""

    lines: Any = ("place",)
    params: Any = (("period", 14),)

    def __init__(self, *_: Any, **__: Any) -> None:
        self.addminperiod(self.p.period)

    def next(self) -> None:
        window = self.data.get(size=self.p.period)
        low, high = min(window), max(window)
        known = not nan_in(window) and high > low
        self.lines.place[0] = 100.0 * ((window[-1] - low) / (high - low)) if known else math.nan


class Vwap(bt.Indicator):  # type: ignore[misc]
    """Rolling price weighted by volume; undefined without volume."""

    lines: Any = ("vwap",)
    params: Any = (("period", 20),)

    def __init__(self, *_: Any, **__: Any) -> None:
        self.addminperiod(self.p.period)

    def next(self) -> None:
        closes, volumes = (line.get(size=self.p.period) for line in (self.data.close, self.data.volume))
        weight = math.fsum(volumes)
        paid = math.fsum(close * volume for close, volume in zip(closes, volumes, strict=True))
        self.lines.vwap[0] = paid / weight if weight > 0 else math.nan


class Score(bt.Indicator):  # type: ignore[misc]
    """Distance from the mean in deviations; undefined where the window is flat or has a gap."""

    lines: Any = ("score",)
    params: Any = (("period", 20),)

    def __init__(self, *_: Any, **__: Any) -> None:
        self.mean = bt.ind.SMA(self.data, period=self.p.period)
        self.spread = Deviation(self.data, period=self.p.period)

    def next(self) -> None:
        spread = self.spread[0]
        self.lines.score[0] = (self.data[0] - self.mean[0]) / spread if spread > 0 else math.nan


class Change(bt.Indicator):  # type: ignore[misc]
    """Rate of change over `period` bars; undefined against a zero."""

    lines: Any = ("change",)
    params: Any = (("period", 10),)

    def __init__(self, *_: Any, **__: Any) -> None:
        self.addminperiod(self.p.period + 1)

    def next(self) -> None:
        before = self.data[-self.p.period]
        self.lines.change[0] = self.data[0] / before - 1.0 if before != 0 else math.nan


class BandWidth(bt.Indicator):  # type: ignore[misc]
    """(Upper band − lower band) / middle; undefined where the bands are."""

    lines: Any = ("width",)
    params: Any = (("period", 20), ("factor", 2.0))

    def __init__(self, *_: Any, **__: Any) -> None:
        self.bands = Bands(self.data, period=self.p.period, factor=self.p.factor)

    def next(self) -> None:
        bands = self.bands
        self.lines.width[0] = (bands.upper[0] - bands.lower[0]) / bands.middle[0]


class Settled(bt.Indicator):  # type: ignore[misc]
    """Mean of the last `period` funding settlements, held until the next; a bar may carry several at once."""

    lines: Any = ("mean",)
    params: Any = (("period", 3),)

    def __init__(self, *_: Any, **__: Any) -> None:
        self.known: list[float] = []

    def next(self) -> None:
        rate, count = self.data.funding_rate[0], self.data.funding_count[0]
        if rate == rate:
            times = round(count) if count > 1 else 1
            self.known = (self.known + [rate / times] * times)[-self.p.period :]
        full = len(self.known) == self.p.period
        self.lines.mean[0] = math.fsum(self.known) / self.p.period if full else math.nan
