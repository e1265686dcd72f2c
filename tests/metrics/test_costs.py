"""Costs paid: sums of the trades, and no zero for what is not recorded."""

from __future__ import annotations

import math

import pytest

from maestro.metrics import CostsPaid, costs_paid
from tests.reports.standin import stand_in


def test_costs_are_the_sums_of_the_trades_and_folds() -> None:
    wf = stand_in(failed=(4,))
    paid = costs_paid(wf)
    rows = wf.trades.rows(named=True)
    assert paid.fees == pytest.approx(math.fsum(r["fees"] for r in rows))
    assert paid.funding == pytest.approx(math.fsum(r["funding"] for r in rows))
    assert paid.net == pytest.approx(math.fsum(r["pnl"] for r in rows))
    assert paid.slippage == pytest.approx(8 * 24 * 90.0)
    assert paid.gross == pytest.approx(paid.net + paid.fees + paid.funding + paid.slippage)
    assert paid.share == pytest.approx((paid.gross - paid.net) / paid.gross)


def test_slippage_that_is_not_recorded_is_not_a_zero() -> None:
    paid = CostsPaid(net=10.0, fees=3.0, slippage=math.nan, funding=1.0)
    assert paid.total == 4.0
    assert paid.gross == 14.0
    assert math.isnan(CostsPaid(-5.0, 3.0, 1.0, 0.0).share)
