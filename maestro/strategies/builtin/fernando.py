"""Fernando (Glücksmann, 2019, ETH Zürich): Bollinger bands with a volume filter, a bracket and a ladder."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

import maestro.indicators as ind
from maestro._core.compiled import njit
from maestro.indicators.cache import kept
from maestro.indicators.inputs import frozen
from maestro.strategies.base import Overlay, Strategy
from maestro.strategies.builtin.classic import within_bands
from maestro.strategies.parameters import Float, Int, Params
from maestro.strategies.signals import Bracket, Signals
from maestro.typing import FloatArray

if TYPE_CHECKING:
    from maestro.bars import Bars

TRENDS = (20, 50, 100, 200)
"""Lengths of the averages that show the trend, whatever bb_period is."""
SHORT_STOP_BARS = 20
RUNGS = ((0.03, 0.01), (0.20, 0.15), (0.25, 0.20), (0.30, 0.25), (0.35, 0.30), (0.40, 0.35))
"""Ladder: gain at a close that is exceeded, and the gain at which the stop then stands."""
_NEXT_RUNG = (0.20, 0.25, 0.30, 0.35, 0.40, 0.45)


@njit(cache=True, nogil=True, error_model="numpy")
def _ratio(deviation: Any, mean: Any) -> Any:
    out = np.empty(mean.shape[0])
    for i in range(mean.shape[0]):
        out[i] = deviation[i] / mean[i] if deviation[i] > 0.0 else np.nan
    return out


@kept
def unit_width(deviation: FloatArray, mean: FloatArray) -> FloatArray:
    """Width / middle of bands one standard deviation wide in all; NaN where they are flat."""
    return frozen(_ratio(deviation, mean))


@njit(cache=True, nogil=True)
def _rule(
    close: Any, low: Any, mean: Any, deviation: Any, factor: float, width: Any, vli_fast: Any, vli_slow: Any,
    vli_std: Any, sma20: Any, sma50: Any, sma100: Any, sma200: Any, volume_fast: Any, volume_slow: Any, warm: int,
) -> tuple[Any, Any, Any]:  # fmt: skip
    n = close.shape[0]
    buy, sell = np.zeros(n, np.bool_), np.zeros(n, np.bool_)
    level = np.full(n, np.nan)
    for i in range(max(warm, 1), n):
        if not (volume_fast[i] > volume_slow[i] and deviation[i] > 0.0 and deviation[i - 1] > 0.0):
            continue
        now, before = factor * deviation[i], factor * deviation[i - 1]
        if close[i] < mean[i] + now and close[i - 1] >= mean[i - 1] + before:
            if close[i] > sma20[i]:
                calm = width[i] < vli_slow[i] + 2.0 * vli_std[i]
                buy[i] = calm and (vli_fast[i] >= vli_slow[i] or sma50[i] > sma200[i])
            elif close[i] <= sma20[i] and sma100[i] > sma200[i]:
                buy[i] = True
                level[i] = low[i]
        sell[i] = close[i] > mean[i] - now and close[i - 1] <= mean[i - 1] - before
    return buy, sell, level


class FernandoStrategy(Strategy):
    """Long when close falls back through the upper Bollinger band, short when it rises back through the lower one.

    Both need the volume condition: SMA(volume, vol_fast) > SMA(volume, vol_slow). The long needs besides
    either (a) close above SMA 20, a band width (upper − lower) / middle below VLI_top, and VLI_fast ≥ VLI_slow
    or SMA 50 > SMA 200; or (b) close at or below SMA 20 and SMA 100 > SMA 200. VLI_fast and VLI_slow are means
    of the band width, VLI_top is VLI_slow + 2 of its standard deviations.

    A long has a stop and a target at `stop_loss` from the fill, in case (b) the stop at the signal bar's low
    where that is below the fill; a ladder raises both as closes gain 3, 20, 25, 30, 35 and 40 %. A short has a
    fixed stop at the highest close of the 20 bars before the signal, no target, and is not opened where that
    stop is not above its fill.

    Source: Glücksmann (2019), ETH Zürich.
    """

    family = "classic"
    bb_period = Int(20, 10, 40, minimum=2, doc="bars of the Bollinger bands")
    bb_std = Float(2.0, 1.5, 3.0, doc="half-width of the bands in standard deviations")
    vli_fast = Int(20, 10, 40, doc="bars of the fast mean of the band width")
    vli_slow = Int(100, 50, 150, minimum=2, doc="bars of the slow mean of the band width")
    vol_fast = Int(10, 5, 20, doc="bars of the fast mean of volume")
    vol_slow = Int(50, 30, 80, doc="bars of the slow mean of volume")
    stop_loss = Float(
        0.05, 0.035, 0.10, minimum=0.0001, maximum=0.9999, doc="stop and first target of a long, fraction of the fill"
    )
    constraints = (within_bands("bb_std", "bb_period"),)

    def warmup(self, params: Params) -> int:
        widths = params["bb_period"] + max(params["vli_fast"], params["vli_slow"]) - 2
        return int(max(max(TRENDS) - 1, widths, max(params["vol_fast"], params["vol_slow"]) - 1))

    def signals(self, bars: Bars) -> Signals:
        close = bars.close
        # The factor 2·bb_std of the band width stands on both sides of every comparison of it, and is left out.
        mean, deviation = ind.sma(close, self.bb_period), ind.std(close, self.bb_period)
        width = unit_width(deviation, mean)
        sma20, sma50, sma100, sma200 = (ind.sma(close, n) for n in TRENDS)
        buy, sell, long_level = _rule(
            close, bars.low, mean, deviation, self.bb_std,
            width, ind.sma(width, self.vli_fast), ind.sma(width, self.vli_slow), ind.std(width, self.vli_slow),
            sma20, sma50, sma100, sma200, ind.sma(bars.volume, self.vol_fast), ind.sma(bars.volume, self.vol_slow),
            self.warmup(self.params),
        )  # fmt: skip
        ladder = [
            (gain, stop, following + self.stop_loss) for (gain, stop), following in zip(RUNGS, _NEXT_RUNG, strict=True)
        ]
        bracket = Bracket(
            long_stop=self.stop_loss,
            long_target=self.stop_loss,
            long_level=long_level,
            short_level=ind.highest(close, SHORT_STOP_BARS, 1),
            ladder=np.array(ladder),
        )
        return Signals.flip(buy, sell, bracket=bracket)

    def overlays(self, bars: Bars) -> list[Overlay]:
        bands = ind.bollinger(bars.close, self.bb_period, self.bb_std)
        width = frozen((bands.upper - bands.lower) / bands.middle)
        slow = ind.sma(width, self.vli_slow)
        return [
            Overlay("upper band", bands.upper),
            Overlay("lower band", bands.lower),
            *(Overlay(f"SMA {n}", ind.sma(bars.close, n)) for n in TRENDS),
            Overlay("short stop", ind.highest(bars.close, SHORT_STOP_BARS, 1)),
            Overlay("band width", width, "band width"),
            Overlay("VLI fast", ind.sma(width, self.vli_fast), "band width"),
            Overlay("VLI slow", slow, "band width"),
            Overlay("VLI top", slow + 2.0 * ind.std(width, self.vli_slow), "band width"),
            Overlay(f"SMA {self.vol_fast} of volume", ind.sma(bars.volume, self.vol_fast), "volume"),
            Overlay(f"SMA {self.vol_slow} of volume", ind.sma(bars.volume, self.vol_slow), "volume"),
        ]
