"""The classic rules: crossings of averages, RSI, MACD, bands, channels and the Ichimoku cloud."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

import maestro.indicators as ind
from maestro.strategies.base import Overlay, Strategy
from maestro.strategies.builtin import conditions as rules
from maestro.strategies.parameters import Constraint, Float, Int, Params
from maestro.strategies.signals import Signals

if TYPE_CHECKING:
    from maestro.bars import Bars

FAST_BELOW_SLOW = Constraint("fast < slow", lambda p: p["fast"] < p["slow"])  # no bool(): searches ask it with columns


def within_bands(num_std: str, period: str) -> Constraint:
    """Constraint of a band that a price can leave: none is further than √(period − 1) deviations from its mean."""
    return Constraint(f"{num_std} < sqrt({period} - 1)", lambda p: bool(p[num_std] < math.sqrt(max(p[period] - 1, 0))))


def level(bars: Bars, name: str, value: float, pane: str) -> Overlay:
    """Return a horizontal line."""
    return Overlay(name, np.full(len(bars), float(value)), pane)


class EmaCrossStrategy(Strategy):
    """Long when the fast EMA crosses above the slow one, short when it crosses below."""

    family = "classic"
    fast = Int(50, 5, 100, doc="bars of the fast EMA")
    slow = Int(100, 20, 200, doc="bars of the slow EMA")
    constraints = (FAST_BELOW_SLOW,)

    def warmup(self, params: Params) -> int:
        return int(params["slow"])

    def signals(self, bars: Bars) -> Signals:
        fast, slow = ind.ema(bars.close, self.fast), ind.ema(bars.close, self.slow)
        return Signals.flip(*rules.crossings(fast, slow, self.slow))

    def overlays(self, bars: Bars) -> list[Overlay]:
        return [Overlay(f"EMA {n}", ind.ema(bars.close, n)) for n in (self.fast, self.slow)]


class MaCrossStrategy(Strategy):
    """Long once the fast SMA has crossed above the slow one and has stayed above it for `confirm` bars; short mirrored.

    With `confirm` 0 the crossing itself is the signal.
    """

    family = "classic"
    fast = Int(60, 20, 100, doc="bars of the fast SMA")
    slow = Int(120, 50, 200, doc="bars of the slow SMA")
    confirm = Int(1, 0, 3, doc="bars that the crossing must hold before it counts")
    constraints = (FAST_BELOW_SLOW,)

    def warmup(self, params: Params) -> int:
        return int(params["slow"] + params["confirm"])

    def signals(self, bars: Bars) -> Signals:
        fast, slow = ind.sma(bars.close, self.fast), ind.sma(bars.close, self.slow)
        return Signals.flip(*rules.confirmed_crossings(fast, slow, self.confirm, self.warmup(self.params)))

    def overlays(self, bars: Bars) -> list[Overlay]:
        return [Overlay(f"SMA {n}", ind.sma(bars.close, n)) for n in (self.fast, self.slow)]


class RSIStrategy(Strategy):
    """Long when the RSI comes up through `oversold`, out when it crosses above `overbought`.

    Short when it comes down through `overbought`, out when it crosses below `oversold`.
    """

    family = "classic"
    period = Int(20, 5, 50, minimum=2, doc="bars of the RSI")
    oversold = Int(30, 20, 40, minimum=0, maximum=100, doc="RSI level of entry to a long, of exit from a short")
    overbought = Int(70, 60, 80, minimum=0, maximum=100, doc="RSI level of entry to a short, of exit from a long")

    def warmup(self, params: Params) -> int:
        return int(params["period"] + 1)

    def signals(self, bars: Bars) -> Signals:
        rsi, warm = ind.rsi(bars.close, self.period), self.period + 1
        up_low, down_low = rules.level_crossings(rsi, float(self.oversold), warm)
        up_high, down_high = rules.level_crossings(rsi, float(self.overbought), warm)
        return Signals(up_low, up_high, down_high, down_low)

    def overlays(self, bars: Bars) -> list[Overlay]:
        return [
            Overlay(f"RSI {self.period}", ind.rsi(bars.close, self.period), "RSI"),
            level(bars, "oversold", self.oversold, "RSI"),
            level(bars, "overbought", self.overbought, "RSI"),
        ]


class MACDStrategy(Strategy):
    """Long when the MACD line crosses above its signal line, short when it crosses below."""

    family = "classic"
    fast = Int(12, 6, 24, doc="bars of the fast EMA")
    slow = Int(26, 18, 52, doc="bars of the slow EMA")
    signal = Int(9, 5, 15, doc="bars of the signal line's EMA")
    constraints = (FAST_BELOW_SLOW,)

    def warmup(self, params: Params) -> int:
        return int(params["slow"] + params["signal"] - 1)

    def signals(self, bars: Bars) -> Signals:
        line, signal, _ = ind.macd(bars.close, self.fast, self.slow, self.signal)
        return Signals.flip(*rules.crossings(line, signal, self.warmup(self.params)))

    def overlays(self, bars: Bars) -> list[Overlay]:
        macd = ind.macd(bars.close, self.fast, self.slow, self.signal)
        return [
            Overlay("MACD", macd.line, "MACD"),
            Overlay("signal", macd.signal, "MACD"),
            Overlay("histogram", macd.histogram, "MACD"),
        ]


class MACDStrategyX(Strategy):
    """Long only, against the trend: the MACD crosses above its signal line while the SMA is lower than before.

    The way out is a true trailing stop, the fraction `trail` below the best price since the entry.
    """

    family = "classic"
    fast = Int(12, 6, 20, doc="bars of the fast EMA")
    slow = Int(26, 18, 40, doc="bars of the slow EMA")
    signal = Int(9, 5, 15, doc="bars of the signal line's EMA")
    sma_period = Int(30, 15, 50, doc="bars of the SMA that shows the trend")
    dir_period = Int(10, 5, 20, doc="bars over which the SMA must have fallen")
    trail = Float(0.15, 0.03, 0.40, minimum=0.0001, maximum=0.9999, doc="trailing stop, fraction of the best price")
    constraints = (FAST_BELOW_SLOW,)

    def warmup(self, params: Params) -> int:
        return int(max(params["slow"] + params["signal"] - 1, params["sma_period"] + params["dir_period"] - 1))

    def signals(self, bars: Bars) -> Signals:
        line, signal, _ = ind.macd(bars.close, self.fast, self.slow, self.signal)
        mean, warm = ind.sma(bars.close, self.sma_period), self.warmup(self.params)
        return Signals(rules.contrarian_crossings(line, signal, mean, self.dir_period, warm), trail=self.trail)

    def overlays(self, bars: Bars) -> list[Overlay]:
        macd = ind.macd(bars.close, self.fast, self.slow, self.signal)
        return [
            Overlay(f"SMA {self.sma_period}", ind.sma(bars.close, self.sma_period)),
            Overlay("MACD", macd.line, "MACD"),
            Overlay("signal", macd.signal, "MACD"),
        ]


class BollingerBandsStrategy(Strategy):
    """Long when close crosses below the lower Bollinger band, short when it crosses above the upper one."""

    family = "classic"
    period = Int(20, 10, 50, minimum=2, doc="bars of the mean and the standard deviation")
    num_std = Float(2.0, 1.5, 3.0, doc="half-width of the bands in standard deviations")
    constraints = (within_bands("num_std", "period"),)

    def warmup(self, params: Params) -> int:
        return int(params["period"])

    def signals(self, bars: Bars) -> Signals:
        mean, deviation = ind.sma(bars.close, self.period), ind.std(bars.close, self.period)
        return Signals.flip(*rules.band_crossings(bars.close, mean, deviation, self.num_std, self.period))

    def overlays(self, bars: Bars) -> list[Overlay]:
        bands = ind.bollinger(bars.close, self.period, self.num_std)
        return [Overlay("upper band", bands.upper), Overlay("mean", bands.middle), Overlay("lower band", bands.lower)]


class ChannelStrategy(Strategy):
    """Long when close is below the short channel and that below the long one; short when close is above the long one.

    A channel is the highest high of the bars before this one.
    """

    family = "classic"
    short_period = Int(20, 10, 40, doc="bars of the short channel")
    long_period = Int(50, 30, 100, doc="bars of the long channel")
    constraints = (Constraint("short_period < long_period", lambda p: bool(p["short_period"] < p["long_period"])),)

    def warmup(self, params: Params) -> int:
        return int(params["long_period"])

    def signals(self, bars: Bars) -> Signals:
        short, long = (ind.highest(bars.high, n, 1) for n in (self.short_period, self.long_period))
        return Signals.flip(*rules.channel_states(bars.close, short, long, self.long_period))

    def overlays(self, bars: Bars) -> list[Overlay]:
        periods = (self.short_period, self.long_period)
        return [Overlay(f"highest high of {n}", ind.highest(bars.high, n, 1)) for n in periods]


class IchimokuStrategy(Strategy):
    """Long when close is above the cloud and the bar reaches into it, out when close is below it; short mirrored.

    The cloud over a bar is spans A and B shifted forward: both were known `kijun` bars ago. Reaching into it
    means a low below at least one span (a high above one, for a short).
    """

    family = "classic"
    tenkan = Int(9, 5, 15, doc="bars of the tenkan line")
    kijun = Int(26, 15, 40, doc="bars of the kijun line, and of the shift of the spans")
    senkou_b = Int(52, 30, 80, doc="bars of span B")

    def warmup(self, params: Params) -> int:
        return int(max(params["tenkan"], params["kijun"], params["senkou_b"]) - 1 + params["kijun"])

    def signals(self, bars: Bars) -> Signals:
        cloud = ind.ichimoku(bars.high, bars.low, self.tenkan, self.kijun, self.senkou_b)
        warm = self.warmup(self.params)
        return Signals(*rules.cloud_states(bars.close, bars.high, bars.low, cloud.span_a, cloud.span_b, warm))

    def overlays(self, bars: Bars) -> list[Overlay]:
        cloud = ind.ichimoku(bars.high, bars.low, self.tenkan, self.kijun, self.senkou_b)
        names = ("tenkan", "kijun", "span A", "span B")
        return [Overlay(name, line) for name, line in zip(names, cloud, strict=True)]
