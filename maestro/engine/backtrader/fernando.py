"""Fernando's rule, read bar by bar: a bracket whose ladder climbs at closes."""

from __future__ import annotations

import math
from typing import Any

import backtrader as bt

from maestro.engine.backtrader.indicators import Bands, BandWidth, Deviation
from maestro.engine.backtrader.trading import Levels, Sides, Trading, crosses_above, crosses_below, flip

_GAINS = (0.03, 0.20, 0.25, 0.30, 0.35, 0.40)
_STOPS = (0.01, 0.15, 0.20, 0.25, 0.30, 0.35)
_NEXT = (0.20, 0.25, 0.30, 0.35, 0.40, 0.45)


class Fernando(Trading):
    """Close falls back through the upper band, or rises back through the lower one, on more volume than usual."""

    @staticmethod
    def warmup(rule: Any) -> int:
        widths = rule.bb_period + max(rule.vli_fast, rule.vli_slow) - 2
        return int(max(199, widths, max(rule.vol_fast, rule.vol_slow) - 1))

    def lines_of(self, rule: Any) -> None:
        close, volume = self.data.close, self.data.volume
        self.bands = Bands(close, period=rule.bb_period, factor=rule.bb_std)
        self.width = BandWidth(close, period=rule.bb_period, factor=rule.bb_std)
        self.fast = bt.ind.SMA(self.width, period=rule.vli_fast)
        self.slow = bt.ind.SMA(self.width, period=rule.vli_slow)
        self.spread = Deviation(self.width, period=rule.vli_slow)
        self.sma = {n: bt.ind.SMA(close, period=n) for n in (20, 50, 100, 200)}
        self.busy = bt.ind.SMA(volume, period=rule.vol_fast)
        self.usual = bt.ind.SMA(volume, period=rule.vol_slow)
        self.before = bt.ind.Highest(close(-1), period=20)
        self.rung = 0

    def case(self) -> str:
        """Which of the two conditions of a long holds: a, b, or none."""
        close = self.data.close[0]
        if not crosses_below(self.data.close, self.bands.upper):
            return ""
        calm = self.width[0] < self.slow[0] + 2.0 * self.spread[0]
        trend = self.fast[0] >= self.slow[0] or self.sma[50][0] > self.sma[200][0]
        if close > self.sma[20][0] and calm and trend:
            return "a"
        return "b" if close <= self.sma[20][0] and self.sma[100][0] > self.sma[200][0] else ""

    def decide(self) -> Sides:
        if not self.busy[0] > self.usual[0]:
            return flip(False, False)
        return flip(self.case() != "", crosses_above(self.data.close, self.bands.lower))

    def see(self) -> Any:
        return {"low": self.data.low[0] if self.case() == "b" else math.nan, "before": self.before[0]}

    def levels(self, side: int, fill: float, seen: Any) -> Levels | None:
        self.rung = 0
        if side < 0:
            return Levels(stop=seen["before"]) if seen["before"] > fill else None
        stop = seen["low"] if seen["low"] < fill else fill * (1.0 - self.rule.stop_loss)
        return Levels(stop=stop, target=fill * (1.0 + self.rule.stop_loss))

    def climb(self) -> bool:
        moved = False
        gain = self.data.close[0] / self.entry - 1.0
        while self.position.size > 0 and self.rung < len(_GAINS) and gain > _GAINS[self.rung]:
            stop = self.entry * (1.0 + _STOPS[self.rung])
            target = self.entry * (1.0 + (_NEXT[self.rung] + self.rule.stop_loss))
            self.guarded.stop = max(self.guarded.stop, stop)
            self.guarded.target = max(self.guarded.target, target)
            self.rung, moved = self.rung + 1, True
        return moved
