"""Strategies with planted defects, each as it is made in practice."""

from __future__ import annotations

import ctypes
from typing import Any

import numpy as np
import polars as pl

import maestro as ms

ind = ms.indicators


def flip(buy: Any, sell: Any) -> ms.Signals:
    return ms.Signals.flip(np.asarray(buy, bool), np.asarray(sell, bool))


def crossing(a: Any, b: Any) -> ms.Signals:
    return ms.Signals.flip(ind.crosses_above(a, b), ind.crosses_below(a, b))


class CentredWindow(ms.Strategy):
    """A rolling mean whose window reaches as far ahead as back."""

    def warmup(self, params: Any) -> int:
        return 21

    def signals(self, bars: ms.Bars) -> ms.Signals:
        mean = pl.Series(bars.close).rolling_mean(21, center=True).fill_null(strategy="forward").to_numpy()
        return flip(bars.close < mean * 0.99, bars.close > mean * 1.01)


class NegativeShift(ms.Strategy):
    """Tomorrow's close by a shift in the wrong direction."""

    def signals(self, bars: ms.Bars) -> ms.Signals:
        close = pl.Series(bars.close)
        change = (close.shift(-1) / close - 1).fill_null(0.0).to_numpy()
        return flip(change > 0.01, change < -0.01)


class WholeMean(ms.Strategy):
    """A z-score by mean and deviation of the whole series."""

    def signals(self, bars: ms.Bars) -> ms.Signals:
        score = (bars.close - bars.close.mean()) / bars.close.std()
        return flip(score < -1.0, score > 1.0)


class BackwardFill(ms.Strategy):
    """Gaps in a column filled with what comes after them."""

    def signals(self, bars: ms.Bars) -> ms.Signals:
        spike = bars.volume > 3 * ind.sma(bars.volume, 50)
        level = pl.Series(np.where(spike, bars.close, np.nan)).fill_nan(None).fill_null(strategy="backward")
        level = level.fill_null(strategy="forward").fill_null(0.0).to_numpy()
        return flip(bars.close < level * 0.98, bars.close > level * 1.02)


class ResampledEnd(ms.Strategy):
    """The day's close, known from the day's first hour on."""

    def signals(self, bars: ms.Bars) -> ms.Signals:
        frame = bars.to_frame().with_columns(day=pl.col("timestamp").dt.truncate("1d"))
        days = frame.group_by("day", maintain_order=True).agg(last=pl.col("close").last())
        last = frame.join(days, on="day", how="left")["last"].to_numpy()
        return flip(last > bars.close * 1.02, last < bars.close * 0.98)


class FutureMaximum(ms.Strategy):
    """Sells at the top of the next 24 bars, found by turning the series round."""

    def signals(self, bars: ms.Bars) -> ms.Signals:
        top = pl.Series(bars.high[::-1]).rolling_max(24, min_samples=1).to_numpy()[::-1]
        low = pl.Series(bars.low[::-1]).rolling_min(24, min_samples=1).to_numpy()[::-1]
        return flip(bars.low == low, bars.high == top)


class Sorted(ms.Strategy):
    """Ranks of closes among all closes."""

    def signals(self, bars: ms.Bars) -> ms.Signals:
        ranks = np.argsort(np.argsort(bars.close)) / len(bars)
        return flip(ranks < 0.1, ranks > 0.9)


class FittedModel(ms.Strategy):
    """A regression of the next return on the last ones, fitted on everything and applied to the same."""

    def signals(self, bars: ms.Bars) -> ms.Signals:
        change = np.diff(np.log(bars.close), prepend=np.log(bars.close[0]))
        past = np.column_stack([np.concatenate((np.zeros(k), change[: len(change) - k])) for k in range(5)])
        weights = np.linalg.lstsq(past[:-1], change[1:], rcond=None)[0]
        guess = past @ weights
        return flip(guess > 0.0005, guess < -0.0005)


class MutatesByFlag(ms.Strategy):
    """Makes an array writable again and smooths it in place."""

    def signals(self, bars: ms.Bars) -> ms.Signals:
        bars.close.setflags(write=True)
        bars.close[:-1] = (bars.close[:-1] + bars.close[1:]) / 2
        return flip(bars.close > bars.open * 1.01, bars.close < bars.open * 0.99)


class MutatesByAttribute(ms.Strategy):
    """Puts another array in the place of a column."""

    def signals(self, bars: ms.Bars) -> ms.Signals:
        bars.close = np.roll(bars.close, -1)
        return flip(bars.close > bars.open * 1.01, bars.close < bars.open * 0.99)


