"""Bars and a run whose choices the tests change."""

from __future__ import annotations

import pytest

import maestro as ms
from tests.validation.robustness.rules import N


@pytest.fixture(scope="module")
def bars() -> ms.Bars:
    return ms.synthetic_bars(N, seed=11)


@pytest.fixture(scope="module")
def wf(bars: ms.Bars) -> ms.WalkForward:
    return ms.walk_forward(bars, "EmaCrossStrategy", trials=12, workers=1, space={"fast": (5, 20), "slow": (21, 60)})
