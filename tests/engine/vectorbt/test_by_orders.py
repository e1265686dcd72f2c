"""What the order functions read: levels of each side in each unit, and the nearer of stop and trail."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

import maestro as ms
from tests.engine.libraries import library

library("vectorbt", "vectorbt")

from maestro.engine.vectorbt import by_orders  # noqa: E402  (imports vectorbt)


def signals(**levels: Any) -> ms.Signals:
    return ms.Signals(np.array([True, False]), **levels)


@pytest.mark.parametrize(
    ("unit", "value", "long", "short"),
    [("level", 90.0, 90.0, 90.0), ("price", 5.0, 95.0, 105.0), ("fraction", 0.1, 90.0, 110.0)],
)
def test_a_stop_in_each_unit_is_on_the_side_of_the_loss(unit: str, value: float, long: float, short: float) -> None:
    guards = by_orders._guards(signals(stop=np.full(2, value), stop_unit=unit), 2)
    assert by_orders._level.py_func(guards, by_orders._LONG_STOP, 0, 100.0) == pytest.approx(long)
    assert by_orders._level.py_func(guards, by_orders._SHORT_STOP, 0, 100.0) == pytest.approx(short)
    assert math.isnan(by_orders._level.py_func(guards, by_orders._LONG_TARGET, 0, 100.0))


def test_the_range_of_a_bar_takes_in_its_open() -> None:
    market = by_orders._market(ms.synthetic_bars(50, seed=1), ms.Costs(fee=0.001, slippage=0.0005))
    assert (market.low <= market.open).all()
    assert (market.high >= market.open).all()
    assert (market.fee, market.slip) == (0.001, 0.0005)


def test_the_nearer_of_stop_and_trail_is_the_first_stop() -> None:
    for trail, first in ((0.05, 95.0), (0.2, 90.0)):
        guards = by_orders._guards(signals(stop=np.full(2, 0.1), trail=np.full(2, trail)), 2)
        assert by_orders._first_stop(guards, 0, 100.0, 1.0) == pytest.approx(first)
        assert by_orders._first_stop(guards, 0, 100.0, -1.0) == pytest.approx(200.0 - first)
