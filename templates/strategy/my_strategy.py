"""MyStrategy: what it trades, and why that should be profitable."""

from __future__ import annotations

import numpy as np

import maestro as ms


class MyStrategy(ms.Strategy):
    """Follow a breakout: long when the close breaks above the channel of the last bars, short when it breaks below.

    A position ends when the close crosses the middle of the channel. Replace all of this with your own rule.
    """

    channel = ms.Int(40, 10, 120, doc="bars of the channel")
    margin = ms.Float(0.0, 0.0, 0.03, doc="how far beyond the channel the close must be, as a fraction")

    def warmup(self, params):
        """Bars that the rule needs before its first signal."""
        return params.channel + 1

    def signals(self, bars):
        """Decide at each close, from that bar and earlier ones; orders fill at the next open."""
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
        """Highest high and lowest low of the bars before this one: lag=1 excludes the bar itself."""
        return (
            ms.indicators.highest(bars.high, self.channel, lag=1),
            ms.indicators.lowest(bars.low, self.channel, lag=1),
        )
