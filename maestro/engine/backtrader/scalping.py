"""The scalping rules, read bar by bar."""

from __future__ import annotations

from typing import Any

import backtrader as bt

from maestro.engine.backtrader.indicators import Deviation, Rsi, Stochastic, Vwap
from maestro.engine.backtrader.trading import Sides, Trading, crosses_above, crosses_below, flip

_APART = 1e-9
"""K and D are equal on most bars; beyond this they differ."""


class VwapBands(Trading):
    """Close below, or above, the rolling VWAP by `dev` deviations."""

    @staticmethod
    def warmup(rule: Any) -> int:
        return int(rule.period - 1)

    def lines_of(self, rule: Any) -> None:
        self.vwap = Vwap(self.data, period=rule.period)
        self.spread = Deviation(self.data.close, period=rule.period)

    def decide(self) -> Sides:
        close, middle, spread = self.data.close[0], self.vwap[0], self.spread[0]
        far = self.rule.dev * spread
        return flip(spread > 0 and close < middle - far, spread > 0 and close > middle + far)


class ScalpRsi(Trading):
    """RSI below `oversold`, or above `overbought`."""

    @staticmethod
    def warmup(rule: Any) -> int:
        return int(rule.period)

    def lines_of(self, rule: Any) -> None:
        self.rsi = Rsi(self.data.close, period=rule.period)

    def decide(self) -> Sides:
        return flip(self.rsi[0] < self.rule.oversold, self.rsi[0] > self.rule.overbought)


class MomentumBreakout(Trading):
    """Close beyond the range of the bars before, on a volume spike."""

    @staticmethod
    def warmup(rule: Any) -> int:
        return int(rule.lookback)

    def lines_of(self, rule: Any) -> None:
        self.high = bt.ind.Highest(self.data.high(-1), period=rule.lookback)
        self.low = bt.ind.Lowest(self.data.low(-1), period=rule.lookback)
        self.usual = bt.ind.SMA(self.data.volume, period=rule.lookback)

    def decide(self) -> Sides:
        spike = self.data.volume[0] > self.rule.vol_mult * self.usual[0]
        close = self.data.close[0]
        return flip(spike and close > self.high[0], spike and close < self.low[0])


class StochRsi(Trading):
    """K of the stochastic RSI turns at an end of its scale."""

    @staticmethod
    def warmup(rule: Any) -> int:
        return int(rule.rsi_period + rule.stoch_period + rule.k + rule.d - 2)

    def lines_of(self, rule: Any) -> None:
        place = Stochastic(Rsi(self.data.close, period=rule.rsi_period), period=rule.stoch_period)
        self.k = bt.ind.SMA(place, period=rule.k)
        self.d = bt.ind.SMA(self.k, period=rule.d)

    def decide(self) -> Sides:
        now, before = self.k[0] - self.d[0], self.k[-1] - self.d[-1]
        up, down = now > _APART and before <= _APART, now < -_APART and before >= -_APART
        return flip(up and self.k[0] < self.rule.low, down and self.k[0] > self.rule.high)


class EmaRibbon(Trading):
    """EMA(fast) crosses EMA(medium) on the side of EMA(slow)."""

    @staticmethod
    def warmup(rule: Any) -> int:
        return int(max(rule.medium, rule.slow - 1))

    def lines_of(self, rule: Any) -> None:
        periods = (rule.fast, rule.medium, rule.slow)
        self.fast, self.medium, self.slow = (bt.ind.EMA(self.data.close, period=n) for n in periods)

    def decide(self) -> Sides:
        above, below = self.medium[0] > self.slow[0], self.medium[0] < self.slow[0]
        return flip(crosses_above(self.fast, self.medium) and above, crosses_below(self.fast, self.medium) and below)
