"""Indicators as plain Python loops over lists: slow, obvious, sharing no code with the compiled ones."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

NAN = math.nan
Line = list[float]


def over_windows(x: Sequence[float], period: int, value: Callable[[list[float]], float], lag: int = 0) -> Line:
    """`value` of each window that ends `lag` bars ago; NaN before the first, and where the window has a NaN."""
    out = []
    for t in range(len(x)):
        window = [float(v) for v in x[max(t - lag - period + 1, 0) : t - lag + 1]] if t >= lag else []
        full = len(window) == period and not any(math.isnan(v) for v in window)
        out.append(value(window) if full else NAN)
    return out


def mean(window: list[float]) -> float:
    return window[0] if min(window) == max(window) else math.fsum(window) / len(window)


def deviation(window: list[float]) -> float:
    centre = mean(window)
    return math.sqrt(math.fsum((v - centre) ** 2 for v in window) / len(window))


def sma(x: Sequence[float], period: int) -> Line:
    return over_windows(x, period, mean)


def std(x: Sequence[float], period: int) -> Line:
    return over_windows(x, period, deviation)


def highest(x: Sequence[float], period: int, lag: int = 0) -> Line:
    return over_windows(x, period, max, lag)


def lowest(x: Sequence[float], period: int, lag: int = 0) -> Line:
    return over_windows(x, period, min, lag)


def midrange(high: Sequence[float], low: Sequence[float], period: int) -> Line:
    return [(h + l) / 2 for h, l in zip(highest(high, period), lowest(low, period), strict=True)]


def smooth(x: Sequence[float], weight: float, period: int) -> Line:
    """Recursive average seeded with the mean of `period` numbers; after a NaN it begins again."""
    out: Line = []
    run: list[float] = []
    value = NAN
    for v in map(float, x):
        if math.isnan(v):
            run, value = [], NAN
        elif math.isnan(value):
            run.append(v)
            if len(run) == period:
                value = mean(run)
        else:
            value += weight * (v - value)
        out.append(value)
    return out


def ema(x: Sequence[float], period: int) -> Line:
    return smooth(x, 2 / (period + 1), period)


def macd(x: Sequence[float], fast: int, slow: int, signal: int) -> tuple[Line, Line, Line]:
    """MACD of a series without NaN; the fast average is seeded at bar slow − 1 too."""
    late = [NAN] * min(slow - fast, len(x)) + ema(x[slow - fast :], fast)
    line = [f - s for f, s in zip(late, ema(x, slow), strict=True)]
    smoothed = ema(line, signal)
    line = [NAN if math.isnan(s) else v for v, s in zip(line, smoothed, strict=True)]
    return line, smoothed, [v - s for v, s in zip(line, smoothed, strict=True)]


def rsi(x: Sequence[float], period: int) -> Line:
    """Wilder's RSI; NaN until something moves, unchanged where nothing does."""
    out: Line = []
    gains: list[float] = []
    losses: list[float] = []
    gain = loss = value = NAN
    before = NAN
    for v in map(float, x):
        change = v - before
        before = v
        if math.isnan(change):
            gains, losses, gain, loss, value = [], [], NAN, NAN, NAN
        elif math.isnan(gain):
            gains.append(max(change, 0.0))
            losses.append(max(-change, 0.0))
            if len(gains) == period:
                gain, loss = sum(gains) / period, sum(losses) / period
                value = 100 * gain / (gain + loss) if gain + loss > 0 else NAN
        else:
            gain = (gain * (period - 1) + max(change, 0.0)) / period
            loss = (loss * (period - 1) + max(-change, 0.0)) / period
            if change != 0:
                value = 100 * gain / (gain + loss)
        out.append(value)
    return out


def true_range(high: Sequence[float], low: Sequence[float], close: Sequence[float]) -> Line:
    out = [NAN]
    for t in range(1, len(close)):
        three = [high[t] - low[t], abs(high[t] - close[t - 1]), abs(low[t] - close[t - 1])]
        out.append(NAN if any(math.isnan(v) for v in three) else float(max(three)))
    return out[: len(close)]


def atr(high: Sequence[float], low: Sequence[float], close: Sequence[float], period: int) -> Line:
    return smooth(true_range(high, low, close), 1 / period, period)


def vwap(close: Sequence[float], volume: Sequence[float], period: int) -> Line:
    out = []
    for t in range(len(close)):
        window = slice(t - period + 1, t + 1) if t >= period - 1 else slice(0)
        pairs = list(zip(close[window], volume[window], strict=True))
        weight = math.fsum(v for _, v in pairs)
        out.append(math.fsum(float(c) * float(v) for c, v in pairs) / weight if weight > 0 else NAN)
    return out


def zscore(x: Sequence[float], period: int) -> Line:
    rows = zip(x, sma(x, period), std(x, period), strict=True)
    return [(v - m) / s if s > 0 else NAN for v, m, s in rows]


def stochastic(x: Sequence[float], period: int) -> Line:
    rows = zip(x, lowest(x, period), highest(x, period), strict=True)
    return [100 * ((v - low) / (high - low)) if high > low else NAN for v, low, high in rows]


def rate_of_change(x: Sequence[float], period: int) -> Line:
    out = []
    for t in range(len(x)):
        before = x[t - period] if t >= period else NAN
        out.append(x[t] / before - 1 if before != 0 else NAN)
    return out


def momentum(x: Sequence[float], period: int) -> Line:
    return [x[t] - x[t - period] if t >= period else NAN for t in range(len(x))]


def later(x: Sequence[float], bars: int) -> Line:
    return [x[t - bars] if t >= bars else NAN for t in range(len(x))]
