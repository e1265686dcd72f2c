"""Steps of costs end at what was left."""

from __future__ import annotations

import pytest

import maestro as ms
from maestro import reports
from tests.reports.figures.sources import data_with
from tests.reports.standin import StandIn


def test_cost_steps_end_at_what_was_left(wf: StandIn) -> None:
    data = data_with(reports.costs_figure(wf), "name", "top", "bottom")
    paid = reports.costs_paid(wf)
    assert list(data["name"]) == ["Before", "Fees", "Slippage", "Funding", "After"]
    assert data["top"][0] == pytest.approx(paid.gross)
    assert min(data["top"][3], data["bottom"][3]) == pytest.approx(paid.net) or max(
        data["top"][3], data["bottom"][3]
    ) == pytest.approx(paid.net)
    assert data["top"][4] == pytest.approx(paid.net)


def test_costs_of_one_backtest() -> None:
    bt = ms.backtest(ms.load_sample("AAPL"), "MACDStrategy")
    paid = reports.costs_paid(bt)
    assert paid.fees == pytest.approx(bt.metrics["fees"])
    assert paid.net == pytest.approx(bt.metrics["final_equity"] - bt.cash)
    assert paid.slippage == bt.metrics["slippage"] > 0
