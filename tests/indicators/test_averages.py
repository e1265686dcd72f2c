"""Averages: VWAP with missing values, MACD against TA-Lib and a plain loop."""

from __future__ import annotations

import numpy as np
import pytest
import talib

import maestro.indicators as ind
from tests.indicators import plain_indicators as plain
from tests.indicators.market import C, N, V, agree


@pytest.mark.parametrize("periods", [(12, 26, 9), (3, 10, 4), (2, 3, 1), (12, 26, N)])
def test_macd_agrees_with_talib(periods: tuple[int, int, int]) -> None:
    for mine, theirs in zip(ind.macd(C, *periods), talib.MACD(C, *periods), strict=True):
        agree(mine, theirs, atol=1e-13)


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
