"""The walk-forward, kept in memory, that stored ones are compared with."""

from __future__ import annotations

import pytest

import maestro as ms
from tests.support.rules import RISING, THREE, Cross


@pytest.fixture(scope="module")
def reference() -> ms.WalkForward:
    return ms.walk_forward(RISING, Cross, **THREE)
