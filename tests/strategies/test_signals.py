"""Signals: what they accept and refuse."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import maestro as ms
from maestro.errors import StrategyError

YES = np.ones(4, bool)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: ms.Signals(), "without any array"),
        (lambda: ms.Signals(True), "give arrays of booleans"),
        (lambda: ms.Signals(np.ones(4)), "long_entry has dtype float64; give booleans"),
        (lambda: ms.Signals(YES, YES[:3]), r"long_exit has shape \(3,\); give one value for each of the 4 bars"),
        (lambda: ms.Signals(YES, stop=0), "stop is 0.0 at bar 0; give values above 0"),
        (lambda: ms.Signals(YES, trail=[0.1, -0.2, 0.1, 0.1]), "trail is -0.2 at bar 1"),
        (lambda: ms.Signals(YES, target=np.inf), "target is inf at bar 0"),
        (lambda: ms.Signals(YES, stop="tight"), "stop holds no numbers"),
        (lambda: ms.Signals(YES, stop=[0.1, 0.1]), r"stop has shape \(2,\)"),
        (lambda: ms.Signals(YES, stop=5), r"stop is 5 at bar 0, which is 500% of the price; give a fraction below 1"),
        (lambda: ms.Signals(YES, trail=[0.1, 0.1, 1.0, 0.1]), 'trail is 1 at bar 2.*trail_unit="price"'),
        (lambda: ms.Signals(YES, stop=True), "stop is True, a boolean; give a number like 0.05"),
        (lambda: ms.Signals(YES, target=YES), "target is .*, a boolean"),
        (lambda: ms.Signals(np.ma.array(YES, mask=~YES)), "long_entry is a masked array; fill it first"),
        (lambda: ms.Signals(YES, stop=np.ma.array([0.1] * 4)), "stop is a masked array"),
        (lambda: ms.Signals(YES, stop=0.1, stop_unit="percent"), "stop_unit is 'percent'; allowed: fraction, price"),
        (lambda: ms.Signals(YES, trail=0.1, trail_unit="level"), "trail_unit is 'level'; allowed: fraction, price."),
    ],
)
def test_signals_refuse_what_they_cannot_mean(make: Any, words: str) -> None:
    with pytest.raises(StrategyError, match=words):
        make()


def test_a_distance_in_price_and_a_target_may_be_above_one() -> None:
    signals = ms.Signals(YES, stop=5, stop_unit="price", target=2.5)
    assert signals.stop is not None
    assert signals.target is not None
    assert (signals.stop.tolist(), signals.target.tolist()) == ([5.0] * 4, [2.5] * 4)


def test_signals_take_lists_numbers_and_nan() -> None:
    signals = ms.Signals([True, False, True, False], stop=0.05, trail=[np.nan, 0.1, np.nan, 0.2])
    assert signals.long_entry.tolist() == [True, False, True, False]
    assert signals.stop is not None
    assert signals.stop.tolist() == [0.05] * 4
    assert signals.trail is not None
    assert np.isnan(signals.trail[0])
    assert not signals.short_entry.any()
    with pytest.raises(ValueError, match="read-only"):
        signals.short_entry[0] = True  # shared by all signals without a short side
