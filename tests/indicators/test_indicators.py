"""Indicators against TA-Lib, against plain loops, and against their own promises: NaN, flat windows, truncation."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import talib

import maestro.indicators as ind
from tests.indicators import plain_indicators as plain
from tests.indicators.market import C, H, L, M, N, agree, walk


@pytest.mark.parametrize("period", [2, 3, 14, 20, 100, 300, N, N + 1])
def test_agrees_with_talib(period: int) -> None:
    agree(ind.sma(C, period), talib.SMA(C, period))
    agree(ind.ema(C, period), talib.EMA(C, period))
    agree(ind.rsi(C, period), talib.RSI(C, period))
    agree(ind.highest(C, period), talib.MAX(C, period))
    agree(ind.lowest(C, period), talib.MIN(C, period))
    agree(ind.midrange(H, L, period), talib.MIDPRICE(H, L, period))
    agree(ind.atr(H, L, C, period), talib.ATR(H, L, C, period))
    agree(ind.momentum(C, period), talib.MOM(C, period))
    agree(ind.rate_of_change(C, period), talib.ROCP(C, period))
    for mine, theirs in zip(ind.bollinger(C, period, 2.0), talib.BBANDS(C, period, 2.0, 2.0), strict=True):
        agree(mine, theirs)


PLAIN: dict[str, tuple[Callable[..., Any], Callable[..., Any]]] = {
    "sma": (lambda m, p: ind.sma(m["close"], p), lambda m, p: plain.sma(m["close"], p)),
    "ema": (lambda m, p: ind.ema(m["close"], p), lambda m, p: plain.ema(m["close"], p)),
    "std": (lambda m, p: ind.std(m["close"], p), lambda m, p: plain.std(m["close"], p)),
    "zscore": (lambda m, p: ind.zscore(m["close"], p), lambda m, p: plain.zscore(m["close"], p)),
    "rsi": (lambda m, p: ind.rsi(m["close"], p), lambda m, p: plain.rsi(m["close"], p)),
    "highest": (lambda m, p: ind.highest(m["high"], p), lambda m, p: plain.highest(m["high"], p)),
    "lowest": (lambda m, p: ind.lowest(m["low"], p), lambda m, p: plain.lowest(m["low"], p)),
    "donchian": (
        lambda m, p: np.concatenate(ind.donchian(m["high"], m["low"], p)),
        lambda m, p: plain.highest(m["high"], p, 1) + plain.lowest(m["low"], p, 1),
    ),
    "midrange": (
        lambda m, p: ind.midrange(m["high"], m["low"], p),
        lambda m, p: plain.midrange(m["high"], m["low"], p),
    ),
    "true_range": (
        lambda m, p: ind.true_range(m["high"], m["low"], m["close"]),
        lambda m, p: plain.true_range(m["high"], m["low"], m["close"]),
    ),
    "atr": (
        lambda m, p: ind.atr(m["high"], m["low"], m["close"], p),
        lambda m, p: plain.atr(m["high"], m["low"], m["close"], p),
    ),
    "vwap": (
        lambda m, p: ind.vwap(m["close"], m["volume"], p),
        lambda m, p: plain.vwap(m["close"], m["volume"], p),
    ),
    "stochastic": (lambda m, p: ind.stochastic(m["close"], p), lambda m, p: plain.stochastic(m["close"], p)),
    "momentum": (lambda m, p: ind.momentum(m["close"], p), lambda m, p: plain.momentum(m["close"], p)),
    "rate_of_change": (
        lambda m, p: ind.rate_of_change(m["volume"], p),
        lambda m, p: plain.rate_of_change(m["volume"], p),
    ),
}


def with_holes(seed: int) -> dict[str, np.ndarray]:
    """A market with NaN in every series, a flat stretch and one without volume."""
    market = walk(seed, 400)
    rng = np.random.default_rng(seed)
    market["close"][200:260] = market["high"][200:260] = market["low"][200:260] = 128.125
    market["volume"][230:290] = 0.0
    for name, values in market.items():
        at = rng.choice(400, 4, replace=False)
        values[at] = np.nan
        if name == "close":
            values[:3] = values[-1] = np.nan
    return market


@pytest.mark.parametrize("name", PLAIN)
@pytest.mark.parametrize("period", [1, 2, 7, 20, 64, 65])
def test_agrees_with_a_plain_loop(name: str, period: int) -> None:
    if name == "rsi":
        period = max(period, 2)  # it needs two changes
    compiled, reference = PLAIN[name]
    for market in (M, walk(1, 65), with_holes(2)):
        agree(compiled(market, period), reference(market, period), atol=1e-12)


def test_a_large_value_leaves_nothing_behind() -> None:
    values = np.ones(300)
    values[100] = 1e17
    assert (ind.sma(values, 20)[120:] == 1.0).all()
    assert (ind.std(values, 20)[120:] == 0.0).all()
    volume = np.zeros(300)
    volume[100] = 1e17
    assert np.isnan(ind.vwap(values, volume, 20)[120:]).all()


@pytest.mark.parametrize("price", [100.0, 0.1, 1 / 3, 1234.567])
def test_equal_prices_give_exact_means_and_undefined_ratios(price: float) -> None:
    flat = np.full(500, price)
    for period in (3, 7, 20, 60):
        for line in (ind.sma(flat, period), ind.ema(flat, period)):
            assert (line[period - 1 :] == price).all()
        assert (ind.std(flat, period)[period - 1 :] == 0.0).all()
        upper, middle, lower = ind.bollinger(flat, period, 2.0)
        assert np.isnan(upper).all()
        assert np.isnan(lower).all()
        assert (middle[period - 1 :] == price).all()
        for line in (ind.rsi(flat, period), ind.zscore(flat, period), ind.stochastic(flat, period)):
            assert np.isnan(line).all()


ALL: dict[str, Callable[[dict[str, np.ndarray]], Any]] = {
    **{name: (lambda m, f=pair[0]: f(m, 14)) for name, pair in PLAIN.items() if name != "donchian"},
    "donchian": lambda m: ind.donchian(m["high"], m["low"], 14),
    "bollinger": lambda m: ind.bollinger(m["close"], 14, 2.0),
    "macd": lambda m: ind.macd(m["close"], 5, 12, 4),
    "ichimoku": lambda m: ind.ichimoku(m["high"], m["low"], 5, 9, 20),
    "stoch_rsi": lambda m: ind.stoch_rsi(m["close"], 8, 8, 3, 3),
}


@pytest.mark.parametrize("name", ALL)
def test_cutting_the_future_off_changes_no_bit_of_the_past(name: str) -> None:
    for market in (walk(3, 300), with_holes(4)):
        whole = np.atleast_2d(np.array(ALL[name](market)))
        for k in range(1, len(market["close"])):
            cut = np.atleast_2d(np.array(ALL[name]({key: v[:k] for key, v in market.items()})))
            np.testing.assert_array_equal(cut, whole[:, :k], err_msg=f"{name} on the first {k} bars")


@pytest.mark.parametrize("name", ALL)
def test_empty_in_empty_out_and_read_only(name: str) -> None:
    for line in np.atleast_2d(np.array(ALL[name]({key: v[:0] for key, v in M.items()}))):
        assert line.shape == (0,)
    result = ALL[name](M)
    for line in result if isinstance(result, tuple) else (result,):
        assert line.dtype == np.float64
        assert not line.flags.writeable


def test_prices_that_stand_still_cost_no_time_and_change_no_value() -> None:
    """A decaying average would reach the numbers near 1e-308, with which the processor is slow; here it ends before."""
    rng = np.random.default_rng(0)
    close = 100.0 * np.exp(np.cumsum(rng.normal(0.0, 1e-3, 20_000)))
    close[1_000:19_000] = close[1_000]
    ema, plain = ind.ema(close, 10), close[:10].mean()
    for k in range(10, 20_000):
        plain += 2.0 / 11.0 * (close[k] - plain)
        if k % 500 == 0 or k > 18_990:
            assert ema[k] == pytest.approx(plain, rel=1e-13)
    rsi = ind.rsi(close, 14)
    assert len(set(rsi[1_001:19_000].tolist())) == 1  # without movement the ratio stays
    assert rsi[19_000] in (0.0, 100.0)
    assert 0.0 < rsi[19_030] < 100.0
    atr = ind.atr(close, close, close, 14)
    held = atr[1_500:19_000]
    assert np.all((held == 0.0) | (held > 1e-290))
    assert atr[18_999] == 0.0
    assert atr[19_000] == pytest.approx(abs(close[19_000] - close[18_999]) / 14)
