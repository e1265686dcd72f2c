"""The rules as plain loops over bars, from their written form, sharing no code with the compiled ones.

Each function takes bars and parameters and returns the four sides as lists of booleans, besides what else the
rule hands over (trail, levels). Signals before the warm-up of the written table are suppressed.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from tests.indicators import plain_indicators as ind
from tests.indicators.plain_indicators import NAN

Rule = Callable[[int], bool]
EPS = 1e-9

WARMUP: dict[str, Callable[[Any], int]] = {
    "EmaCrossStrategy": lambda p: p.slow,
    "MaCrossStrategy": lambda p: p.slow + p.confirm,
    "RSIStrategy": lambda p: p.period + 1,
    "MACDStrategy": lambda p: p.slow + p.signal - 1,
    "MACDStrategyX": lambda p: max(p.slow + p.signal - 1, p.sma_period + p.dir_period - 1),
    "BollingerBandsStrategy": lambda p: p.period,
    "ChannelStrategy": lambda p: p.long_period,
    "IchimokuStrategy": lambda p: max(p.tenkan, p.kijun, p.senkou_b) - 1 + p.kijun,
    "FernandoStrategy": lambda p: max(
        199, p.bb_period + max(p.vli_fast, p.vli_slow) - 2, max(p.vol_fast, p.vol_slow) - 1
    ),
    "VWAPStrategy": lambda p: p.period - 1,
    "ScalpRSIStrategy": lambda p: p.period,
    "MomentumBreakoutStrategy": lambda p: p.lookback,
    "StochRSIStrategy": lambda p: p.rsi_period + p.stoch_period + p.k + p.d - 2,
    "EMARibbonStrategy": lambda p: max(p.medium, p.slow - 1),
    "FundingRateArbitrage": lambda p: p.period if p.proxy else 0,
    "BasisTradingStrategy": lambda p: p.lookback - 1,
    "OpenInterestDivergence": lambda p: max(p.price_period, p.oi_period),
    "LiquidationHuntStrategy": lambda p: max(p.atr_period + 1, p.sma_period - 1),
    "GridTradingStrategy": lambda p: p.period - 1,
    "VolatilityBreakoutStrategy": lambda p: 2 * p.atr_period,
    "TrendFollowingATR": lambda p: max(p.trend_period, p.atr_period),
    "MeanReversionBands": lambda p: p.period - 1,
}


def above(a: list[float], b: list[float], t: int) -> bool:
    return t > 0 and a[t] > b[t] and a[t - 1] <= b[t - 1]


def below(a: list[float], b: list[float], t: int) -> bool:
    return t > 0 and a[t] < b[t] and a[t - 1] >= b[t - 1]


def sides(n: int, warm: int, le: Rule, lx: Rule, se: Rule, sx: Rule) -> dict[str, list[bool]]:
    names = ("long_entry", "long_exit", "short_entry", "short_exit")
    return {name: [t >= warm and rule(t) for t in range(n)] for name, rule in zip(names, (le, lx, se, sx), strict=True)}


def never(_: int) -> bool:
    return False


def flip(n: int, warm: int, le: Rule, lx: Rule) -> dict[str, list[bool]]:
    return sides(n, warm, le, lx, lx, le)


def bands(x: list[float], period: int, factor: float) -> tuple[list[float], list[float]]:
    """Lower and upper band; none over equal values."""
    rows = list(zip(ind.sma(x, period), ind.std(x, period), strict=True))
    return (
        [m - factor * s if s > 0 else NAN for m, s in rows],
        [m + factor * s if s > 0 else NAN for m, s in rows],
    )


class Market:
    """Columns of bars as lists."""

    def __init__(self, bars: Any) -> None:
        self.n = len(bars)
        for name in ("open", "high", "low", "close", "volume", "funding_rate", "funding_count", "basis"):
            values = getattr(bars, name)
            setattr(self, name, None if values is None else values.tolist())
        self.interest = None if bars.open_interest is None else bars.open_interest.tolist()

    def __getattr__(self, name: str) -> Any:
        raise AttributeError(name)


def ema_cross(m: Market, p: Any, warm: int) -> dict[str, Any]:
    fast, slow = ind.ema(m.close, p.fast), ind.ema(m.close, p.slow)
    return flip(m.n, warm, lambda t: above(fast, slow, t), lambda t: below(fast, slow, t))


def ma_cross(m: Market, p: Any, warm: int) -> dict[str, Any]:
    fast, slow = ind.sma(m.close, p.fast), ind.sma(m.close, p.slow)

    def confirmed(t: int, cross: Callable[..., bool], side: int) -> bool:
        since = range(t - p.confirm, t + 1)
        return cross(fast, slow, t - p.confirm) and all(side * (fast[s] - slow[s]) > 0 for s in since)

    return flip(m.n, warm, lambda t: confirmed(t, above, 1), lambda t: confirmed(t, below, -1))


def rsi(m: Market, p: Any, warm: int) -> dict[str, Any]:
    line = ind.rsi(m.close, p.period)
    low, high = [p.oversold] * m.n, [p.overbought] * m.n
    return sides(
        m.n, warm, lambda t: above(line, low, t), lambda t: above(line, high, t),
        lambda t: below(line, high, t), lambda t: below(line, low, t),
    )  # fmt: skip


def macd(m: Market, p: Any, warm: int) -> dict[str, Any]:
    line, signal, _ = ind.macd(m.close, p.fast, p.slow, p.signal)
    return flip(m.n, warm, lambda t: above(line, signal, t), lambda t: below(line, signal, t))


def macd_x(m: Market, p: Any, warm: int) -> dict[str, Any]:
    line, signal, _ = ind.macd(m.close, p.fast, p.slow, p.signal)
    mean = ind.sma(m.close, p.sma_period)
    result: dict[str, Any] = sides(
        m.n, warm, lambda t: above(line, signal, t) and mean[t] < mean[t - p.dir_period], never, never, never
    )
    return {**result, "trail": [p.trail] * m.n}


def bollinger(m: Market, p: Any, warm: int) -> dict[str, Any]:
    low, high = bands(m.close, p.period, p.num_std)
    return flip(m.n, warm, lambda t: below(m.close, low, t), lambda t: above(m.close, high, t))


def channel(m: Market, p: Any, warm: int) -> dict[str, Any]:
    short, long = ind.highest(m.high, p.short_period, 1), ind.highest(m.high, p.long_period, 1)
    return flip(m.n, warm, lambda t: m.close[t] < short[t] < long[t], lambda t: m.close[t] > long[t])


def ichimoku(m: Market, p: Any, warm: int) -> dict[str, Any]:
    tenkan, kijun = ind.midrange(m.high, m.low, p.tenkan), ind.midrange(m.high, m.low, p.kijun)
    wide = ind.midrange(m.high, m.low, p.senkou_b)

    def spans(t: int) -> tuple[float, float]:
        at = t - p.kijun
        return (tenkan[at] + kijun[at]) / 2, wide[at]

    def over(t: int) -> bool:
        return m.close[t] > spans(t)[0] and m.close[t] > spans(t)[1]

    def under(t: int) -> bool:
        return m.close[t] < spans(t)[0] and m.close[t] < spans(t)[1]

    return sides(
        m.n, warm, lambda t: over(t) and any(m.low[t] < s for s in spans(t)), under,
        lambda t: under(t) and any(m.high[t] > s for s in spans(t)), over,
    )  # fmt: skip


def fernando(m: Market, p: Any, warm: int) -> dict[str, Any]:
    low, high = bands(m.close, p.bb_period, p.bb_std)
    middle = ind.sma(m.close, p.bb_period)
    width = [(h - l) / mid for h, l, mid in zip(high, low, middle, strict=True)]
    fast, slow = ind.sma(width, p.vli_fast), ind.sma(width, p.vli_slow)
    top = [s + 2 * d for s, d in zip(slow, ind.std(width, p.vli_slow), strict=True)]
    sma = {n: ind.sma(m.close, n) for n in (20, 50, 100, 200)}
    busy_fast, busy_slow = ind.sma(m.volume, p.vol_fast), ind.sma(m.volume, p.vol_slow)

    def case(t: int) -> str:
        if not (below(m.close, high, t) and busy_fast[t] > busy_slow[t]):
            return ""
        trend = fast[t] >= slow[t] or sma[50][t] > sma[200][t]
        if m.close[t] > sma[20][t] and width[t] < top[t] and trend:
            return "a"
        if m.close[t] <= sma[20][t] and sma[100][t] > sma[200][t]:
            return "b"
        return ""

    result: dict[str, Any] = flip(
        m.n, warm, lambda t: case(t) != "", lambda t: above(m.close, low, t) and busy_fast[t] > busy_slow[t]
    )
    result["long_level"] = [m.low[t] if t >= warm and case(t) == "b" else NAN for t in range(m.n)]
    result["short_level"] = ind.highest(m.close, 20, 1)
    return result


def vwap(m: Market, p: Any, warm: int) -> dict[str, Any]:
    middle, s = ind.vwap(m.close, m.volume, p.period), ind.std(m.close, p.period)
    return flip(
        m.n, warm, lambda t: s[t] > 0 and m.close[t] < middle[t] - p.dev * s[t],
        lambda t: s[t] > 0 and m.close[t] > middle[t] + p.dev * s[t],
    )  # fmt: skip


def scalp_rsi(m: Market, p: Any, warm: int) -> dict[str, Any]:
    line = ind.rsi(m.close, p.period)
    return flip(m.n, warm, lambda t: line[t] < p.oversold, lambda t: line[t] > p.overbought)


def momentum(m: Market, p: Any, warm: int) -> dict[str, Any]:
    usual = ind.sma(m.volume, p.lookback)
    high, low = ind.highest(m.high, p.lookback, 1), ind.lowest(m.low, p.lookback, 1)

    def spike(t: int) -> bool:
        return bool(m.volume[t] > p.vol_mult * usual[t])

    return flip(m.n, warm, lambda t: m.close[t] > high[t] and spike(t), lambda t: m.close[t] < low[t] and spike(t))


def stoch_rsi(m: Market, p: Any, warm: int) -> dict[str, Any]:
    k = ind.sma(ind.stochastic(ind.rsi(m.close, p.rsi_period), p.stoch_period), p.k)
    d = ind.sma(k, p.d)
    return flip(
        m.n, warm,
        lambda t: k[t] < p.low and k[t] > d[t] + EPS and k[t - 1] <= d[t - 1] + EPS,
        lambda t: k[t] > p.high and k[t] < d[t] - EPS and k[t - 1] >= d[t - 1] - EPS,
    )  # fmt: skip


def ribbon(m: Market, p: Any, warm: int) -> dict[str, Any]:
    fast, medium, slow = (ind.ema(m.close, n) for n in (p.fast, p.medium, p.slow))
    return flip(
        m.n, warm, lambda t: above(fast, medium, t) and medium[t] > slow[t],
        lambda t: below(fast, medium, t) and medium[t] < slow[t],
    )  # fmt: skip


def funding(m: Market, p: Any, warm: int) -> dict[str, Any]:
    x: list[float] = []
    if p.proxy:
        x = ind.rate_of_change(m.close, p.period)
    else:
        settled: list[float] = []
        for t in range(m.n):
            if not math.isnan(m.funding_rate[t]):
                count = 1 if m.funding_count is None else round(m.funding_count[t])
                settled += [m.funding_rate[t] / count] * count
            x.append(ind.mean(settled[-p.period :]) if len(settled) >= p.period else NAN)
    return sides(m.n, warm, lambda t: x[t] < p.entry, lambda t: x[t] > p.exit, never, never)


def basis(m: Market, p: Any, warm: int) -> dict[str, Any]:
    z = ind.zscore(m.close if p.proxy else m.basis, p.lookback)
    return sides(
        m.n, warm, lambda t: z[t] < -p.entry_std, lambda t: z[t] > -p.exit_std,
        lambda t: z[t] > p.entry_std, lambda t: z[t] < p.exit_std,
    )  # fmt: skip


def open_interest(m: Market, p: Any, warm: int) -> dict[str, Any]:
    price = ind.rate_of_change(m.close, p.price_period)
    interest = ind.rate_of_change(m.volume if p.proxy else m.interest, p.oi_period)
    return flip(
        m.n, warm, lambda t: price[t] < -p.price_thresh and interest[t] > p.oi_thresh,
        lambda t: price[t] > p.price_thresh and interest[t] < -p.oi_thresh,
    )  # fmt: skip


def liquidation(m: Market, p: Any, warm: int) -> dict[str, Any]:
    atr, mean = ind.atr(m.high, m.low, m.close, p.atr_period), ind.sma(m.close, p.sma_period)

    def change(t: int) -> float:
        return float(m.close[t] - m.close[t - 1])

    return sides(
        m.n, warm,
        lambda t: change(t) < -p.atr_mult * atr[t - 1] and m.close[t] < mean[t],
        lambda t: m.close[t] >= mean[t],
        lambda t: change(t) > p.atr_mult * atr[t - 1] and m.close[t] > mean[t],
        lambda t: m.close[t] <= mean[t],
    )  # fmt: skip


def volatility_breakout(m: Market, p: Any, warm: int) -> dict[str, Any]:
    n = p.atr_period
    atr, mean = ind.atr(m.high, m.low, m.close, n), ind.ema(m.close, n)
    usual = ind.sma(atr, n)
    squeezed = [a < p.squeeze * u for a, u in zip(atr, usual, strict=True)]

    def released(t: int) -> bool:
        return not squeezed[t] and any(squeezed[t - n : t])

    return sides(
        m.n, warm,
        lambda t: released(t) and m.close[t] > mean[t] + p.atr_mult * atr[t],
        lambda t: below(m.close, mean, t),
        lambda t: released(t) and m.close[t] < mean[t] - p.atr_mult * atr[t],
        lambda t: above(m.close, mean, t),
    )  # fmt: skip


def trend(m: Market, p: Any, warm: int) -> dict[str, Any]:
    high, low = ind.highest(m.high, p.trend_period, 1), ind.lowest(m.low, p.trend_period, 1)
    atr = ind.atr(m.high, m.low, m.close, p.atr_period)
    result: dict[str, Any] = sides(
        m.n, warm, lambda t: m.close[t] > high[t] and atr[t] > 0, never,
        lambda t: m.close[t] < low[t] and atr[t] > 0, never,
    )  # fmt: skip
    return {**result, "trail": [p.atr_mult * a if a > 0 else NAN for a in atr]}


def mean_reversion(m: Market, p: Any, warm: int) -> dict[str, Any]:
    low, high = bands(m.close, p.period, p.num_std)
    low_exit, high_exit = bands(m.close, p.period, p.exit_std)
    return sides(
        m.n, warm, lambda t: m.close[t] < low[t], lambda t: m.close[t] > high_exit[t],
        lambda t: m.close[t] > high[t], lambda t: m.close[t] < low_exit[t],
    )  # fmt: skip


def grid(m: Market, p: Any, warm: int) -> dict[str, Any]:
    """Where the grid may be laid, and what it is laid by; its orders have a reference of their own."""
    low, high = bands(m.close, p.period, p.num_std)
    columns = [ind.sma(m.close, p.period), low, high]
    return {**sides(m.n, warm, lambda t: True, never, never, never), "columns": columns}


RULES: dict[str, Callable[[Market, Any, int], dict[str, Any]]] = {
    "EmaCrossStrategy": ema_cross,
    "MaCrossStrategy": ma_cross,
    "RSIStrategy": rsi,
    "MACDStrategy": macd,
    "MACDStrategyX": macd_x,
    "BollingerBandsStrategy": bollinger,
    "ChannelStrategy": channel,
    "IchimokuStrategy": ichimoku,
    "FernandoStrategy": fernando,
    "VWAPStrategy": vwap,
    "ScalpRSIStrategy": scalp_rsi,
    "MomentumBreakoutStrategy": momentum,
    "StochRSIStrategy": stoch_rsi,
    "EMARibbonStrategy": ribbon,
    "FundingRateArbitrage": funding,
    "BasisTradingStrategy": basis,
    "OpenInterestDivergence": open_interest,
    "LiquidationHuntStrategy": liquidation,
    "GridTradingStrategy": grid,
    "VolatilityBreakoutStrategy": volatility_breakout,
    "TrendFollowingATR": trend,
    "MeanReversionBands": mean_reversion,
}


def expected(name: str, bars: Any, params: Any) -> dict[str, Any]:
    """What the rule `name` says on `bars`."""
    return RULES[name](Market(bars), params, WARMUP[name](params))
