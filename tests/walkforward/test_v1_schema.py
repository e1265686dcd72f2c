"""`WalkForward.to_v1()`: the stretch out of sample in the schema of 2020, held against the run's own tables."""

from __future__ import annotations

import json

import numpy as np
import pytest

import maestro as ms


@pytest.fixture(scope="module")
def wf() -> ms.WalkForward:
    return ms.walk_forward(ms.load_sample("AAPL"), "EmaCrossStrategy", trials=10, splitter="rolling:6,2,1", seed=1)


def test_its_figures_are_those_of_the_run(wf: ms.WalkForward) -> None:
    found = json.loads(json.dumps(wf.to_v1(), allow_nan=False))
    assert (found["kind"], found["strategy"], found["symbol"]) == ("WALKFORWARD", "EmaCrossStrategy", "AAPL")
    assert found["value"] == pytest.approx(wf.metrics["final_equity"])
    stamps = wf.equity["timestamp"]
    assert (found["start"], found["end"]) == tuple(round(stamps[k].timestamp() * 1000) for k in (0, -1))
    returns = list(found["analyzers"]["PyFolio"]["returns"].values())
    assert len(returns) == len(wf.equity)
    assert found["cash"] * np.prod(1 + np.array(returns)) == pytest.approx(found["value"])
    assert found["analyzers"]["VWR"]["vwr"] == pytest.approx(wf.metrics["vwr"])


def test_its_trades_are_those_of_the_run(wf: ms.WalkForward) -> None:
    trades = wf.trades
    analysed = wf.to_v1()["analyzers"]["TradeAnalyzer"]
    closed = trades.filter(trades["exit_reason"] != "open")
    assert len(closed)
    assert analysed["total"]["total"] == len(trades)
    assert analysed["total"]["closed"] == len(closed)
    assert analysed["pnl"]["net"]["total"] == pytest.approx(closed["pnl"].sum())
    assert analysed["won"]["total"] == (closed["pnl"] >= 0).sum()
    marks = wf.to_v1()["observers"]["BuySell"]
    assert len(marks["buy"]) + len(marks["sell"]) == len(trades) + len(closed)


def test_it_has_each_folds_parameters(wf: ms.WalkForward) -> None:
    for fold, row in zip(wf.to_v1()["folds"], wf.folds.iter_rows(named=True), strict=True):
        assert fold["parameters"] == {"fast": row["fast"], "slow": row["slow"]}
        assert (fold["fold"], fold["error"]) == (row["fold"], None)
