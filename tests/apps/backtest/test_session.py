"""What the Backtest app draws: a second backtest for comparison, and indicators on request."""

from __future__ import annotations

from urllib.parse import parse_qsl

import numpy as np

import maestro as ms
from maestro.apps.backtest import App, session


def test_two_parameter_sets_are_on_one_chart_with_both_columns_of_metrics() -> None:
    app = App(params={"fast": 10})
    assert app.view._shown is not None
    first = app.view._shown.bt
    app.view.keep.clicks += 1
    app.state.param.update(params={"fast": 30}, fee=0.002)
    shown = app.view._shown
    assert shown.kept is not None
    assert shown.kept.metrics == first.metrics
    assert shown.bt.metrics != first.metrics
    assert shown.table == session.table(shown.bt, first)
    assert all(len(row) == 4 for row in shown.table)
    assert "<th>strategy</th><th>kept</th><th>buy and hold</th>" in app.view.metrics.object
    assert "Kept: <b>EmaCrossStrategy(fast=10, slow=100)</b>, fee 0.100" in app.view.headline.object
    lines = {line.name: line for pane in shown.panes for line in pane.lines}
    np.testing.assert_array_equal(lines["kept equity"].values, first.equity["equity"].to_numpy())
    np.testing.assert_array_equal(lines["equity"].values, shown.bt.equity["equity"].to_numpy())
    again = App(query=dict(parse_qsl(app.state.link()[1:])))
    assert again.settings() == app.settings()
    assert "kept" not in app.state.frozen()
    app.state.data = "sample:IBM"  # both are simulated on the new bars
    assert shown is not app.view._shown
    assert app.view._shown.kept is not None
    assert app.view._shown.kept.bars is app.view._shown.bt.bars
    app.view.drop.clicks += 1
    assert app.state.kept == {}
    assert app.view._shown.kept is None
    assert not app.view.drop.visible


def test_a_kept_backtest_that_fails_is_reported_beside_the_result() -> None:
    app = App(query={"kept": '{"strategy": "Nobody"}'})
    assert app.view._shown is not None
    assert app.view._shown.bt.metrics == ms.backtest(ms.load_sample("AAPL"), "EmaCrossStrategy").metrics
    assert app.view.message.text.startswith("The kept backtest cannot be simulated: there is no strategy 'Nobody'")
    assert app.view.drop.visible
    app.state.kept = {"fee": "much"}
    assert "The kept backtest cannot be simulated: its settings are refused" in app.view.message.text


def test_indicators_are_drawn_on_the_price_and_on_panes_below_it() -> None:
    app = App(indicators=["SMA 50", "RSI 14", "Volume"])
    height = app.view.chart.height
    assert app.view._shown is not None
    panes = {pane.name: [line.name for line in pane.lines] for pane in app.view._shown.panes}
    assert list(panes) == ["price", "RSI 14", "volume", "equity", "drawdown"]
    assert panes["price"] == ["EMA 50", "EMA 100", "SMA 50"]
    bars = app.view._shown.bt.bars
    rsi = app.view._shown.panes[1].lines[0]
    np.testing.assert_array_equal(rsi.values, ms.indicators.rsi(bars.close, 14))
    app.state.indicators = []
    assert [pane.name for pane in app.view._shown.panes] == ["price", "equity", "drawdown"]
    assert app.view.chart.height == height - 200
    app.state.indicators = ["RSA 14"]
    assert app.view.message.text.startswith("there is no indicator 'RSA 14'; there are: SMA 50, ")
    assert app.view._shown.panes[0].name == "price"
