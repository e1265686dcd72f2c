"""Rules with known robustness: one that knows the future, one that only holds."""

from __future__ import annotations

import math

import numpy as np

import maestro as ms

N = 1_100


class Foresight(ms.Strategy):
    """Knows the next bar, as far as `n` is from 50: a plateau, a slope or a needle by `width`."""

    n = ms.Int(50, 1, 100)
    width = ms.Float(50.0, 0.5, 100.0, search=False)

    def signals(self, bars: ms.Bars) -> ms.Signals:
        up = np.append(bars.open[2:] > bars.open[1:-1], [False, False])  # what an order of this close will meet
        good = np.random.default_rng(len(bars)).random(len(bars)) < math.exp(-(((self.n - 50) / self.width) ** 2))
        return ms.Signals(up & good, ~up & good)
