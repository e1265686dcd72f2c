"""Which signals vectorbt's `from_signals` can trade, and which need an order function."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import maestro as ms
from tests.engine.libraries import library

library("vectorbt", "vectorbt")

LONG, SHORT = np.array([True, False]), np.array([False, True])
NO_SLIPPAGE = ms.Costs(0.001, 0.0)


@pytest.mark.parametrize(
    ("signals", "costs", "expected"),
    [
        ({}, ms.Costs(), True),
        ({"stop": 0.05}, ms.Costs(), True),
        ({"stop": 5.0, "stop_unit": "price"}, ms.Costs(), False),
        ({"stop": 0.05, "trail": 0.05}, ms.Costs(), False),
        ({"trail": 0.05}, ms.Costs(), True),
        ({"trail": 0.05, "short_entry": SHORT}, ms.Costs(), False),
        ({"trail": 0.05, "target": 0.1}, NO_SLIPPAGE, False),
        ({"stop": 0.05, "target": 0.1}, NO_SLIPPAGE, True),
        ({"stop": 0.05, "target": 0.1}, ms.Costs(), False),
    ],
)
def test_what_it_can_trade(signals: dict[str, Any], costs: ms.Costs, expected: bool) -> None:
    from maestro.engine.vectorbt.by_signals import can

    assert can(ms.Signals(LONG, **signals), costs) is expected
