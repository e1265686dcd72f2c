"""Equity figures: lines break where a fold failed, wide ranges have a log scale."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl

import maestro as ms
from maestro import reports
from maestro.reports.figures.equity import equity_source
from tests.reports.figures.sources import data_with
from tests.reports.standin import StandIn


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
    assert np.isnan(data_with(fig, "benchmark")["benchmark"]).all()


def test_wide_ranges_are_drawn_on_a_log_scale(wf: StandIn) -> None:
    grown = wf.equity.with_columns(equity=pl.col("equity") * pl.Series(np.geomspace(1, 50, len(wf.equity))))
    assert "log" in reports.equity_figure(grown).yaxis[0].axis_label
    assert "log" not in reports.equity_figure(wf.equity.select("timestamp", "equity")).yaxis[0].axis_label
    ruined = grown.with_columns(equity=pl.col("equity") - 1e9)
    assert "log" not in reports.equity_figure(ruined.drop("benchmark")).yaxis[0].axis_label


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
