"""Ranges: the true range against TA-Lib, the shifted spans of the Ichimoku lines."""

from __future__ import annotations

import talib

import maestro.indicators as ind
from tests.indicators import plain_indicators as plain
from tests.indicators.market import C, H, L, agree


def test_true_range_agrees_with_talib() -> None:
    agree(ind.true_range(H, L, C), talib.TRANGE(H, L, C))


def test_ichimoku_spans_are_known_before_they_are_drawn() -> None:
    tenkan, kijun, span_a, span_b = ind.ichimoku(H, L, 9, 26, 52)
    agree(tenkan, plain.midrange(H, L, 9))
    agree(kijun, plain.midrange(H, L, 26))
    agree(span_a, plain.later([(a + b) / 2 for a, b in zip(tenkan, kijun, strict=True)], 26))
    agree(span_b, plain.later(plain.midrange(H, L, 52), 26))
