"""Shares of equity of volatility sizing, bar by bar."""

from __future__ import annotations

import numpy as np
import pytest

import maestro as ms
from maestro.engine.kernels.account import VOLATILITY_RETURNS
from tests.engine.libraries import library

library("vectorbt", "vectorbt")


def test_the_share_of_a_bar_is_the_target_over_the_volatility_up_to_it() -> None:
    from maestro.engine.vectorbt.running import _shares

    bars = ms.synthetic_bars(100)
    shares = _shares(bars, ms.Sizing.volatility(0.4))
    assert not shares[:VOLATILITY_RETURNS].any()
    close = bars.close[60 - VOLATILITY_RETURNS : 61]
    annual = np.std(close[1:] / close[:-1] - 1, ddof=1) * np.sqrt(bars.periods_per_year)
    assert shares[60] == pytest.approx(0.4 / annual, rel=1e-12)
    assert not _shares(bars, ms.Sizing.percent(1.0)).any()
