"""Rules of derivatives: funding, basis, open interest, liquidations, volatility."""

from __future__ import annotations

import numpy as np

import maestro as ms
from maestro.bars import Bars
from tests.strategies import markets
from tests.strategies.contract import RuleContract, family


class TestDerivatives(RuleContract):
    names = family("derivatives")


def test_funding_mean_is_over_settlements_and_not_over_bars() -> None:
    nan = np.nan
    rate = np.array([nan, -2e-4, nan, 0.0, nan, -9e-4, nan, 3e-4, nan])
    count = np.array([0.0, 1, 0, 1, 0, 3, 0, 1, 0])
    bars = markets.random_market(0, 9)
    columns = {key: getattr(bars, key) for key in ("time", "open", "high", "low", "close", "volume")}
    columns |= {"funding_rate": rate, "funding_count": count}
    bars = Bars(columns, provider="", symbol="X", timeframe="1h", periods_per_year=8760.0)
    strategy = ms.strategy("FundingRateArbitrage", period=2, entry=-9.9e-5, exit=-4e-6)
    mean = strategy.overlays(bars)[0].values
    np.testing.assert_allclose(mean, [nan, nan, nan, -1e-4, -1e-4, -3e-4, -3e-4, 0.0, 0.0], atol=1e-18)
    signals = strategy.signals(bars)
    np.testing.assert_array_equal(np.flatnonzero(signals.long_entry), [3, 4, 5, 6])
    np.testing.assert_array_equal(np.flatnonzero(signals.long_exit), [7, 8])
    assert not signals.short_entry.any()


def test_equal_funding_rates_are_not_above_themselves() -> None:
    n = 60
    bars = markets.random_market(0, n)
    columns = {key: getattr(bars, key) for key in ("time", "open", "high", "low", "close", "volume")}
    bars = Bars(
        columns | {"funding_rate": np.full(n, 1e-4)}, provider="", symbol="X", timeframe="8h", periods_per_year=1095.0
    )
    for period in range(1, 22):
        signals = ms.strategy("FundingRateArbitrage", period=period, entry=1e-4, exit=1e-4).signals(bars)
        assert not signals.long_exit.any()
        assert not signals.long_entry.any()
