"""The rules for derivatives, read bar by bar; the grid stands apart."""

from __future__ import annotations

from typing import Any

import backtrader as bt

from maestro.engine.backtrader.indicators import Bands, Change, Score, Settled
from maestro.engine.backtrader.trading import Levels, Sides, Trading, crosses_above, crosses_below, flip


class Funding(Trading):
    """Long while the mean of the last settlements is below `entry`; proxy: the change of close."""

    @staticmethod
    def warmup(rule: Any) -> int:
        return int(rule.period) if rule.proxy else 0

    def lines_of(self, rule: Any) -> None:
        source = Change(self.data.close, period=rule.period) if rule.proxy else Settled(self.data, period=rule.period)
        self.mean = source

    def decide(self) -> Sides:
        return self.mean[0] < self.rule.entry, self.mean[0] > self.rule.exit, False, False


class Basis(Trading):
    """Z-score of the basis far from zero, until it is back; proxy: of the close."""

    @staticmethod
    def warmup(rule: Any) -> int:
        return int(rule.lookback - 1)

    def lines_of(self, rule: Any) -> None:
        self.score = Score(self.data.close if rule.proxy else self.data.basis, period=rule.lookback)

    def decide(self) -> Sides:
        z, far, near = self.score[0], self.rule.entry_std, self.rule.exit_std
        return z < -far, z > -near, z > far, z < near


class OpenInterest(Trading):
    """Price and open interest part; proxy: price and volume."""

    @staticmethod
    def warmup(rule: Any) -> int:
        return int(max(rule.price_period, rule.oi_period))

    def lines_of(self, rule: Any) -> None:
        self.price = Change(self.data.close, period=rule.price_period)
        self.interest = Change(self.data.volume if rule.proxy else self.data.open_interest, period=rule.oi_period)

    def decide(self) -> Sides:
        price, interest, p = self.price[0], self.interest[0], self.rule
        return flip(
            price < -p.price_thresh and interest > p.oi_thresh, price > p.price_thresh and interest < -p.oi_thresh
        )


class Liquidation(Trading):
    """Against a bar whose close moves by more than `atr_mult` of the ATR before, until close is back at the SMA."""

    @staticmethod
    def warmup(rule: Any) -> int:
        return int(max(rule.atr_period + 1, rule.sma_period - 1))

    def lines_of(self, rule: Any) -> None:
        self.atr = bt.ind.ATR(self.data, period=rule.atr_period)
        self.mean = bt.ind.SMA(self.data.close, period=rule.sma_period)

    def decide(self) -> Sides:
        close, mean = self.data.close[0], self.mean[0]
        move, violent = close - self.data.close[-1], self.rule.atr_mult * self.atr[-1]
        return move < -violent and close < mean, close >= mean, move > violent and close > mean, close <= mean


class VolatilityBreakout(Trading):
    """Out of a squeeze: close far from the EMA soon after the ATR was small; out where close crosses the EMA."""

    @staticmethod
    def warmup(rule: Any) -> int:
        return int(2 * rule.atr_period)

    def lines_of(self, rule: Any) -> None:
        self.atr = bt.ind.ATR(self.data, period=rule.atr_period)
        self.usual = bt.ind.SMA(self.atr, period=rule.atr_period)
        self.mean = bt.ind.EMA(self.data.close, period=rule.atr_period)

    def squeezed(self, ago: int) -> bool:
        """Whether the ATR was small `ago` bars ago; false where that is undefined."""
        return bool(self.atr[-ago] < self.rule.squeeze * self.usual[-ago])

    def decide(self) -> Sides:
        n, close, mean = self.rule.atr_period, self.data.close, self.mean
        released = not self.squeezed(0) and any(self.squeezed(ago) for ago in range(1, n + 1))
        far = self.rule.atr_mult * self.atr[0]
        return (
            released and close[0] > mean[0] + far,
            crosses_below(close, mean),
            released and close[0] < mean[0] - far,
            crosses_above(close, mean),
        )


class TrendAtr(Trading):
    """Close beyond the range of the bars before; out by a trailing stop some ATR of the signal bar away."""

    @staticmethod
    def warmup(rule: Any) -> int:
        return int(max(rule.trend_period, rule.atr_period))

    def lines_of(self, rule: Any) -> None:
        self.high = bt.ind.Highest(self.data.high(-1), period=rule.trend_period)
        self.low = bt.ind.Lowest(self.data.low(-1), period=rule.trend_period)
        self.atr = bt.ind.ATR(self.data, period=rule.atr_period)

    def decide(self) -> Sides:
        known = self.atr[0] > 0
        return known and self.data.close[0] > self.high[0], False, known and self.data.close[0] < self.low[0], False

    def see(self) -> Any:
        return self.atr[0]

    def levels(self, side: int, fill: float, seen: Any) -> Levels:
        return Levels(trail=self.rule.atr_mult * seen, trail_is_price=True)


class MeanReversion(Trading):
    """Close beyond wide bands, until it is beyond narrow ones on the other side of the mean."""

    @staticmethod
    def warmup(rule: Any) -> int:
        return int(rule.period - 1)

    def lines_of(self, rule: Any) -> None:
        self.wide = Bands(self.data.close, period=rule.period, factor=rule.num_std)
        self.narrow = Bands(self.data.close, period=rule.period, factor=rule.exit_std)

    def decide(self) -> Sides:
        close, wide, narrow = self.data.close[0], self.wide, self.narrow
        return close < wide.lower[0], close > narrow.upper[0], close > wide.upper[0], close < narrow.lower[0]
