"""MyStrategy: what it buys and sells, and why that should earn anything."""

from __future__ import annotations

import numpy as np

import maestro as ms


class MyStrategy(ms.Strategy):
    """Follow a breakout: long when the close leaves the channel of the last bars upwards, short when downwards.

    A position ends when the close crosses the channel's middle. Replace all of this by your own rule.
    """

    channel = ms.Int(40, 10, 120, doc="bars of the channel")
    margin = ms.Float(0.0, 0.0, 0.03, doc="how far beyond the channel the close must be, as a fraction")

    def warmup(self, params):
        """Bars before the rule can say anything."""
        return params.channel + 1

    def signals(self, bars):
        """Decide at each close, from that bar and those before it; orders fill at the next open."""
        high, low = self.bounds(bars)
        middle = (high + low) / 2
        return ms.Signals(
            long_entry=bars.close > high * (1 + self.margin),
            long_exit=bars.close < middle,
            short_entry=bars.close < low * (1 - self.margin),
            short_exit=bars.close > middle,
        )

    def overlays(self, bars):
        """Lines for charts."""
        high, low = self.bounds(bars)
        return [ms.Overlay("highest", high), ms.Overlay("lowest", low)]

    def bounds(self, bars) -> tuple[np.ndarray, np.ndarray]:
        """Highest high and lowest low of the bars before this one: lag=1 leaves the bar itself out."""
        return (
            ms.indicators.highest(bars.high, self.channel, lag=1),
            ms.indicators.lowest(bars.low, self.channel, lag=1),
        )
