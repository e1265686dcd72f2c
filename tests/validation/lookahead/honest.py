"""Strategies without a defect that look suspicious."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl

import maestro as ms
from tests.validation.lookahead.leaky import flip

ind = ms.indicators


class PlainNumpy(ms.Strategy):
    """Ten honest lines without a warm-up: NaN until the window is full."""

    period = ms.Int(20, 5, 50)

    def signals(self, bars: ms.Bars) -> ms.Signals:
        mean = np.full(len(bars), np.nan)
        if len(bars) >= self.period:
            windows = np.lib.stride_tricks.sliding_window_view(bars.close, self.period)
            mean[self.period - 1 :] = windows.mean(axis=1)
        return flip(bars.close < 0.98 * mean, bars.close > 1.02 * mean)


class PolarsRule(ms.Strategy):
    """Works in a frame of its own, shifted the right way."""

    def warmup(self, params: Any) -> int:
        return 21

    def signals(self, bars: ms.Bars) -> ms.Signals:
        frame = bars.to_frame().select(
            high=pl.col("high").rolling_max(20).shift(1), low=pl.col("low").rolling_min(20).shift(1), close="close"
        )
        done = frame.select(buy=(pl.col("close") > pl.col("high")).fill_null(False),
                            sell=(pl.col("close") < pl.col("low")).fill_null(False))  # fmt: skip
        return flip(done["buy"].to_numpy(), done["sell"].to_numpy())


class Daily(ms.Strategy):
    """Yesterday's close on hourly bars: a longer timeframe used only when it is over."""

    def signals(self, bars: ms.Bars) -> ms.Signals:
        frame = bars.to_frame().with_columns(day=pl.col("timestamp").dt.truncate("1d"))
        days = frame.group_by("day", maintain_order=True).agg(last=pl.col("close").last(), hours=pl.len())
        days = days.with_columns(last=pl.when(pl.col("hours") >= 20).then("last").shift(1)).drop("hours")
        last = frame.join(days, on="day", how="left")["last"].fill_null(np.nan).to_numpy()
        return flip(bars.close > last * 1.03, bars.close < last * 0.97)


class Calendar(ms.Strategy):
    """Knows the day of the week and nothing else."""

    def signals(self, bars: ms.Bars) -> ms.Signals:
        day = (bars.time // 86_400_000_000 + 3) % 7
        return flip(day == 0, day == 4)


class BuyAndHold(ms.Strategy):
    """One signal, at the first bar."""

    def signals(self, bars: ms.Bars) -> ms.Signals:
        entry = np.zeros(len(bars), bool)
        entry[0] = True
        return ms.Signals(entry)


class Always(ms.Strategy):
    """A signal at every bar."""

    def signals(self, bars: ms.Bars) -> ms.Signals:
        return ms.Signals(np.ones(len(bars), bool))


class SeededNoise(ms.Strategy):
    """Chance with a seed, bar by bar by its stamp: the same for the same bars."""

    def signals(self, bars: ms.Bars) -> ms.Signals:
        draw = (bars.time // 3_600_000_000 * 2_654_435_761 % 2**32) / 2**32
        return flip(draw < 0.05, draw > 0.95)


_RIGHTLY: dict[tuple[str, int], Any] = {}


class CachedRightly(ms.Strategy):
    """A cache keyed by all that its content hangs on."""

    period = ms.Int(20, 5, 50)

    def signals(self, bars: ms.Bars) -> ms.Signals:
        key = (bars.fingerprint, self.period)
        if key not in _RIGHTLY:
            _RIGHTLY[key] = ind.sma(bars.close, self.period)
        return flip(bars.close < 0.98 * _RIGHTLY[key], bars.close > 1.02 * _RIGHTLY[key])


class Looping(ms.Strategy):
    """Bar by bar in a loop, with a state of its own that a window bounds."""

    def warmup(self, params: Any) -> int:
        return 30

    def signals(self, bars: ms.Bars) -> ms.Signals:
        high = ind.highest(bars.high, 30)
        buy = np.zeros(len(bars), bool)
        sell = np.zeros(len(bars), bool)
        for t in range(30, len(bars)):
            buy[t] = bars.close[t] < 0.9 * high[t]
            sell[t] = bars.close[t] > 0.99 * high[t]
        return flip(buy, sell)


class FreeUnusedLevels(ms.Strategy):
    """Fills the levels of bars without an entry with a mean of everything, which nobody trades."""

    def warmup(self, params: Any) -> int:
        return 60

    def signals(self, bars: ms.Bars) -> ms.Signals:
        fast, slow = ind.sma(bars.close, 20), ind.sma(bars.close, 60)
        entry = ind.crosses_above(fast, slow)
        stop = np.where(entry, 0.02 + 0 * bars.close, bars.close.mean() / bars.close.max())
        return ms.Signals(entry, ind.crosses_below(fast, slow), stop=stop)


HONEST: tuple[type[ms.Strategy], ...] = (
    PlainNumpy, PolarsRule, Daily, Calendar, BuyAndHold, Always, SeededNoise, CachedRightly, Looping, FreeUnusedLevels,
)  # fmt: skip
