"""Distribution of trades: each is counted, losses and gains apart."""

from __future__ import annotations

from maestro import reports
from tests.reports.figures.sources import data_with
from tests.reports.standin import StandIn


def test_histogram_counts_every_trade_and_mixes_no_loss_with_a_gain(wf: StandIn) -> None:
    data = data_with(reports.trade_distribution(wf), "left", "count")
    assert sum(data["count"]) == len(wf.trades)
    returns = wf.trades["return"].to_numpy()
    losses = sum(c for c, right in zip(data["count"], data["right"], strict=True) if right <= 1e-12)
    assert losses == (returns < 0).sum()
