"""Inputs of indicators: which arrays and periods are accepted, and what is refused."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import maestro.indicators as ind
from maestro.errors import ParameterError
from tests.indicators.market import C, H, L, N, agree


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
