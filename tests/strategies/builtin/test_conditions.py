"""The compiled conditions where lines touch: small whole numbers and NaN, so that every second bar is a tie."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from maestro.strategies.builtin import conditions as rules
from tests.strategies.plain_rules import above, below

N = 400


def lines(seed: int, count: int) -> list[np.ndarray]:
    rng = np.random.default_rng(seed)
    made = [rng.integers(-2, 3, N).astype(float) for _ in range(count)]
    for line in made:
        line[rng.choice(N, 20)] = np.nan
        line.flags.writeable = False
    return made


def check(found: tuple[np.ndarray, ...], warm: int, *wanted: Callable[[int], bool]) -> None:
    for array, rule in zip(found, wanted, strict=True):
        expected = [t >= warm and rule(t) for t in range(N)]
        assert any(expected)
        np.testing.assert_array_equal(array, expected)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("warm", [0, 1, 7])
def test_crossings_of_lines_that_touch(seed: int, warm: int) -> None:
    a, b, c = lines(seed, 3)
    level = [0.0] * N
    check(rules.crossings(a, b, warm), warm, lambda t: above(a, b, t), lambda t: below(a, b, t))
    check(rules.level_crossings(a, 0.0, warm), warm, lambda t: above(a, level, t), lambda t: below(a, level, t))
    check(rules.below_above(a, -1.0, 1.0, warm), warm, lambda t: a[t] < -1, lambda t: a[t] > 1)
    check(
        rules.ribbon_crossings(a, b, c, warm), warm,
        lambda t: above(a, b, t) and b[t] > c[t], lambda t: below(a, b, t) and b[t] < c[t],
    )  # fmt: skip
    check((rules.contrarian_crossings(a, b, c, 3, warm),), max(warm, 3), lambda t: above(a, b, t) and c[t] < c[t - 3])
    check(rules.channel_states(a, b, c, warm), warm, lambda t: a[t] < b[t] < c[t], lambda t: a[t] > c[t])


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("confirm", range(4))
def test_confirmed_crossings_of_lines_that_touch(seed: int, confirm: int) -> None:
    a, b = lines(seed, 2)

    def held(t: int, cross: Any, side: int) -> bool:
        since = t - confirm
        return since > 0 and cross(a, b, since) and all(side * (a[s] - b[s]) > 0 for s in range(since, t + 1))

    check(rules.confirmed_crossings(a, b, confirm, 0), 0, lambda t: held(t, above, 1), lambda t: held(t, below, -1))


@pytest.mark.parametrize("seed", range(5))
def test_bands_that_are_touched(seed: int) -> None:
    close, mean, width = lines(seed, 3)
    width = np.abs(width)
    low = np.where(width > 0, mean - 2.0 * width, np.nan).tolist()
    high = np.where(width > 0, mean + 2.0 * width, np.nan).tolist()
    check(rules.outside_bands(close, mean, width, 2.0, 0), 0, lambda t: close[t] < low[t], lambda t: close[t] > high[t])
    close = close * 3.0
    check(
        rules.band_crossings(close, mean, width, 2.0, 0), 0,
        lambda t: below(close, low, t), lambda t: above(close, high, t),
    )  # fmt: skip


@pytest.mark.parametrize("seed", range(5))
def test_states_around_a_mean_and_a_cloud_that_are_touched(seed: int) -> None:
    close, a, b, high, low = lines(seed, 5)
    change = np.diff(close, prepend=np.nan)
    found = rules.liquidation_bars(close, a, b, 1.0, 1)
    assert found[1].any()
    np.testing.assert_array_equal(found[0][1:], ((change[1:] < -a[:-1]) & (close < b)[1:]))
    np.testing.assert_array_equal(found[1][1:], (close >= b)[1:])
    np.testing.assert_array_equal(found[2][1:], ((change[1:] > a[:-1]) & (close > b)[1:]))
    np.testing.assert_array_equal(found[3][1:], (close <= b)[1:])
    over, under = (close > a) & (close > b), (close < a) & (close < b)
    found = rules.cloud_states(close, high, low, a, b, 0)
    for array, wanted in zip(
        found, (over & ((low < a) | (low < b)), under, under & ((high > a) | (high > b)), over), strict=True
    ):
        np.testing.assert_array_equal(array, wanted)


def test_rounding_does_not_carry_k_over_d() -> None:
    d = np.full(8, 10.0)
    k = np.array([9.0, 10.0 + 1e-12, 10.0 + 2e-9, 10.0, 10.0 - 1e-12, 10.0 - 2e-9, 10.0 + 1e-12, 11.0])
    up, down = rules.stochastic_turns(k, d, 20.0, 5.0, 1e-9, 0)
    np.testing.assert_array_equal(np.flatnonzero(up), [2, 7])
    np.testing.assert_array_equal(np.flatnonzero(down), [5])
    assert not rules.stochastic_turns(k, d, 10.0, 80.0, 1e-9, 0)[0].any()  # K is not below its low level


def test_a_squeeze_must_be_over_and_recent() -> None:
    n = 12
    usual = np.ones(n)
    atr = np.where(np.arange(n) == 2, 0.5, 1.0)  # the one squeeze, at bar 2
    close, mean = np.full(n, 10.0), np.zeros(n)
    long_entry, *_ = rules.squeeze_breakouts(close, mean, atr, usual, 2.0, 0.9, 4, 0)
    np.testing.assert_array_equal(np.flatnonzero(long_entry), [3, 4, 5, 6])
    undefined = np.where(np.arange(n) < 2, np.nan, usual)  # counts as no squeeze
    assert rules.squeeze_breakouts(close, mean, atr, undefined, 2.0, 0.9, 4, 0)[0].sum() == 4


@pytest.mark.parametrize("seed", range(5))
def test_a_position_out_of_a_squeeze_ends_where_close_crosses_its_mean(seed: int) -> None:
    close, mean, atr, usual = lines(seed, 4)
    _, long_exit, _, short_exit = rules.squeeze_breakouts(close, mean, atr, usual, 1.0, 0.9, 5, 1)
    check((long_exit, short_exit), 1, lambda t: below(close, mean, t), lambda t: above(close, mean, t))
