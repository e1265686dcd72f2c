"""The Backtest app without a browser: it shows what `ms.backtest` gives, says what goes wrong, and lives on."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from bokeh.models import GlyphRenderer

import maestro as ms
from maestro.apps.backtest import App, session
from maestro.apps.backtest.state import BacktestState


def shown(app: App) -> session.BacktestResult:
    assert app.view._shown is not None
    return app.view._shown


class Touchy(ms.Strategy):
    """Buys at once; raises an unexpected error if asked to."""

    fail = ms.Bool(False)

    def signals(self, bars: ms.Bars) -> ms.Signals:
        if self.fail:
            raise ZeroDivisionError("by <b>zero</b>")
        none = np.zeros(len(bars), dtype=bool)
        entry = none.copy()
        entry[1] = True
        return ms.Signals(entry, none, none, none)


def test_the_screen_shows_the_numbers_of_the_frozen_python() -> None:
    app = App(params={"fast": 7, "slow": 40}, fee=0.002, sizing="percent:0.5", cash=5_000.0, start="2004", end="2010")
    names: dict[str, Any] = {}
    exec(app.state.python(), names)
    other, own = names["bt"], shown(app)
    assert own.bt.metrics == other.metrics
    assert own.bt.trades.equals(other.trades)
    assert own.table == session.table(other)
    assert len(app.view.trades.widget.value) == len(other.trades) > 3
    by_name = {line.name: line for pane in own.panes for line in pane.lines}
    np.testing.assert_array_equal(by_name["equity"].values, other.equity["equity"].to_numpy())
    np.testing.assert_array_equal(by_name["drawdown"].values, other.equity["drawdown"].to_numpy())


def test_regimes_are_drawn_and_performance_is_split_by_them() -> None:
    names: dict[str, Any] = {}
    app = App()
    assert shown(app).by_regime is None
    assert not app.view.regime_card.visible
    app.state.regimes = True
    exec(app.state.python(), names)
    own = shown(app)
    assert own.panes[-1].name == "regimes"
    assert own.by_regime is not None
    assert own.by_regime.equals(ms.validation.by_regime(names["bt"], train="1y", refit="3mo"))
    assert own.by_regime["bars"].sum() == len(own.bt.bars)
    assert own.by_regime["trades"].sum() == own.bt.metrics["num_trades"]
    assert app.view.regime_card.visible
    assert "<th>state 1</th>" in app.view.regimes.object
    app.state.param.update(start="2010-06", end="2010-06-20", params={"fast": 2, "slow": 5})
    assert "Regimes: the bars from" in app.view.message.text
    assert shown(app).by_regime is None


def test_a_control_moves_the_result_and_keeps_the_components() -> None:
    app = App()
    before, chart, table = shown(app), app.view.chart, app.view.trades.widget
    app.rule.widgets["fast"].value += 3
    assert shown(app) is not before
    assert shown(app).bt.metrics["total_return"] != before.bt.metrics["total_return"]
    assert app.view.chart is chart
    assert app.view.trades.widget is table
    assert app.settings()["params"]["fast"] == app.rule.widgets["fast"].value


def test_costs_of_a_venue_hold_until_others_are_entered() -> None:
    app = App()
    app.trade.venue.value = "BINANCE-PERPETUAL"
    costs = ms.Costs.of("BINANCE-PERPETUAL")
    assert (app.state.fee, app.state.slippage) == (costs.fee, costs.slippage)
    assert (float(app.trade.widgets["fee"].value), shown(app).bt.costs) == (costs.fee, costs)
    app.trade.widgets["fee"].value = "0.003"
    assert app.trade.venue.value == "as below"
    assert shown(app).bt.costs.fee == 0.003


def test_two_visitors_do_not_disturb_each_other() -> None:
    one, other = App(), App()
    before, settings = shown(other), other.settings()
    one.state.params = {"fast": 5}
    one.state.fee = 0.01
    assert shown(other) is before
    assert other.settings() == settings


def test_an_error_of_a_user_defined_rule_is_shown_and_the_app_continues() -> None:
    app = App(ms.load_sample("AAPL"), own=Touchy)
    before = shown(app)
    assert app.view.message.text == ""
    app.state.params = {"fail": True}
    output = "Touchy raised ZeroDivisionError: by <b>zero</b> (test_app.py, line "
    assert app.view.message.text.startswith(output)
    assert "<b>" not in app.view.message._line.object
    assert shown(app) is before
    app.state.params = {}
    assert app.view.message.text == ""
    assert shown(app) is not before


@pytest.mark.parametrize(
    "change",
    [
        {"data": "sample:VANISHED"},
        {"data": "/no/such/file.parquet"},
        {"params": {"fast": 60, "slow": 20}},
        {"params": {"nonsense": 1}},
        {"strategy": "Nobody"},
        {"sizing": "a lot"},
        {"start": "no date"},
    ],
)
def test_an_error_is_shown_and_the_next_change_works(change: dict[str, Any]) -> None:
    app = App()
    usual = {name: app.settings()[name] for name in change}
    app.state.param.update(**change)
    assert app.view.message.text
    app.state.param.update(**usual)
    assert app.view.message.text == ""
    assert shown(app).bt.metrics == ms.backtest(ms.load_sample("AAPL"), "EmaCrossStrategy").metrics


def test_a_trade_is_shown_with_its_surroundings() -> None:
    bt = session.run(BacktestState(), ms.load_sample("AAPL")).bt
    for trade in session.trades(bt).iter_rows(named=True):
        start, end = session.window(bt, trade)
        assert bt.bars.time[0] <= start <= int(trade["entry_time"].timestamp() * 1e6)
        assert int(trade["exit_time"].timestamp() * 1e6) <= end <= bt.bars.time[-1]
        assert start < end


class WithTheDay(ms.Strategy):
    """Follows the trend of the day."""

    trend = ms.Int(5, 3, 20)

    def _average(self, bars: ms.Bars) -> Any:
        day = bars.higher("1d")
        return day.at(ms.indicators.sma(day.close, self.trend))

    def signals(self, bars: ms.Bars) -> ms.Signals:
        return ms.Signals.flip(bars.close > self._average(bars), bars.close < self._average(bars))

    def overlays(self, bars: ms.Bars) -> list[ms.Overlay]:
        return [ms.Overlay("daily", self._average(bars), steps=True), ms.Overlay("close", bars.close)]


def test_values_of_a_longer_timeframe_are_drawn_as_steps() -> None:
    bt = ms.backtest(ms.synthetic_bars(500, seed=1), WithTheDay())
    daily, close = session.panes(bt)[0].lines
    assert daily.message()["options"] == {"lineType": 1}
    assert "lineType" not in close.message()["options"]
    kinds = {
        type(renderer.glyph).__name__ for renderer in ms.reports.backtest_figure(bt).select({"type": GlyphRenderer})
    }
    assert {"Step", "Line"} <= kinds


def test_bars_per_year_annualise_the_figures_and_are_part_of_what_is_frozen() -> None:
    page = App(data="sample:AAPL", end="2005")
    usual = shown(page).bt
    assert (page.picker.per_year.value, usual.bars.periods_per_year) == ("", 252)
    page.picker.per_year.value = "365"
    bt = shown(page).bt
    assert bt.bars.periods_per_year == 365
    assert bt.metrics["volatility"] == pytest.approx(usual.metrics["volatility"] * (365 / 252) ** 0.5)
    assert "annual figures are those of 365 bars a year, as set" in page.view.notes.text
    assert "periods_per_year=365.0" in page.state.python()
    assert "periods_per_year=365" in page.state.link()
    for refused in ("0", "-1", "many", "inf"):
        page.picker.per_year.value = refused
        assert page.picker.refused.text.startswith(f"Bars per year: '{refused}' is not allowed")
        assert (page.picker.per_year.value, page.state.periods_per_year) == ("365", 365)
    page.picker.per_year.value = ""
    assert (page.state.periods_per_year, shown(page).bt.metrics) == (None, usual.metrics)
    assert "as set" not in page.view.notes.text


@pytest.mark.parametrize("kind", ["backtest", "walk_forward", "market"])
def test_settings_name_the_bars_that_were_handed_over(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    bars = ms.load("sample:IBM", start="2009", periods_per_year=250)[5:]
    settings = ms.app(kind, bars).settings()
    again = ms.load(settings["data"])
    assert (again.fingerprint, again.periods_per_year) == (bars.fingerprint, 250)
    assert settings["periods_per_year"] is None


def test_a_refused_entry_is_named_until_another_setting_is_taken() -> None:
    app = App()
    app.trade.widgets["fee"].value = "0.9"
    assert app.trade.problem.text.startswith("Fee per side: '0.9' is not allowed")
    app.rule.widgets["fast"].value = 33
    assert app.trade.problem.text == ""
    app.rule.typed["fast"].box.value = "many"
    app.trade.size.text.value = "half"
    assert app.rule.refused.text
    assert app.trade.size.problem.text
    app.trade.widgets["cash"].value = "5,000"
    assert (app.rule.refused.text, app.trade.size.problem.text) == ("", "")


@pytest.mark.parametrize("cash", ["1e300", "1e-300", "0"])
def test_no_box_takes_an_amount_that_cannot_be_simulated(cash: str) -> None:
    app = App()
    app.trade.widgets["cash"].value = cash
    assert app.trade.problem.text.endswith("is not allowed: give an amount above 0, up to 1e100. 100000 is kept.")
    assert app.view.message.text == ""
    for amount in (1e-100, 1e100):
        app.state.cash = amount
        assert app.view.message.text == ""


def test_a_refused_file_leaves_the_page_as_it_was() -> None:
    app = App()
    before = shown(app)
    for name, content in (("empty.csv", b""), ("book.xlsx", b"PK"), ("torn.csv", b"timestamp,open\n1,x\n")):
        app.picker.file._handle_msg({"status": "initializing"})
        app.picker.file.param.update(filename=name, value=content)
        if not content:  # a browser sends no part of an empty file
            app.picker.file._handle_msg({"status": "finished"})
        assert app.picker.upload_problem.text
        app.rule.widgets["fast"].value += 1
        assert shown(app) is not before
        assert (app.view.message.text, app.picker.upload_problem.text) == ("", "")
        before = shown(app)
