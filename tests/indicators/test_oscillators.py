"""Oscillators: the RSI of a flat price, the stochastic RSI by its definition, changes from zero."""

from __future__ import annotations

import numpy as np

import maestro.indicators as ind
from tests.indicators import plain_indicators as plain
from tests.indicators.market import C, agree


def test_stoch_rsi_is_means_of_the_stochastic_of_the_rsi() -> None:
    k, d = ind.stoch_rsi(C, 14, 10, 3, 4)
    raw = plain.stochastic(plain.rsi(C, 14), 10)
    agree(k, plain.sma(raw, 3), atol=1e-9)
    agree(d, plain.sma(plain.sma(raw, 3), 4), atol=1e-9)


def test_rsi_stands_still_with_the_price() -> None:
    values = np.concatenate((C[:100], np.full(50, C[99])))
    line = ind.rsi(values, 14)
    assert (line[100:] == line[99]).all()
    assert np.isnan(ind.stochastic(line, 14)[114:]).all()


def test_rate_of_change_from_zero_is_nan() -> None:
    np.testing.assert_array_equal(ind.rate_of_change(np.array([0.0, 1.0, 3.0]), 1), [np.nan, np.nan, 2.0])
