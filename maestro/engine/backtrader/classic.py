"""The classic rules, read bar by bar."""

from __future__ import annotations

from typing import Any

import backtrader as bt

from maestro.engine.backtrader.indicators import Bands, Macd, Rsi
from maestro.engine.backtrader.trading import Levels, Sides, Trading, crosses_above, crosses_below, flip


class EmaCross(Trading):
    """EMA(fast) crosses EMA(slow)."""

    @staticmethod
    def warmup(rule: Any) -> int:
        return int(rule.slow)

    def lines_of(self, rule: Any) -> None:
        self.fast = bt.ind.EMA(self.data.close, period=rule.fast)
        self.slow = bt.ind.EMA(self.data.close, period=rule.slow)

    def decide(self) -> Sides:
        return flip(crosses_above(self.fast, self.slow), crosses_below(self.fast, self.slow))


class MaCross(Trading):
    """SMA(fast) crossed SMA(slow) `confirm` bars ago and has stayed beyond it."""

    @staticmethod
    def warmup(rule: Any) -> int:
        return int(rule.slow + rule.confirm)

    def lines_of(self, rule: Any) -> None:
        self.fast = bt.ind.SMA(self.data.close, period=rule.fast)
        self.slow = bt.ind.SMA(self.data.close, period=rule.slow)

    def decide(self) -> Sides:
        ago = self.rule.confirm
        apart = [self.fast[-k] - self.slow[-k] for k in range(ago + 1)]
        up = crosses_above(self.fast, self.slow, ago) and all(gap > 0 for gap in apart)
        down = crosses_below(self.fast, self.slow, ago) and all(gap < 0 for gap in apart)
        return flip(up, down)


class RelativeStrength(Trading):
    """RSI crosses its two levels."""

    @staticmethod
    def warmup(rule: Any) -> int:
        return int(rule.period + 1)

    def lines_of(self, rule: Any) -> None:
        self.rsi = Rsi(self.data.close, period=rule.period)

    def decide(self) -> Sides:
        low, high = self.rule.oversold, self.rule.overbought
        return (
            crosses_above(self.rsi, low),
            crosses_above(self.rsi, high),
            crosses_below(self.rsi, high),
            crosses_below(self.rsi, low),
        )


class MacdCross(Trading):
    """MACD crosses its signal line."""

    @staticmethod
    def warmup(rule: Any) -> int:
        return int(rule.slow + rule.signal - 1)

    def lines_of(self, rule: Any) -> None:
        self.macd = Macd(self.data.close, fast=rule.fast, slow=rule.slow, smooth=rule.signal)

    def decide(self) -> Sides:
        line, signal = self.macd.macd, self.macd.signal
        return flip(crosses_above(line, signal), crosses_below(line, signal))


class MacdTrailed(Trading):
    """Long only: MACD crosses above its signal line while the SMA has fallen; out by a trailing stop."""

    @staticmethod
    def warmup(rule: Any) -> int:
        return int(max(rule.slow + rule.signal - 1, rule.sma_period + rule.dir_period - 1))

    def lines_of(self, rule: Any) -> None:
        self.macd = Macd(self.data.close, fast=rule.fast, slow=rule.slow, smooth=rule.signal)
        self.mean = bt.ind.SMA(self.data.close, period=rule.sma_period)

    def decide(self) -> Sides:
        fallen = self.mean[0] < self.mean[-self.rule.dir_period]
        return crosses_above(self.macd.macd, self.macd.signal) and fallen, False, False, False

    def levels(self, side: int, fill: float, seen: Any) -> Levels:
        return Levels(trail=self.rule.trail)


class BollingerCross(Trading):
    """Close crosses below the lower band, or above the upper one."""

    @staticmethod
    def warmup(rule: Any) -> int:
        return int(rule.period)

    def lines_of(self, rule: Any) -> None:
        self.bands = Bands(self.data.close, period=rule.period, factor=rule.num_std)

    def decide(self) -> Sides:
        close = self.data.close
        return flip(crosses_below(close, self.bands.lower), crosses_above(close, self.bands.upper))


class Channel(Trading):
    """Close below the short channel and that below the long one; close above the long one."""

    @staticmethod
    def warmup(rule: Any) -> int:
        return int(rule.long_period)

    def lines_of(self, rule: Any) -> None:
        self.short = bt.ind.Highest(self.data.high(-1), period=rule.short_period)
        self.long = bt.ind.Highest(self.data.high(-1), period=rule.long_period)

    def decide(self) -> Sides:
        close = self.data.close[0]
        return flip(close < self.short[0] < self.long[0], close > self.long[0])


class Ichimoku(Trading):
    """Close beyond both spans of the cloud while the bar reaches into it."""

    @staticmethod
    def warmup(rule: Any) -> int:
        return int(max(rule.tenkan, rule.kijun, rule.senkou_b) - 1 + rule.kijun)

    def lines_of(self, rule: Any) -> None:
        def middle(period: int) -> Any:
            high, low = bt.ind.Highest(self.data.high, period=period), bt.ind.Lowest(self.data.low, period=period)
            return (high + low) / 2.0

        self.tenkan, self.kijun, self.wide = (middle(n) for n in (rule.tenkan, rule.kijun, rule.senkou_b))

    def decide(self) -> Sides:
        ago = -self.rule.kijun
        spans = ((self.tenkan[ago] + self.kijun[ago]) / 2.0, self.wide[ago])
        close = self.data.close[0]
        over, under = all(close > span for span in spans), all(close < span for span in spans)
        dips = any(self.data.low[0] < span for span in spans)
        rises = any(self.data.high[0] > span for span in spans)
        return over and dips, under, under and rises, over
