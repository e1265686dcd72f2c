"""Returns of bars are those of the equity before each bar; a ruined account returns 0."""

from __future__ import annotations

import numpy as np

from maestro.metrics.returns import bar_returns


def test_returns_chain_to_the_equity() -> None:
    equity = np.array([110.0, 99.0, 99.0, 198.0])
    returns = bar_returns(equity, 100.0)
    assert np.allclose(returns, [0.1, -0.1, 0.0, 1.0], rtol=1e-14)
    assert np.allclose(100.0 * np.cumprod(1.0 + returns), equity, rtol=1e-14)


def test_after_ruin_nothing_is_earned() -> None:
    assert bar_returns(np.array([50.0, 0.0, 0.0]), 100.0).tolist() == [-0.5, -1.0, 0.0]
    assert bar_returns(np.array([-20.0, -20.0]), 100.0).tolist() == [-1.2, 0.0]
    assert len(bar_returns(np.empty(0), 100.0)) == 0
