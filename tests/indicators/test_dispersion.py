"""Dispersion: the standard deviation against TA-Lib, the bound of the z-score."""

from __future__ import annotations

import numpy as np
import pytest
import talib

import maestro.indicators as ind
from tests.indicators.market import C, agree


@pytest.mark.parametrize("period", [5, 14, 20, 100, 300])
def test_std_agrees_with_talib(period: int) -> None:
    # Shorter windows have small deviations, where TA-Lib's running sums lose digits: see the plain reference.
    agree(ind.std(C, period), talib.STDDEV(C, period))


def test_zscore_never_reaches_beyond_the_root_of_period_minus_one() -> None:
    spike = np.ones(40)
    spike[30] = 2.0
    assert np.nanmax(ind.zscore(spike, 10)) == pytest.approx(3.0, abs=1e-12)