class MutatesThroughMemory(ms.Strategy):
    """Writes past the flag, into the memory itself, as a library in C may."""

    def signals(self, bars: ms.Bars) -> ms.Signals:
        n = len(bars)
        memory = np.ctypeslib.as_array((ctypes.c_double * n).from_address(bars.close.ctypes.data))
        memory[: n - 1] = (memory[: n - 1] + memory[1:]) / 2
        return flip(bars.close > bars.open * 1.01, bars.close < bars.open * 0.99)


class MutatesThroughFrame(ms.Strategy):
    """Makes the memory that a frame shares with the bars writable, or tries to."""

    def signals(self, bars: ms.Bars) -> ms.Signals:
        close = bars.to_frame()["close"].to_numpy()
        close.setflags(write=True)
        close[:] = close[::-1].copy()
        return flip(bars.close > bars.open, bars.close < bars.open)


class MutatesReadOnly(ms.Strategy):
    """Writes into an array which is read-only."""

    def signals(self, bars: ms.Bars) -> ms.Signals:
        bars.close[0] = 1.0
        return flip(bars.close > bars.open, bars.close < bars.open)


class MutatesPandas(ms.Strategy):
    """Smooths a column of a pandas frame that has its own memory: honest towards the bars, looking ahead by a shift."""

    def signals(self, bars: ms.Bars) -> ms.Signals:
        frame = bars.to_frame().to_pandas()
        frame["close"] = frame["close"].shift(-2).ffill()
        return flip(frame["close"] > bars.close * 1.01, frame["close"] < bars.close * 0.99)


_BY_NAME: dict[str, float] = {}


