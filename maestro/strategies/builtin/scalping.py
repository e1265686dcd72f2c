"""The scalping rules: rolling VWAP, a quick RSI, volume breakouts, stochastic RSI and a ribbon of EMAs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import maestro.indicators as ind
from maestro.strategies.base import Overlay, Strategy
from maestro.strategies.builtin import conditions as rules
from maestro.strategies.builtin.classic import level
from maestro.strategies.parameters import Constraint, Float, Int, Params
from maestro.strategies.signals import Signals

if TYPE_CHECKING:
    from maestro.bars import Bars

K_OVER_D = 1e-9
"""K and D are equal on most bars of a real year (both at an end of the scale): rounding must not cross them."""


class VWAPStrategy(Strategy):
    """Long when close is `dev` standard deviations below the rolling VWAP, short when it is as far above.

    No signal where the window has no volume or its closes are all equal.
    """

    family = "scalping"
    period = Int(20, 10, 50, minimum=2, doc="bars of the VWAP and the standard deviation")
    dev = Float(1.5, 1.0, 3.0, doc="distance from the VWAP in standard deviations of close")

    def warmup(self, params: Params) -> int:
        return int(params["period"] - 1)

    def signals(self, bars: Bars) -> Signals:
        middle, deviation = ind.vwap(bars.close, bars.volume, self.period), ind.std(bars.close, self.period)
        return Signals.flip(*rules.outside_bands(bars.close, middle, deviation, self.dev, self.period - 1))

    def overlays(self, bars: Bars) -> list[Overlay]:
        middle = ind.vwap(bars.close, bars.volume, self.period)
        width = self.dev * ind.std(bars.close, self.period)
        return [Overlay("VWAP", middle), Overlay("upper", middle + width), Overlay("lower", middle - width)]


class ScalpRSIStrategy(Strategy):
    """Long while the RSI is below `oversold`, short while it is above `overbought`."""

    family = "scalping"
    period = Int(7, 3, 14, minimum=2, doc="bars of the RSI")
    oversold = Int(25, 15, 35, minimum=0, maximum=100, doc="RSI level of a long")
    overbought = Int(75, 65, 85, minimum=0, maximum=100, doc="RSI level of a short")

    def warmup(self, params: Params) -> int:
        return int(params["period"])

    def signals(self, bars: Bars) -> Signals:
        rsi = ind.rsi(bars.close, self.period)
        return Signals.flip(*rules.below_above(rsi, float(self.oversold), float(self.overbought), self.period))

    def overlays(self, bars: Bars) -> list[Overlay]:
        return [
            Overlay(f"RSI {self.period}", ind.rsi(bars.close, self.period), "RSI"),
            level(bars, "oversold", self.oversold, "RSI"),
            level(bars, "overbought", self.overbought, "RSI"),
        ]


class MomentumBreakoutStrategy(Strategy):
    """Long when close breaks the highest high of the bars before on a volume spike, short below the lowest low.

    A spike is a volume above `vol_mult` times its mean over `lookback` bars, this one included.
    """

    family = "scalping"
    lookback = Int(20, 10, 50, doc="bars of the channel and of the mean volume")
    vol_mult = Float(1.5, 1.0, 3.0, doc="volume of a spike, multiple of the mean")

    def warmup(self, params: Params) -> int:
        return int(params["lookback"])

    def signals(self, bars: Bars) -> Signals:
        upper, lower = ind.donchian(bars.high, bars.low, self.lookback)
        usual = ind.sma(bars.volume, self.lookback)
        return Signals.flip(
            *rules.spiked_breakouts(bars.close, upper, lower, bars.volume, usual, self.vol_mult, self.lookback)
        )

    def overlays(self, bars: Bars) -> list[Overlay]:
        upper, lower = ind.donchian(bars.high, bars.low, self.lookback)
        spike = self.vol_mult * ind.sma(bars.volume, self.lookback)
        return [Overlay("highest high", upper), Overlay("lowest low", lower), Overlay("spike", spike, "volume")]


class StochRSIStrategy(Strategy):
    """Long when K of the stochastic RSI, below `low`, crosses above D; short when K, above `high`, crosses below."""

    family = "scalping"
    rsi_period = Int(14, 7, 21, minimum=2, doc="bars of the RSI")
    stoch_period = Int(14, 7, 21, minimum=2, doc="bars of the stochastic of the RSI")
    k = Int(3, 2, 7, doc="bars of the mean that makes K of the stochastic")
    d = Int(3, 2, 7, doc="bars of the mean that makes D of K")
    low = Int(20, 10, 30, minimum=0, maximum=100, doc="level of K below which a long may begin")
    high = Int(80, 70, 90, minimum=0, maximum=100, doc="level of K above which a short may begin")

    def warmup(self, params: Params) -> int:
        return int(params["rsi_period"] + params["stoch_period"] + params["k"] + params["d"] - 2)

    def signals(self, bars: Bars) -> Signals:
        k, d = ind.stoch_rsi(bars.close, self.rsi_period, self.stoch_period, self.k, self.d)
        warm = self.warmup(self.params)
        return Signals.flip(*rules.stochastic_turns(k, d, float(self.low), float(self.high), K_OVER_D, warm))

    def overlays(self, bars: Bars) -> list[Overlay]:
        k, d = ind.stoch_rsi(bars.close, self.rsi_period, self.stoch_period, self.k, self.d)
        return [
            Overlay("K", k, "stochastic RSI"),
            Overlay("D", d, "stochastic RSI"),
            level(bars, "low", self.low, "stochastic RSI"),
            level(bars, "high", self.high, "stochastic RSI"),
        ]


class EMARibbonStrategy(Strategy):
    """Long when the fast EMA crosses above the medium one while that is above the slow one; short mirrored."""

    family = "scalping"
    fast = Int(8, 3, 15, doc="bars of the fast EMA")
    medium = Int(13, 8, 20, doc="bars of the medium EMA")
    slow = Int(21, 15, 40, doc="bars of the slow EMA")
    constraints = (Constraint("fast < medium < slow", lambda p: bool(p["fast"] < p["medium"] < p["slow"])),)

    def warmup(self, params: Params) -> int:
        return int(max(params["medium"], params["slow"] - 1))

    def signals(self, bars: Bars) -> Signals:
        fast, medium, slow = (ind.ema(bars.close, n) for n in (self.fast, self.medium, self.slow))
        return Signals.flip(*rules.ribbon_crossings(fast, medium, slow, self.warmup(self.params)))

    def overlays(self, bars: Bars) -> list[Overlay]:
        return [Overlay(f"EMA {n}", ind.ema(bars.close, n)) for n in (self.fast, self.medium, self.slow)]
