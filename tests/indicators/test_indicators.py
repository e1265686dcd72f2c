"""Indicators against TA-Lib, against plain loops, and against their own promises: NaN, flat windows, truncation."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import talib

import maestro.indicators as ind
from maestro.errors import ParameterError, SettingsError
from tests.indicators import plain_indicators as plain

N = 700
RTOL = 1e-10


def walk(seed: int = 0, n: int = N) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(seed)
    close = 100 * np.exp(np.cumsum(rng.normal(0, 0.01, n)))
    spread = abs(rng.normal(0, 0.005, n))
    return {
        "close": close,
        "high": close * (1 + spread),
        "low": close * (1 - abs(rng.normal(0, 0.005, n))),
        "volume": rng.lognormal(3, 1, n),
    }


M = walk()
C, H, L, V = M["close"], M["high"], M["low"], M["volume"]


def agree(mine: Any, theirs: Any, rtol: float = RTOL, atol: float = 0.0) -> None:
    np.testing.assert_array_equal(np.isnan(mine), np.isnan(theirs))
    np.testing.assert_allclose(mine, theirs, rtol=rtol, atol=atol)


# -- TA-Lib ------------------------------------------------------------------------------------


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


@pytest.mark.parametrize("period", [5, 14, 20, 100, 300])
def test_std_agrees_with_talib(period: int) -> None:
    # Shorter windows have small deviations, where TA-Lib's running sums lose digits: see the plain reference.
    agree(ind.std(C, period), talib.STDDEV(C, period))


@pytest.mark.parametrize("periods", [(12, 26, 9), (3, 10, 4), (2, 3, 1), (12, 26, N)])
def test_macd_agrees_with_talib(periods: tuple[int, int, int]) -> None:
    for mine, theirs in zip(ind.macd(C, *periods), talib.MACD(C, *periods), strict=True):
        agree(mine, theirs, atol=1e-13)


def test_true_range_agrees_with_talib() -> None:
    agree(ind.true_range(H, L, C), talib.TRANGE(H, L, C))


# -- plain loops -------------------------------------------------------------------------------

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


def test_vwap_of_a_window_with_nan_or_without_volume_is_nan_and_later_ones_are_not() -> None:
    close, volume = C[:60].copy(), V[:60].copy()
    close[10], volume[30] = np.nan, np.nan
    volume[40:50] = 0.0
    line = ind.vwap(close, volume, 5)
    missing = {0, 1, 2, 3, *range(10, 15), *range(30, 35), *range(44, 50)}
    assert set(np.flatnonzero(np.isnan(line)).tolist()) == missing


@pytest.mark.parametrize("periods", [(12, 26, 9), (1, 2, 1), (5, 40, 30)])
def test_macd_agrees_with_a_plain_loop(periods: tuple[int, int, int]) -> None:
    for n in (3, 50, N):
        for mine, theirs in zip(ind.macd(C[:n], *periods), plain.macd(C[:n].tolist(), *periods), strict=True):
            agree(mine, theirs, atol=1e-12)


def test_macd_begins_again_after_a_nan() -> None:
    values = C[:200].copy()
    values[90] = np.nan
    fresh = ind.macd(values[91:], 3, 8, 4)
    for line, alone in zip(ind.macd(values, 3, 8, 4), fresh, strict=True):
        assert not np.isnan(line[89])
        np.testing.assert_array_equal(line[91:], alone)


def test_ichimoku_spans_are_known_before_they_are_drawn() -> None:
    tenkan, kijun, span_a, span_b = ind.ichimoku(H, L, 9, 26, 52)
    agree(tenkan, plain.midrange(H, L, 9))
    agree(kijun, plain.midrange(H, L, 26))
    agree(span_a, plain.later([(a + b) / 2 for a, b in zip(tenkan, kijun, strict=True)], 26))
    agree(span_b, plain.later(plain.midrange(H, L, 52), 26))


def test_stoch_rsi_is_means_of_the_stochastic_of_the_rsi() -> None:
    k, d = ind.stoch_rsi(C, 14, 10, 3, 4)
    raw = plain.stochastic(plain.rsi(C, 14), 10)
    agree(k, plain.sma(raw, 3), atol=1e-9)
    agree(d, plain.sma(plain.sma(raw, 3), 4), atol=1e-9)


# -- promises ----------------------------------------------------------------------------------


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


def test_rsi_stands_still_with_the_price() -> None:
    values = np.concatenate((C[:100], np.full(50, C[99])))
    line = ind.rsi(values, 14)
    assert (line[100:] == line[99]).all()
    assert np.isnan(ind.stochastic(line, 14)[114:]).all()


def test_zscore_never_reaches_beyond_the_root_of_period_minus_one() -> None:
    spike = np.ones(40)
    spike[30] = 2.0
    assert np.nanmax(ind.zscore(spike, 10)) == pytest.approx(3.0, abs=1e-12)


def test_rate_of_change_from_zero_is_nan() -> None:
    np.testing.assert_array_equal(ind.rate_of_change(np.array([0.0, 1.0, 3.0]), 1), [np.nan, np.nan, 2.0])


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


def test_inputs_that_are_no_plain_float_arrays_are_taken_as_numbers() -> None:
    expected = ind.sma(C, 5)
    agree(ind.sma(C.tolist(), 5), expected, rtol=0)  # type: ignore[arg-type]
    agree(ind.sma(np.repeat(C, 2)[::2], 5), expected, rtol=0)
    np.testing.assert_array_equal(ind.sma(np.array([1, 2, 3]), 2), [np.nan, 1.5, 2.5])  # type: ignore[arg-type]
    assert C.flags.writeable  # the input is never touched


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: ind.sma(C, 0), "period=0 is out of bounds; give a whole number of bars, 1 or more"),
        (lambda: ind.sma(C, -3), "period=-3 is out of bounds"),
        (lambda: ind.sma(C, 2.5), "period=2.5 is out of bounds; give a whole number"),
        (lambda: ind.sma(C, "5"), "period='5' is out of bounds"),
        (lambda: ind.sma(C, True), "period=True is out of bounds"),
        (lambda: ind.rsi(C, 1), "period=1 is out of bounds; give a whole number of bars, 2 or more"),
        (lambda: ind.highest(C, 3, -1), "lag=-1 is out of bounds"),
        (lambda: ind.macd(C, 26, 12, 9), "fast=26 is not below slow=12"),
        (lambda: ind.bollinger(C, 20, math.nan), "num_std=nan"),
        (lambda: ind.ema(np.zeros((3, 2)), 2), r"values has shape \(3, 2\)"),
        (lambda: ind.ema(["a", "b"], 2), "values is a list that holds no numbers"),
        (lambda: ind.atr(H, L[:-1], C, 5), f"different lengths .high {N}, low {N - 1}, close {N}."),
        (lambda: ind.crosses_above(C, H[1:]), "different lengths"),
    ],
)
def test_refuses_by_name(call: Callable[[], Any], words: str) -> None:
    with pytest.raises(ParameterError, match=words):
        call()


# -- crossings ---------------------------------------------------------------------------------


def test_crossings_by_hand() -> None:
    nan = math.nan
    a = np.array([1.0, 2.0, 3.0, 2.0, 2.0, 1.0, nan, 3.0, 1.0])
    b = np.array([2.0, 2.0, 2.0, 2.0, 2.0, 2.0, 2.0, 2.0, nan])
    np.testing.assert_array_equal(np.flatnonzero(ind.crosses_above(a, b)), [2])
    np.testing.assert_array_equal(np.flatnonzero(ind.crosses_below(a, b)), [5])
    np.testing.assert_array_equal(ind.crosses_above(a[:8], 2.0), ind.crosses_above(a[:8], b[:8]))
    np.testing.assert_array_equal(ind.crosses_below(a[:8], 2), ind.crosses_below(a[:8], b[:8]))
    assert ind.crosses_above(a, b).dtype == np.bool_


# -- the cache ---------------------------------------------------------------------------------


def column(values: np.ndarray) -> np.ndarray:
    values = values.copy()
    values.flags.writeable = False
    return values


def test_a_column_is_kept_inside_the_cache_and_nowhere_else() -> None:
    close = column(C)
    assert ind.sma(close, 9) is not ind.sma(close, 9)
    with ind.column_cache() as cache:
        first = ind.sma(close, 9)
        assert ind.sma(close, 9) is first
        assert ind.sma(close, 10) is not first
        assert ind.ema(close, 9) is not first
        assert ind.sma(column(C), 9) is not first  # equal content, another array
        assert cache.hits == 1
        assert ind.macd(close).line is ind.macd(close).line
    np.testing.assert_array_equal(first, ind.sma(close, 9))
    assert ind.sma(close, 9) is not first


def test_arrays_that_can_change_are_not_kept() -> None:
    values = C.copy()
    with ind.column_cache() as cache:
        before = ind.sma(values, 3)
        values[:] = 1.0
        assert (ind.sma(values, 3)[2:] == 1.0).all()
        assert not np.array_equal(before[2:], ind.sma(values, 3)[2:])
        ind.sma(values.tolist(), 3)  # type: ignore[arg-type]
        ind.sma(values=values, period=3)
        assert len(cache) == 0


def test_the_cache_is_bounded_and_forgets_what_was_used_longest_ago() -> None:
    close = column(C)
    size = close.nbytes
    with ind.column_cache(3 * size) as cache:
        first = ind.sma(close, 2)
        second = ind.sma(close, 3)
        ind.sma(close, 4)
        assert ind.sma(close, 2) is first
        ind.sma(close, 5)  # evicts the sma of 3
        assert ind.sma(close, 2) is first
        assert cache.nbytes == 3 * size
        assert ind.sma(close, 3) is not second
        for period in range(2, 200):
            ind.std(ind.ema(close, period), period)
            assert cache.nbytes <= 3 * size
    with ind.column_cache(size - 1) as cache:
        assert ind.sma(close, 2) is not ind.sma(close, 2)
        assert len(cache) == cache.nbytes == 0


def test_an_address_is_not_reused_while_its_column_is_kept() -> None:
    with ind.column_cache(1 << 24):
        for seed in range(200):  # each array dies at once, and its memory goes to the next
            values = np.random.default_rng(seed).random(50)
            np.testing.assert_array_equal(ind.sma(column(values), 5), ind.sma(values, 5))


def test_threads_share_a_cache_and_see_one_column() -> None:
    close = column(C)
    cache = ind.ColumnCache(1 << 24)
    seen: list[list[int]] = []

    def work() -> None:
        with ind.using(cache):
            columns = [ind.ema(close, period) for _ in range(20) for period in range(2, 40)]
            seen.append([id(c) for c in columns])

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(seen) == 4
    assert all(ids == seen[0] for ids in seen)
    assert len(cache) == 38


def test_a_cache_can_be_switched_off_inside_another() -> None:
    close = column(C)
    with ind.column_cache() as cache, ind.using(None):
        ind.sma(close, 3)
    assert len(cache) == 0


@pytest.mark.parametrize("size", [-1, 1.5, True])
def test_a_cache_of_no_size_is_refused(size: Any) -> None:
    with pytest.raises(SettingsError, match="max_bytes="):
        ind.ColumnCache(size)
