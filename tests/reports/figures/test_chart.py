"""The chart of one backtest and its marked trades."""

from __future__ import annotations

import polars as pl
import pytest
from bokeh.embed import file_html
from bokeh.resources import CDN

import maestro as ms
from maestro import reports
from tests.reports.figures.sources import sources_of


@pytest.mark.parametrize("rows", [300, None])
@pytest.mark.parametrize("strategy", ["EmaCrossStrategy", "MACDStrategy", "GridTradingStrategy"])
def test_chart_of_one_backtest(rows: int | None, strategy: str) -> None:
    bars = ms.load_sample("AAPL")[:rows]
    bt = ms.backtest(bars, strategy)
    layout = reports.backtest_figure(bt)
    assert len(file_html(layout, CDN, title="chart")) > 10_000
    entries = sum(len(d["entry"]) for d in sources_of(layout) if "entry_text" in d)
    marked = bt.trades.sort(pl.col("pnl").abs(), descending=True).head(1_000)
    assert entries == len(marked) + (marked["exit_reason"] != "open").sum()


def test_the_chart_states_which_trades_it_marks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("maestro.reports.figures.chart.MARKERS", 5)
    bt = ms.backtest(ms.load_sample("AAPL"), "MACDStrategy")
    layout = reports.backtest_figure(bt, overlays=False)
    assert layout.children[0].title.text == f"The 5 largest of {len(bt.trades)} trades are marked"
