"""The vectorbt portfolio of a backtest has its equity, orders and ratios."""

from __future__ import annotations

import numpy as np
import pytest

import maestro as ms
from tests.engine.kernels.test_segments import market, random_signals
from tests.engine.libraries import library

library("vectorbt", "vectorbt")

COSTS = ms.Costs(fee=0.001, slippage=0.0005)


@pytest.mark.parametrize("seed", range(20))
def test_the_portfolio_of_the_same_fills(seed: int) -> None:
    rng = np.random.default_rng(seed)
    bars = market(rng, 400)
    bt = ms.backtest(bars, random_signals(rng, bars), costs=COSTS)
    pf = bt.to_vectorbt()
    np.testing.assert_allclose(pf.value().to_numpy().ravel(), bt.equity["equity"], rtol=1e-12, atol=1e-7)
    if bt.metrics["num_trades"] and not bt.metrics["ruined"]:
        assert pf.sharpe_ratio() == pytest.approx(bt.metrics["sharpe_ratio"], rel=1e-9, nan_ok=True)
    assert pf.orders.count() == len(bt.orders)
