"""The figures that notebooks and apps call too."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import polars as pl
import pytest
from bokeh.embed import file_html
from bokeh.models.sources import ColumnDataSource
from bokeh.resources import CDN

import maestro as ms
from maestro import reports
from maestro.reports.figures.equity import equity_source
from tests.reports.standin import StandIn, stand_in


@pytest.fixture(scope="module")
def wf() -> StandIn:
    return stand_in(failed=(4,))


def _sources(model: Any) -> list[dict[str, Any]]:
    return [dict(source.data) for source in model.select({"type": ColumnDataSource})]


def _with(model: Any, *columns: str) -> dict[str, Any]:
    return next(data for data in _sources(model) if set(columns) <= set(data))


@pytest.mark.parametrize(
    "name",
    ["equity_figure", "drawdown_figure", "equity_layout", "is_oos_scatter", "parameter_stability", "trial_distribution",
     "trade_distribution", "costs_figure"],
)  # fmt: skip
def test_each_figure_stands_alone(wf: StandIn, name: str) -> None:
    assert len(file_html(getattr(reports, name)(wf), CDN, title=name)) > 5_000


@pytest.mark.parametrize("name", ["fold_table", "monthly_returns", "trade_table", "trade_summary", "cost_table"])
def test_each_table_is_html_for_notebooks(wf: StandIn, name: str) -> None:
    shown = getattr(reports, name)(wf)
    assert isinstance(shown, reports.Html)
    assert "<table" in shown
    assert "<style>" in shown._repr_html_()


def test_public_names_exist_and_are_sorted() -> None:
    assert sorted(reports.__all__) == reports.__all__
    for name in reports.__all__:
        assert callable(getattr(reports, name))
    with pytest.raises(AttributeError, match="no_such_figure"):
        reports.no_such_figure


def test_lines_break_where_a_fold_failed(wf: StandIn) -> None:
    data: Any = equity_source(wf).data
    holes = np.flatnonzero(np.isnan(data["equity"]))
    assert len(holes) == 1
    assert (data["fold"][holes[0] - 1], data["fold"][holes[0] + 1]) == (3, 5)
    assert np.isnan(data["benchmark"][holes]).all()
    assert len(data["time"]) <= 2_001
    assert np.nanmax(data["equity"]) == wf.equity["equity"].max()
    assert np.nanmin(data["drawdown"]) == wf.equity["drawdown"].min()


def test_equity_of_a_plain_frame(wf: StandIn) -> None:
    fig = reports.equity_figure(wf.equity.select("timestamp", "equity"))
    assert np.isnan(_with(fig, "benchmark")["benchmark"]).all()


def test_wide_ranges_are_drawn_on_a_log_scale(wf: StandIn) -> None:
    grown = wf.equity.with_columns(equity=pl.col("equity") * pl.Series(np.geomspace(1, 50, len(wf.equity))))
    assert "log" in reports.equity_figure(grown).yaxis[0].axis_label
    assert "log" not in reports.equity_figure(wf.equity.select("timestamp", "equity")).yaxis[0].axis_label
    ruined = grown.with_columns(equity=pl.col("equity") - 1e9)
    assert "log" not in reports.equity_figure(ruined.drop("benchmark")).yaxis[0].axis_label


def test_scatter_has_a_point_for_every_fold_with_figures(wf: StandIn) -> None:
    data = _with(reports.is_oos_scatter(wf), "x", "y", "fold")
    good = wf.folds.filter(pl.col("error").is_null())
    assert list(data["fold"]) == [str(f) for f in good["fold"]]
    assert list(data["x"]) == good["is_sharpe_ratio"].to_list()
    assert list(data["y"]) == good["oos_sharpe_ratio"].to_list()


def test_trials_show_the_chosen_one_and_what_it_did(wf: StandIn) -> None:
    fig = reports.trial_distribution(wf)
    chosen = _with(fig, "after", "rank")
    good = wf.folds.filter(pl.col("error").is_null())
    assert chosen["y"] == good["is_sharpe_ratio"].to_list()
    assert chosen["after"] == good["oos_sharpe_ratio"].to_list()
    assert all(rank.startswith("1 of ") for rank in chosen["rank"])
    boxes = _with(fig, "q1", "median")
    first = wf.trials.filter((pl.col("fold") == 0) & (pl.col("state") == "complete"))["sharpe_ratio"].to_numpy()
    assert boxes["median"][0] == pytest.approx(np.median(first))


def test_trials_are_cut_to_a_size_that_a_page_can_hold() -> None:
    wf = stand_in(folds=5, trials=3_000)
    dots = next(d for d in _sources(reports.trial_distribution(wf)) if set(d) == {"x", "y", "fold"})
    assert len(dots["x"]) <= 2_000
    complete = wf.trials.filter(pl.col("state") == "complete")["sharpe_ratio"]
    assert (max(dots["y"]), min(dots["y"])) == (complete.max(), complete.min())


def test_parameter_figures_leave_failed_folds_out(wf: StandIn) -> None:
    numbers = _with(reports.parameter_figure(wf, "fast"), "x", "y")
    assert math.isnan(numbers["y"][4])
    assert [v for i, v in enumerate(numbers["y"]) if i != 4] == wf.folds["fast"].drop_nulls().to_list()
    options = _with(reports.parameter_figure(wf, "exit"), "x", "y")
    assert 4 not in options["x"]
    assert set(options["y"]) <= {"cross", "trail"}


def test_histogram_counts_every_trade_and_mixes_no_loss_with_a_gain(wf: StandIn) -> None:
    data = _with(reports.trade_distribution(wf), "left", "count")
    assert sum(data["count"]) == len(wf.trades)
    returns = wf.trades["return"].to_numpy()
    losses = sum(c for c, right in zip(data["count"], data["right"], strict=True) if right <= 1e-12)
    assert losses == (returns < 0).sum()


def test_heat_map_shows_the_years_return(wf: StandIn) -> None:
    total = wf.equity["equity"][-1] / 100_000 - 1
    assert f"{abs(100 * total):.1f}" in reports.monthly_returns(wf)


def test_cost_steps_end_at_what_was_left(wf: StandIn) -> None:
    data = _with(reports.costs_figure(wf), "name", "top", "bottom")
    paid = reports.costs_paid(wf)
    assert list(data["name"]) == ["Before", "Fees", "Slippage", "Funding", "After"]
    assert data["top"][0] == pytest.approx(paid.gross)
    assert min(data["top"][3], data["bottom"][3]) == pytest.approx(paid.net) or max(
        data["top"][3], data["bottom"][3]
    ) == pytest.approx(paid.net)
    assert data["top"][4] == pytest.approx(paid.net)


@pytest.mark.parametrize("rows", [300, None])
@pytest.mark.parametrize("strategy", ["EmaCrossStrategy", "MACDStrategy", "GridTradingStrategy"])
def test_chart_of_one_backtest(rows: int | None, strategy: str) -> None:
    bars = ms.load_sample("AAPL")[:rows]
    bt = ms.backtest(bars, strategy)
    layout = reports.backtest_figure(bt)
    assert len(file_html(layout, CDN, title="chart")) > 10_000
    entries = sum(len(d["entry"]) for d in _sources(layout) if "entry_text" in d)
    marked = bt.trades.sort(pl.col("pnl").abs(), descending=True).head(1_000)
    assert entries == len(marked) + (marked["exit_reason"] != "open").sum()


def test_chart_says_which_trades_it_marks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("maestro.reports.figures.chart.MARKERS", 5)
    bt = ms.backtest(ms.load_sample("AAPL"), "MACDStrategy")
    layout = reports.backtest_figure(bt, overlays=False)
    assert layout.children[0].title.text == f"The 5 largest of {len(bt.trades)} trades are marked"


def test_costs_of_one_backtest() -> None:
    bt = ms.backtest(ms.load_sample("AAPL"), "MACDStrategy")
    paid = reports.costs_paid(bt)
    assert paid.fees == pytest.approx(bt.metrics["fees"])
    assert paid.net == pytest.approx(bt.metrics["final_equity"] - bt.cash)
    assert paid.slippage == bt.metrics["slippage"] > 0


def test_changes_of_regime_are_drawn_where_they_ended_a_test_window() -> None:
    bars = ms.load_sample("AAPL")
    wf = ms.walk_forward(bars, "RSIStrategy", splitter="on-regime:2y,min_gap=1mo,max_gap=1y", trials=2,
                         executor="serial")  # fmt: skip
    ended = [k for k, cut in enumerate(wf.manifest["cuts"]) if cut["reason"] == "regime"]
    assert 0 < len(ended) < len(wf.folds)
    fig = reports.equity_figure(wf)
    drawn = next(r for r in fig.renderers if type(r.glyph).__name__ == "VSpan")
    stamps = [wf.folds["test_end"][k].timestamp() * 1_000 for k in ended]
    assert list(drawn.data_source.data["x"]) == stamps
    assert drawn not in fig.y_range.renderers
    calendar = ms.walk_forward(bars, "RSIStrategy", splitter="calendar:2y,1y", trials=2, executor="serial")
    assert all(type(r.glyph).__name__ != "VSpan" for r in reports.equity_figure(calendar).renderers)
