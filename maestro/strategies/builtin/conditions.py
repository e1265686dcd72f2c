"""The compiled conditions of the built-in rules: price and indicator columns in, booleans a bar out.

Every function writes False before bar `warm`. A comparison with NaN is false. The kernels compare and decide;
what they compare comes from `maestro.indicators`, so that a sweep computes a shared column once.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from maestro._core.compiled import njit

Two = tuple[Any, Any]
Four = tuple[Any, Any, Any, Any]


@njit(cache=True, nogil=True)
def crossings(a: Any, b: Any, warm: int) -> Two:
    """Where `a` crosses above `b`, and where below."""
    n = a.shape[0]
    above, below = np.empty(n, np.bool_), np.empty(n, np.bool_)
    first = min(max(warm, 1), n)
    above[:first] = below[:first] = False
    for i in range(np.uint64(first), np.uint64(n)):  # unsigned: no wrap-around to check
        before = i - np.uint64(1)
        above[i] = (a[i] > b[i]) & (a[before] <= b[before])
        below[i] = (a[i] < b[i]) & (a[before] >= b[before])
    return above, below


@njit(cache=True, nogil=True)
def level_crossings(x: Any, level: float, warm: int) -> Two:
    """Where `x` crosses above a level, and where below."""
    n = x.shape[0]
    above, below = np.empty(n, np.bool_), np.empty(n, np.bool_)
    first = min(max(warm, 1), n)
    above[:first] = below[:first] = False
    for i in range(np.uint64(first), np.uint64(n)):
        before = i - np.uint64(1)
        above[i] = (x[i] > level) & (x[before] <= level)
        below[i] = (x[i] < level) & (x[before] >= level)
    return above, below


@njit(cache=True, nogil=True)
def below_above(x: Any, low: float, high: float, warm: int) -> Two:
    """Where `x` is below `low`, and where above `high`."""
    n = x.shape[0]
    under, over = np.zeros(n, np.bool_), np.zeros(n, np.bool_)
    for i in range(n):
        under[i] = x[i] < low
        over[i] = x[i] > high
    under[:warm] = over[:warm] = False
    return under, over


@njit(cache=True, nogil=True)
def confirmed_crossings(fast: Any, slow: Any, confirm: int, warm: int) -> Two:
    """Crossings `confirm` bars ago that have held, strictly, on every bar since."""
    n = fast.shape[0]
    above, below = np.zeros(n, np.bool_), np.zeros(n, np.bool_)
    count = max(n - confirm - 1, 0)
    up, down = above[n - count :], below[n - count :]
    for i in range(count):
        up[i] = fast[i] <= slow[i]
        down[i] = fast[i] >= slow[i]
    for j in range(1, confirm + 2):
        f, s = fast[j : j + count], slow[j : j + count]
        for i in range(count):
            up[i] &= f[i] > s[i]
            down[i] &= f[i] < s[i]
    above[:warm] = below[:warm] = False
    return above, below


@njit(cache=True, nogil=True)
def contrarian_crossings(line: Any, signal: Any, mean: Any, distance: int, warm: int) -> Any:
    """Where `line` crosses above `signal` while `mean` is lower than `distance` bars ago."""
    n = line.shape[0]
    out = np.zeros(n, np.bool_)
    for i in range(1, n):
        out[i] = (line[i] > signal[i]) & (line[i - 1] <= signal[i - 1])
    past = mean[: max(n - distance, 0)]
    late, now = out[n - past.shape[0] :], mean[n - past.shape[0] :]
    for i in range(past.shape[0]):
        late[i] &= now[i] < past[i]
    out[: max(warm, distance)] = False
    return out


@njit(cache=True, nogil=True)
def band_crossings(close: Any, mean: Any, deviation: Any, factor: float, warm: int) -> Two:
    """Where close crosses below the lower band, and where above the upper; equal closes have no bands."""
    n = close.shape[0]
    under, over = np.zeros(n, np.bool_), np.zeros(n, np.bool_)
    for i in range(1, n):
        now, before = factor * deviation[i], factor * deviation[i - 1]
        banded = (deviation[i] > 0.0) & (deviation[i - 1] > 0.0)
        under[i] = banded & (close[i] < mean[i] - now) & (close[i - 1] >= mean[i - 1] - before)
        over[i] = banded & (close[i] > mean[i] + now) & (close[i - 1] <= mean[i - 1] + before)
    under[:warm] = over[:warm] = False
    return under, over


@njit(cache=True, nogil=True)
def outside_bands(close: Any, middle: Any, deviation: Any, factor: float, warm: int) -> Two:
    """Where close is below, and above, ``middle ∓ factor · deviation``; equal closes have no bands."""
    n = close.shape[0]
    under, over = np.zeros(n, np.bool_), np.zeros(n, np.bool_)
    for i in range(n):
        banded = deviation[i] > 0.0
        under[i] = banded & (close[i] < middle[i] - factor * deviation[i])
        over[i] = banded & (close[i] > middle[i] + factor * deviation[i])
    under[:warm] = over[:warm] = False
    return under, over


@njit(cache=True, nogil=True)
def channel_states(close: Any, short: Any, long: Any, warm: int) -> Two:
    """Where close < short channel < long channel, and where close > long channel."""
    n = close.shape[0]
    under, over = np.zeros(n, np.bool_), np.zeros(n, np.bool_)
    for i in range(n):
        under[i] = (close[i] < short[i]) & (short[i] < long[i])
        over[i] = close[i] > long[i]
    under[:warm] = over[:warm] = False
    return under, over


@njit(cache=True, nogil=True)
def cloud_states(close: Any, high: Any, low: Any, a: Any, b: Any, warm: int) -> Four:
    """Close above both spans with low below one; close below both; that with high above one; close above both."""
    n = close.shape[0]
    long_entry, long_exit = np.zeros(n, np.bool_), np.zeros(n, np.bool_)
    short_entry, short_exit = np.zeros(n, np.bool_), np.zeros(n, np.bool_)
    for i in range(n):
        above = (close[i] > a[i]) & (close[i] > b[i])
        below = (close[i] < a[i]) & (close[i] < b[i])
        long_entry[i] = above & ((low[i] < a[i]) | (low[i] < b[i]))
        long_exit[i] = below
        short_entry[i] = below & ((high[i] > a[i]) | (high[i] > b[i]))
        short_exit[i] = above
    long_entry[:warm] = long_exit[:warm] = short_entry[:warm] = short_exit[:warm] = False
    return long_entry, long_exit, short_entry, short_exit


@njit(cache=True, nogil=True)
def spiked_breakouts(close: Any, upper: Any, lower: Any, volume: Any, usual: Any, factor: float, warm: int) -> Two:
    """Where close leaves the channel above, and below, on a volume over `factor` times the usual."""
    n = close.shape[0]
    over, under = np.zeros(n, np.bool_), np.zeros(n, np.bool_)
    for i in range(n):
        spike = volume[i] > factor * usual[i]
        over[i] = spike & (close[i] > upper[i])
        under[i] = spike & (close[i] < lower[i])
    over[:warm] = under[:warm] = False
    return over, under


@njit(cache=True, nogil=True)
def stochastic_turns(k: Any, d: Any, low: float, high: float, margin: float, warm: int) -> Two:
    """Where K crosses above D, by more than `margin`, while below `low`; and the mirror above `high`."""
    n = k.shape[0]
    up, down = np.zeros(n, np.bool_), np.zeros(n, np.bool_)
    for i in range(1, n):
        up[i] = (k[i] < low) & (k[i] > d[i] + margin) & (k[i - 1] <= d[i - 1] + margin)
        down[i] = (k[i] > high) & (k[i] < d[i] - margin) & (k[i - 1] >= d[i - 1] - margin)
    up[:warm] = down[:warm] = False
    return up, down


@njit(cache=True, nogil=True)
def ribbon_crossings(fast: Any, medium: Any, slow: Any, warm: int) -> Two:
    """Where `fast` crosses above `medium` over `slow`, and the mirror."""
    n = fast.shape[0]
    up, down = np.zeros(n, np.bool_), np.zeros(n, np.bool_)
    for i in range(1, n):
        up[i] = (fast[i] > medium[i]) & (fast[i - 1] <= medium[i - 1]) & (medium[i] > slow[i])
        down[i] = (fast[i] < medium[i]) & (fast[i - 1] >= medium[i - 1]) & (medium[i] < slow[i])
    up[:warm] = down[:warm] = False
    return up, down


@njit(cache=True, nogil=True, error_model="numpy")
def relative_states(x: Any, period: int, low: float, high: float, warm: int) -> Two:
    """Where ``x[t] / x[t − period] − 1`` is below `low`, and where above `high`."""
    n = x.shape[0]
    under, over = np.zeros(n, np.bool_), np.zeros(n, np.bool_)
    for i in range(max(warm, period), n):
        change = x[i] / x[i - period] - 1.0
        under[i] = change < low
        over[i] = change > high
    return under, over


@njit(cache=True, nogil=True, error_model="numpy")
def divergences(
    close: Any, interest: Any, price_period: int, oi_period: int, price_thresh: float, oi_thresh: float, warm: int
) -> Two:
    """Where price falls while interest rises, and where price rises while interest falls, beyond the thresholds."""
    n = close.shape[0]
    up, down = np.zeros(n, np.bool_), np.zeros(n, np.bool_)
    for i in range(max(warm, price_period, oi_period), n):
        price = close[i] / close[i - price_period] - 1.0
        before = interest[i - oi_period]
        open_interest = interest[i] / before - 1.0 if before != 0.0 else np.nan
        up[i] = (price < -price_thresh) & (open_interest > oi_thresh)
        down[i] = (price > price_thresh) & (open_interest < -oi_thresh)
    return up, down


@njit(cache=True, nogil=True)
def liquidation_bars(close: Any, atr: Any, mean: Any, factor: float, warm: int) -> Four:
    """Falls and rises of more than `factor` ATR of the bar before, beyond the mean; and the return to it."""
    n = close.shape[0]
    long_entry, long_exit = np.zeros(n, np.bool_), np.zeros(n, np.bool_)
    short_entry, short_exit = np.zeros(n, np.bool_), np.zeros(n, np.bool_)
    for i in range(1, n):
        change = close[i] - close[i - 1]
        limit = factor * atr[i - 1]
        long_entry[i] = (change < -limit) & (close[i] < mean[i])
        short_entry[i] = (change > limit) & (close[i] > mean[i])
        long_exit[i] = close[i] >= mean[i]
        short_exit[i] = close[i] <= mean[i]
    long_entry[:warm] = long_exit[:warm] = short_entry[:warm] = short_exit[:warm] = False
    return long_entry, long_exit, short_entry, short_exit


@njit(cache=True, nogil=True)
def squeeze_breakouts(
    close: Any, mean: Any, atr: Any, usual: Any, factor: float, squeeze: float, period: int, warm: int
) -> Four:
    """Close beyond `factor` ATR from the mean, out of a squeeze in the `period` bars before; and crossings back."""
    n = close.shape[0]
    long_entry, long_exit = np.zeros(n, np.bool_), np.zeros(n, np.bool_)
    short_entry, short_exit = np.zeros(n, np.bool_), np.zeros(n, np.bool_)
    last = -period - 1  # latest bar in a squeeze, before this one
    for i in range(n):
        squeezed = atr[i] < squeeze * usual[i]
        if i >= max(warm, 1):
            ready = (not squeezed) and i - last <= period
            long_entry[i] = ready and close[i] > mean[i] + factor * atr[i]
            short_entry[i] = ready and close[i] < mean[i] - factor * atr[i]
            long_exit[i] = close[i] < mean[i] and close[i - 1] >= mean[i - 1]
            short_exit[i] = close[i] > mean[i] and close[i - 1] <= mean[i - 1]
        if squeezed:
            last = i
    return long_entry, long_exit, short_entry, short_exit


@njit(cache=True, nogil=True)
def trailed_breakouts(close: Any, upper: Any, lower: Any, atr: Any, factor: float, warm: int) -> tuple[Any, Any, Any]:
    """Where close leaves the channel above, and below, with an ATR; and the distance of the trailing stop."""
    n = close.shape[0]
    over, under = np.zeros(n, np.bool_), np.zeros(n, np.bool_)
    trail = np.empty(n)
    for i in range(n):
        distance = factor * atr[i]
        trail[i] = distance if distance > 0.0 else np.nan
        over[i] = (distance > 0.0) & (close[i] > upper[i])
        under[i] = (distance > 0.0) & (close[i] < lower[i])
    over[:warm] = under[:warm] = False
    return over, under, trail
