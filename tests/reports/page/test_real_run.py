"""Reports of real walk-forwards: a run reloaded from disk gives the bytes of the live one."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import maestro as ms
from maestro.reports import costs_paid, gather, summary_html
from maestro.reports.page.walk_forward import render
from tests.reports.page.test_walk_forward import SECTIONS
from tests.reports.pages import Page

HOURLY = Path(__file__).parents[4] / "shared" / "data" / "bitstamp_BTCUSD_1h_2018-2024.csv.gz"


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("runs")


@pytest.fixture(scope="module")
def live(runs: Path) -> ms.WalkForward:
    return ms.walk_forward(ms.load_sample("AAPL"), "EmaCrossStrategy", trials=25, seed=3, workers=1, runs_dir=runs)


def test_a_reloaded_run_gives_the_same_report(live: ms.WalkForward, runs: Path) -> None:
    again = ms.load_run(live.id, runs_dir=runs)
    assert again is not live
    assert render(again) == render(live)


def test_the_page_is_complete(live: ms.WalkForward) -> None:
    page = Page(render(live))
    assert set(SECTIONS) <= set(page.ids)
    assert page.remote() == []
    for text in (live.id, live.spec.bars.fingerprint, live.spec.source, "ms.walk_forward", "252 bars a year"):
        assert text in page.text
    assert {"fig-parameter-0", "fig-parameter-1"} <= set(page.ids)
    assert "5 to 100" in page.text  # the bounds of `fast`, from the spec


def test_the_figures_are_those_of_the_run(live: ms.WalkForward) -> None:
    found = gather(live)
    assert found.oos_annual == live.metrics["annual_return"]
    assert found.efficiency == pytest.approx(live.efficiency, nan_ok=True)
    assert found.trades == live.metrics["num_trades"]
    bars = ms.load_sample("AAPL")
    first = int(np.searchsorted(bars.timestamp, live.equity["timestamp"].dt.replace_time_zone(None).to_numpy()[0]))
    assert found.benchmark_return == pytest.approx(bars.close[-1] / bars.open[first] - 1)


def test_costs_add_up_to_what_the_folds_lost(live: ms.WalkForward) -> None:
    paid = costs_paid(live)
    assert paid.fees == pytest.approx(live.metrics["fees"])
    assert paid.slippage == pytest.approx(live.metrics["slippage"])
    assert paid.net == pytest.approx(float((live.folds["oos_final_equity"] - live.spec.cash).sum()))


def test_a_notebook_shows_the_run(live: ms.WalkForward) -> None:
    shown = live._repr_html_()
    assert shown == summary_html(live)
    page = Page(shown)
    assert live.verdict.headline in page.text
    assert page.remote() == []
    assert "script" not in page.tags


class _Fails(ms.Strategy):
    """Breaks on windows that hold the crash of late 2008."""

    length = ms.Int(20, 5, 50)

    def warmup(self, params: Any) -> int:
        return int(params.length)

    def signals(self, bars: ms.Bars) -> ms.Signals:
        if bars.timestamp[-1] > np.datetime64("2008-10-15") and bars.timestamp[0] < np.datetime64("2007-06-01"):
            raise ValueError("<b>no prices</b> for this stretch")
        mean = ms.indicators.sma(bars.close, self.length)
        return ms.Signals.flip(bars.close > mean, bars.close < mean)


def test_failed_folds_of_a_real_run_are_shown() -> None:
    wf = ms.walk_forward(ms.load_sample("AAPL"), _Fails, trials=6, seed=0, workers=1)
    failed = len(wf.failed_folds)
    assert 0 < failed < len(wf.folds)
    page = Page(render(wf))
    assert page.text.count("Failed.") == failed
    assert "<b>no prices</b> for this stretch" in page.text
    assert f"of {len(wf.folds)} failed" in page.text


def test_synthetic_bars_are_called_so() -> None:
    bars = ms.synthetic_bars(3_000, 5, timeframe="1h")
    wf = ms.walk_forward(bars, "MACDStrategy", trials=5, seed=0, workers=1)
    assert wf.verdict.warnings[0].title == "Synthetic prices"
    assert not any("synthetic" in note for note in wf.verdict.notes)


@pytest.mark.skipif(not HOURLY.exists(), reason="the shared market data is not there")
@pytest.mark.parametrize("strategy", ["RSIStrategy", "GridTradingStrategy"])
def test_real_hourly_bars(strategy: str) -> None:
    bars = ms.load(HOURLY)[:20_000]
    wf = ms.walk_forward(bars, strategy, trials=10, seed=0, workers=1)
    text = render(wf)
    assert len(text.encode()) < 4_000_000
    page = Page(text)
    assert "8,760 bars a year" in page.text
    assert "volume" in page.text  # the change of the volume's unit in this file is a finding of its quality
    assert not math.isnan(gather(wf).benchmark_return)
