"""The rules for derivatives: funding, basis, open interest, liquidations, squeezes, trends and reversion.

Three of them read a series beyond prices and volume and refuse bars without it; with ``proxy=True`` they run
on a named substitute instead, also where the series is there, and say so in the notes of their signals.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

import maestro.indicators as ind
from maestro._core.compiled import njit
from maestro.indicators.cache import kept
from maestro.indicators.inputs import frozen
from maestro.strategies.base import Overlay, Strategy
from maestro.strategies.builtin import conditions as rules
from maestro.strategies.builtin.classic import level, within_bands
from maestro.strategies.parameters import Bool, Float, Int, Parameter, Params
from maestro.strategies.signals import Signals
from maestro.typing import FloatArray

if TYPE_CHECKING:
    from maestro.bars import Bars

_ONE_EACH = frozen(np.empty(0))


@njit(cache=True, nogil=True)
def _settled_mean(rate: Any, count: Any, period: int) -> Any:
    n = rate.shape[0]
    out = np.empty(n)
    latest = np.empty(period)
    at = known = 0
    mean = np.nan
    for i in range(n):
        if rate[i] == rate[i]:
            times = round(count[i]) if count.shape[0] and count[i] > 1.0 else 1
            each = rate[i] / times
            for _ in range(min(times, period)):
                latest[at] = each
                at = (at + 1) % period
                known += 1
            if known >= period:
                total = 0.0  # of distances: the mean of equal rates is that rate, to the bit
                for j in range(period):
                    total += latest[j] - each
                mean = each + total / period
        out[i] = mean
    return out


@kept
def settled_mean(rate: FloatArray, count: FloatArray, period: int) -> FloatArray:
    """Mean of the last `period` funding settlements known at each bar, held until the next; NaN before that many.

    `rate` is NaN where nothing was settled. A bar with a `count` above 1 holds that many settlements of
    ``rate / count``; an empty `count` means one each.
    """
    return frozen(_settled_mean(rate, count, period))


class FundingRateArbitrage(Strategy):
    """Long only: in when the mean of the last funding settlements is below `entry`, out when it is above `exit`.

    Negative funding is paid to longs. The mean is over settlements, not bars, and is held between them; a
    settlement at a bar's open is known at that bar. The proxy is the change of close over `period` bars.
    """

    family = "derivatives"
    requires = ("funding_rate",)
    proxy = Bool(False, search=False, doc="use the change of close in place of funding")
    period = Int(3, 1, 21, doc="settlements of the mean (proxy: bars of the change)")
    entry = Float(-0.00003, -0.0005, -0.000005, log=True, minimum=-1.0, maximum=1.0, doc="rate below which it buys")
    exit = Float(0.00003, 0.000005, 0.0005, log=True, minimum=-1.0, maximum=1.0, doc="rate above which it sells")

    _PROXY: dict[str, Parameter] = {
        "period": Int(8, 4, 24, doc="bars of the change of close"),
        "entry": Float(-0.01, -0.05, -0.005, minimum=-1.0, maximum=1.0, doc="change below which it buys"),
        "exit": Float(0.005, 0.001, 0.02, minimum=-1.0, maximum=1.0, doc="change above which it sells"),
    }

    @classmethod
    def parameters(cls, given: dict[str, Any] | None = None) -> dict[str, Parameter]:
        return {**cls.declared, **cls._PROXY} if given and given.get("proxy") else cls.declared

    def warmup(self, params: Params) -> int:
        return int(params["period"]) if params["proxy"] else 0

    def signals(self, bars: Bars) -> Signals:
        if self.proxy:
            note = "FundingRateArbitrage ran on a proxy: the change of close in place of funding."
            states = rules.relative_states(bars.close, self.period, self.entry, self.exit, self.period)
            return Signals(*states, notes=(note,))
        return Signals(*rules.below_above(self._mean(bars), self.entry, self.exit, 0))

    def _mean(self, bars: Bars) -> FloatArray:
        count = bars.funding_count
        return settled_mean(self.need(bars, "funding_rate"), _ONE_EACH if count is None else count, self.period)

    def overlays(self, bars: Bars) -> list[Overlay]:
        name, pane = ("change of close", "change") if self.proxy else ("mean funding", "funding")
        line = ind.rate_of_change(bars.close, self.period) if self.proxy else self._mean(bars)
        return [Overlay(name, line, pane), level(bars, "entry", self.entry, pane), level(bars, "exit", self.exit, pane)]


class BasisTradingStrategy(Strategy):
    """Long when the basis is `entry_std` deviations below its mean, until it is back within `exit_std`; short mirrored.

    The proxy is the z-score of close.
    """

    family = "derivatives"
    requires = ("basis",)
    proxy = Bool(False, search=False, doc="use close in place of the basis")
    lookback = Int(20, 10, 50, minimum=2, doc="bars of the z-score")
    entry_std = Float(2.0, 1.5, 3.0, doc="deviations of entry")
    exit_std = Float(0.5, 0.2, 1.0, doc="deviations of exit")
    constraints = (within_bands("entry_std", "lookback"),)

    def warmup(self, params: Params) -> int:
        return int(params["lookback"] - 1)

    def signals(self, bars: Bars) -> Signals:
        z, warm = self._score(bars), self.lookback - 1
        long_entry, short_entry = rules.below_above(z, -self.entry_std, self.entry_std, warm)
        short_exit, long_exit = rules.below_above(z, self.exit_std, -self.exit_std, warm)
        notes = ("BasisTradingStrategy ran on a proxy: close in place of the basis.",) if self.proxy else ()
        return Signals(long_entry, long_exit, short_entry, short_exit, notes=notes)

    def _score(self, bars: Bars) -> FloatArray:
        return ind.zscore(bars.close if self.proxy else self.need(bars, "basis"), self.lookback)

    def overlays(self, bars: Bars) -> list[Overlay]:
        pane = "z-score"
        levels = {
            "long entry": -self.entry_std,
            "long exit": -self.exit_std,
            "short exit": self.exit_std,
            "short entry": self.entry_std,
        }
        lines = [level(bars, name, value, pane) for name, value in levels.items()]
        return [Overlay("z-score", self._score(bars), pane), *lines]


class OpenInterestDivergence(Strategy):
    """Short when price rises while open interest falls, long when price falls while open interest rises.

    The short's entry is the long's exit and the other way round. The proxy for open interest is volume.
    """

    family = "derivatives"
    requires = ("open_interest",)
    proxy = Bool(False, search=False, doc="use volume in place of open interest")
    price_period = Int(10, 5, 20, doc="bars of the change of close")
    oi_period = Int(10, 5, 20, doc="bars of the change of open interest")
    price_thresh = Float(0.02, 0.01, 0.05, doc="change of close that counts, a fraction")
    oi_thresh = Float(0.10, 0.05, 0.20, doc="change of open interest that counts, a fraction")

    def warmup(self, params: Params) -> int:
        return int(max(params["price_period"], params["oi_period"]))

    def signals(self, bars: Bars) -> Signals:
        interest = bars.volume if self.proxy else self.need(bars, "open_interest")
        states = rules.divergences(
            bars.close, interest, self.price_period, self.oi_period, self.price_thresh, self.oi_thresh,
            self.warmup(self.params),
        )  # fmt: skip
        return Signals.flip(*states, notes=self._notes(interest))

    def _notes(self, interest: FloatArray) -> tuple[str, ...]:
        if self.proxy:
            return ("OpenInterestDivergence ran on a proxy: volume in place of open interest.",)
        updates = np.flatnonzero(np.diff(interest))
        distance = float(np.median(np.diff(updates))) if len(updates) > 1 else 0.0
        if self.oi_period >= distance:
            return ()
        return (
            f"Open interest is updated every {distance:g} bars, more than oi_period={self.oi_period}: "
            f"most changes are zero. Give oi_period={distance:g} or more, or longer bars.",
        )

    def overlays(self, bars: Bars) -> list[Overlay]:
        interest = bars.volume if self.proxy else self.need(bars, "open_interest")
        pane = "change"
        return [
            Overlay("volume" if self.proxy else "open interest", interest, "volume" if self.proxy else "open interest"),
            Overlay("change of close", ind.rate_of_change(bars.close, self.price_period), pane),
            Overlay("change of interest", ind.rate_of_change(interest, self.oi_period), pane),
        ]


class LiquidationHuntStrategy(Strategy):
    """Against a violent bar: long after a fall of more than `atr_mult` ATR that ends below the SMA, until back at it.

    The ATR is that of the bar before. Short mirrored.
    """

    family = "derivatives"
    atr_period = Int(14, 7, 21, doc="bars of the ATR")
    atr_mult = Float(3.0, 2.0, 5.0, doc="change of close that counts, multiple of the ATR before")
    sma_period = Int(20, 10, 40, doc="bars of the SMA")

    def warmup(self, params: Params) -> int:
        return int(max(params["atr_period"] + 1, params["sma_period"] - 1))

    def signals(self, bars: Bars) -> Signals:
        atr = ind.atr(bars.high, bars.low, bars.close, self.atr_period)
        mean, warm = ind.sma(bars.close, self.sma_period), self.warmup(self.params)
        return Signals(*rules.liquidation_bars(bars.close, atr, mean, self.atr_mult, warm))

    def overlays(self, bars: Bars) -> list[Overlay]:
        atr = ind.atr(bars.high, bars.low, bars.close, self.atr_period)
        return [
            Overlay(f"SMA {self.sma_period}", ind.sma(bars.close, self.sma_period)),
            Overlay(f"{self.atr_mult:g} ATR", self.atr_mult * atr, "ATR"),
        ]


class VolatilityBreakoutStrategy(Strategy):
    """Out of a squeeze: long when close is `atr_mult` ATR above the EMA soon after one, until it crosses below the EMA.

    A squeeze is an ATR below `squeeze` times its own mean; there must be none now and one on at least one of
    the `atr_period` bars before. Short mirrored.
    """

    family = "derivatives"
    atr_period = Int(20, 10, 40, doc="bars of the ATR, its mean, the EMA and the look back")
    atr_mult = Float(2.0, 1.0, 3.0, doc="distance from the EMA in ATR")
    squeeze = Float(0.9, 0.75, 1.0, doc="ATR of a squeeze, multiple of its mean")

    def warmup(self, params: Params) -> int:
        return int(2 * params["atr_period"])

    def signals(self, bars: Bars) -> Signals:
        n = self.atr_period
        atr = ind.atr(bars.high, bars.low, bars.close, n)
        mean, usual = ind.ema(bars.close, n), ind.sma(atr, n)
        return Signals(*rules.squeeze_breakouts(bars.close, mean, atr, usual, self.atr_mult, self.squeeze, n, 2 * n))

    def overlays(self, bars: Bars) -> list[Overlay]:
        mean = ind.ema(bars.close, self.atr_period)
        atr = ind.atr(bars.high, bars.low, bars.close, self.atr_period)
        return [
            Overlay(f"EMA {self.atr_period}", mean),
            Overlay("upper", mean + self.atr_mult * atr),
            Overlay("lower", mean - self.atr_mult * atr),
            Overlay("ATR", atr, "ATR"),
            Overlay("squeeze", self.squeeze * ind.sma(atr, self.atr_period), "ATR"),
        ]


class TrendFollowingATR(Strategy):
    """Long when close breaks the highest high of the bars before, short below the lowest low.

    The way out is a trailing stop, `atr_mult` times the signal bar's ATR from the best price since the entry.
    """

    family = "derivatives"
    trend_period = Int(50, 20, 100, doc="bars of the channel")
    atr_period = Int(14, 7, 21, doc="bars of the ATR")
    atr_mult = Float(2.0, 1.0, 4.0, minimum=0.0001, doc="distance of the trailing stop in ATR")

    def warmup(self, params: Params) -> int:
        return int(max(params["trend_period"], params["atr_period"]))

    def signals(self, bars: Bars) -> Signals:
        upper, lower = ind.donchian(bars.high, bars.low, self.trend_period)
        atr = ind.atr(bars.high, bars.low, bars.close, self.atr_period)
        long_entry, short_entry, trail = rules.trailed_breakouts(
            bars.close, upper, lower, atr, self.atr_mult, self.warmup(self.params)
        )
        return Signals(long_entry, None, short_entry, None, trail=trail, trail_unit="price")

    def overlays(self, bars: Bars) -> list[Overlay]:
        upper, lower = ind.donchian(bars.high, bars.low, self.trend_period)
        atr = ind.atr(bars.high, bars.low, bars.close, self.atr_period)
        return [Overlay("highest high", upper), Overlay("lowest low", lower), Overlay("ATR", atr, "ATR")]


class MeanReversionBands(Strategy):
    """Long when close is `num_std` deviations below its mean, until it is `exit_std` above it; short mirrored."""

    family = "derivatives"
    period = Int(20, 10, 40, minimum=2, doc="bars of the mean and the standard deviation")
    num_std = Float(2.5, 2.0, 3.5, doc="deviations of entry")
    exit_std = Float(0.5, 0.3, 1.0, doc="deviations of exit, on the other side of the mean")
    constraints = (within_bands("num_std", "period"),)

    def warmup(self, params: Params) -> int:
        return int(params["period"] - 1)

    def signals(self, bars: Bars) -> Signals:
        close, warm = bars.close, self.period - 1
        mean, deviation = ind.sma(close, self.period), ind.std(close, self.period)
        long_entry, short_entry = rules.outside_bands(close, mean, deviation, self.num_std, warm)
        short_exit, long_exit = rules.outside_bands(close, mean, deviation, self.exit_std, warm)
        return Signals(long_entry, long_exit, short_entry, short_exit)

    def overlays(self, bars: Bars) -> list[Overlay]:
        bands = ind.bollinger(bars.close, self.period, self.num_std)
        exits = ind.bollinger(bars.close, self.period, self.exit_std)
        return [
            Overlay("upper band", bands.upper),
            Overlay("upper exit", exits.upper),
            Overlay("mean", bands.middle),
            Overlay("lower exit", exits.lower),
            Overlay("lower band", bands.lower),
        ]
