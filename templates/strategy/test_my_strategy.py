"""What MyStrategy must hold, whatever it earns."""

from __future__ import annotations

import pytest
from my_strategy import MyStrategy

import maestro as ms


@pytest.fixture(scope="module")
def bars():
    return ms.load_sample("AAPL")


@pytest.fixture(autouse=True)
def own_ledger(tmp_path, monkeypatch):
    """What tests try out is not counted among the trials of your research."""
    monkeypatch.setenv("MAESTRO_LEDGER_DIR", str(tmp_path))


def test_it_does_not_look_ahead(bars):
    found = ms.validation.lookahead(bars, MyStrategy)
    assert found.passed, found


def test_it_trades(bars):
    bt = ms.backtest(bars, MyStrategy)
    assert bt.metrics["num_trades"] > 0


def test_other_parameters_give_other_trades(bars):
    first = next(iter(MyStrategy.declared))
    other = MyStrategy.declared[first].high
    assert not ms.backtest(bars, MyStrategy).orders.equals(ms.backtest(bars, MyStrategy, params={first: other}).orders)


def test_every_fold_has_a_result(bars):
    wf = ms.walk_forward(bars, MyStrategy, splitter="rolling:5,2,1", trials=10, workers=1)
    assert not len(wf.failed_folds), wf.failed_folds["error"].to_list()
