"""A run that is exported."""

from __future__ import annotations

import pytest

from tests.reports.standin import StandIn, stand_in


@pytest.fixture(scope="module")
def run() -> StandIn:
    made = stand_in(failed=(4,), trials=30, bars=200)
    return made.but(notes=("The bars are synthetic.", "=1+1"))
