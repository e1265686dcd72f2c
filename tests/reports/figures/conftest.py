"""A run of known numbers with a failed fold."""

from __future__ import annotations

import pytest

from tests.reports.standin import StandIn, stand_in


@pytest.fixture(scope="module")
def wf() -> StandIn:
    return stand_in(failed=(4,))
