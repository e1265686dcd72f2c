"""The account of a portfolio: gross exposure is cut before the next bar."""

from __future__ import annotations

import numpy as np

from maestro.walkforward.portfolio.account import run_account
from maestro.walkforward.portfolio.sleeves import Sleeves


def test_gross_exposure_is_cut_before_the_next_bar() -> None:
    """One sleeve, long twice its capital, limit 1.5: by hand."""
    value = np.array([[1.0], [1.2], [1.1], [1.32]])
    exposure = np.array([[2.0], [2.0], [2.0], [2.0]])
    sleeves = Sleeves(
        ("s",), np.arange(4) * 86_400_000_000, value, exposure, np.ones((4, 1)), np.ones((4, 1), np.bool_),
        (np.zeros(1, np.int64),), np.array([0.01]), {}, {},
    )  # fmt: skip
    free = run_account(sleeves, [0], lambda row: np.ones(1), 100.0)
    np.testing.assert_allclose(free.equity, [100, 120, 110, 132])
    own = run_account(sleeves, [0], lambda row: np.ones(1), 100.0, 1.5)
    # Close 0: 200 of 100 are above 1.5; a quarter leaves, at 1 % of a notional of 50: 75 in the sleeve, 24.5 in cash.
    # Bar 1: 75 * 1.2 = 90, equity 114.5, gross 180 > 171.75: cut to 85.875, costs 1 % of 8.25.
    first = 24.5 + 90
    second_cash = first - 85.875 - 0.0825
    second = second_cash + 85.875 * 1.1 / 1.2
    assert own.cuts[:2] == [1, 2]
    np.testing.assert_allclose(own.equity[:3], [100, first, second])
    np.testing.assert_allclose(own.profit.sum(axis=1), np.diff(np.concatenate(([100.0], own.equity))))
    gross = (own.capital * exposure).sum(axis=1) / own.equity
    assert gross[0] == 2.0
    assert own.costs[0] > 0.5
