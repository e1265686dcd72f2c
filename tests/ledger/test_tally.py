"""Tallies of trials add up, and count trials without a Sharpe ratio."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from maestro.errors import SettingsError
from maestro.ledger import Tally


@given(st.lists(st.lists(st.floats(-3, 3)), min_size=1, max_size=6))
def test_tallies_add_up_to_that_of_all_trials(parts: list[list[float]]) -> None:
    whole = sum((Tally.of(part) for part in parts), Tally())
    values = [value for part in parts for value in part]
    assert (whole.trials, whole.n) == (len(values), len(values))
    if len(values) > 1:
        assert whole.mean == pytest.approx(np.mean(values), abs=1e-12)
        assert whole.variance == pytest.approx(np.var(values, ddof=1), abs=1e-12)
    else:
        assert math.isnan(whole.variance)


def test_a_trial_without_a_sharpe_ratio_counts_without_a_part_in_the_variance() -> None:
    tally = Tally.of([2.0, math.nan, 4.0], 5, periods_per_year=100)
    assert (tally.trials, tally.n, tally.mean) == (5, 2, pytest.approx(0.3))
    assert tally.variance == pytest.approx(0.02)
    with pytest.raises(SettingsError, match="not fewer"):
        Tally.of([1.0, 2.0], 1)