class CachedThreshold(ms.Strategy):
    """A threshold kept by the symbol's name, whichever bars came first."""

    def signals(self, bars: ms.Bars) -> ms.Signals:
        level = _BY_NAME.setdefault(bars.name, float(bars.close[len(bars) // 2 :].mean()))
        return flip(bars.close < level * 0.95, bars.close > level * 1.05)


_COLUMN: dict[int, Any] = {}


class CachedColumn(ms.Strategy):
    """A causal column kept by the stamp of the first bar, as long as the longest bars yet seen."""

    def signals(self, bars: ms.Bars) -> ms.Signals:
        key = int(bars.time[0])
        if key not in _COLUMN or len(_COLUMN[key]) < len(bars):
            _COLUMN[key] = ind.sma(bars.close, 20)
        mean = _COLUMN[key][: len(bars)]
        return flip(bars.close < mean * 0.97, bars.close > mean * 1.03)


_MEANS: dict[str, Any] = {}


class CachedByName(ms.Strategy):
    """A column kept by the name of the bars, which other bars may have."""

    def signals(self, bars: ms.Bars) -> ms.Signals:
        if len(_MEANS.get(bars.name, ())) < len(bars):
            _MEANS[bars.name] = ind.sma(bars.close, 20)
        mean = _MEANS[bars.name][: len(bars)]
        return flip(bars.close < mean * 0.97, bars.close > mean * 1.03)


class Counting(ms.Strategy):
    """Remembers in a class variable how often it was asked."""

    asked = 0

    def signals(self, bars: ms.Bars) -> ms.Signals:
        type(self).asked += 1
        mean = ind.sma(bars.close, 10 + type(self).asked % 3)
        return flip(bars.close < mean * 0.98, bars.close > mean * 1.02)


class LeakingStop(ms.Strategy):
    """Honest entries, and a stop at the lowest low of the day to come."""

    def warmup(self, params: Any) -> int:
        return 60

    def signals(self, bars: ms.Bars) -> ms.Signals:
        low = pl.Series(bars.low[::-1]).rolling_min(24, min_samples=1).to_numpy()[::-1]
        fast, slow = ind.sma(bars.close, 20), ind.sma(bars.close, 60)
        entry, leave = ind.crosses_above(fast, slow), ind.crosses_below(fast, slow)
        return ms.Signals(entry, leave, stop=low * 0.999, stop_unit="level")


class NextVolume(ms.Strategy):
    """Tomorrow's volume, and nothing else of tomorrow."""

    def warmup(self, params: Any) -> int:
        return 30

    def signals(self, bars: ms.Bars) -> ms.Signals:
        busy = np.append(bars.volume[1:], bars.volume[-1]) > 2 * ind.sma(bars.volume, 30)
        rising = bars.close > bars.open
        return flip(busy & rising, busy & ~rising)


class LastBar(ms.Strategy):
    """Sells before the bars end, which nobody knows while they go on."""

    def warmup(self, params: Any) -> int:
        return 20

    def signals(self, bars: ms.Bars) -> ms.Signals:
        left = len(bars) - np.arange(len(bars))
        mean = ind.sma(bars.close, 20)
        return ms.Signals((bars.close > mean) & (left > 10), (bars.close < mean) | (left <= 10))


class LeakingGrid(ms.Strategy):
    """A built-in grid laid around the mean of the days to come."""

    def warmup(self, params: Any) -> int:
        return 40

    def signals(self, bars: ms.Bars) -> ms.Signals:
        orders = ms.strategy("GridTradingStrategy").signals(bars)
        orders.columns = np.ascontiguousarray(np.roll(orders.columns, -10, axis=1))
        return orders


AHEAD: tuple[tuple[type[ms.Strategy], str, set[str]], ...] = (
    (CentredWindow, "look-ahead", {"close"}),
    (NegativeShift, "look-ahead", {"close"}),
    (WholeMean, "look-ahead", {"close"}),
    (BackwardFill, "look-ahead", {"close", "volume"}),
    (ResampledEnd, "look-ahead", {"time", "close"}),
    (MutatesPandas, "look-ahead", {"close"}),
    (FutureMaximum, "look-ahead", {"high", "low"}),
    (Sorted, "look-ahead", {"close"}),
    (FittedModel, "look-ahead", {"close"}),
    (LeakingStop, "look-ahead", {"low"}),
    (NextVolume, "look-ahead", {"volume"}),
    (LastBar, "look-ahead", {"length"}),
    (LeakingGrid, "look-ahead", {"close"}),
)
"""Leaks, and the columns that they come from."""

ELSEWHERE: tuple[tuple[type[ms.Strategy], str], ...] = (
    (MutatesByFlag, "mutation"),
    (MutatesByAttribute, "mutation"),
    (MutatesThroughMemory, "mutation"),
    (MutatesThroughFrame, "mutation"),
    (MutatesReadOnly, "mutation"),
    (CachedThreshold, "state"),
    (CachedColumn, "state"),
    (CachedByName, "state"),
    (Counting, "state"),
)


class PartialWindow(ms.Strategy):
    """A mean of 50 bars that begins with one, and a warm-up of 10."""

    def warmup(self, params: Any) -> int:
        return 10

    def signals(self, bars: ms.Bars) -> ms.Signals:
        mean = pl.Series(bars.close).rolling_mean(50, min_samples=1).to_numpy()
        return flip(bars.close < mean * 0.99, bars.close > mean * 1.01)


class NoWarmup(ms.Strategy):
    """An exponential mean that speaks from its first value on."""

    def signals(self, bars: ms.Bars) -> ms.Signals:
        mean = pl.Series(bars.close).ewm_mean(span=60, adjust=False).to_numpy()
        return flip(bars.close < mean * 0.99, bars.close > mean * 1.01)


class Expanding(ms.Strategy):
    """The rank of a close among all closes before it: it never forgets its beginning."""

    def warmup(self, params: Any) -> int:
        return 100

    def signals(self, bars: ms.Bars) -> ms.Signals:
        count = np.arange(1, len(bars) + 1)
        mean = np.cumsum(bars.close) / count
        return flip(bars.close < mean, bars.close > mean)


class Unstable(ms.Strategy):
    """A recursion whose old values weigh as much as new ones: on-balance volume against a level."""

    def warmup(self, params: Any) -> int:
        return 30

    def signals(self, bars: ms.Bars) -> ms.Signals:
        sign = np.sign(np.diff(bars.close, prepend=bars.close[0]))
        balance = np.cumsum(sign * bars.volume)
        return flip(balance < 0, balance > 0)


class Random(ms.Strategy):
    """Enters by chance, without a seed."""

    def signals(self, bars: ms.Bars) -> ms.Signals:
        draw = np.random.default_rng().random(len(bars))
        return flip(draw < 0.05, draw > 0.95)


class Clock(ms.Strategy):
    """Asks what time it is."""

    def signals(self, bars: ms.Bars) -> ms.Signals:
        import time

        return flip(bars.close * 1e6 % 1000 > time.perf_counter_ns() % 1000, bars.close < bars.open)


TOO_LITTLE: tuple[tuple[type[ms.Strategy], str], ...] = (
    (PartialWindow, "warm-up"),
    (NoWarmup, "warm-up"),
    (Expanding, "history"),
    (Unstable, "history"),
    (Random, "randomness"),
    (Clock, "randomness"),
)
