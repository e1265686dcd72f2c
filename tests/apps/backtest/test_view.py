"""The panes of the Backtest app: updated in place, notes, trades to click, a kept backtest, and what went wrong."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import polars as pl
import pytest

import maestro as ms
from maestro.apps.backtest import session
from maestro.apps.backtest.heat_map import HeatMap
from maestro.apps.backtest.state import BacktestState
from maestro.apps.backtest.view import HEIGHT, BacktestView, _by_regime
from maestro.apps.chart import component
from maestro.apps.shared.indicator_panes import PANE
from maestro.apps.shared.stale import DIMMED

DAYS = ms.load_sample("AAPL")
HOURS = ms.synthetic_bars(600, seed=1)


class Never(ms.Strategy):
    """Has no signal."""

    def signals(self, bars: ms.Bars) -> ms.Signals:
        return ms.Signals(np.zeros(len(bars), dtype=bool))


class AlwaysShort(ms.Strategy):
    """Is ruined by a price that doubles."""

    def signals(self, bars: ms.Bars) -> ms.Signals:
        none = np.zeros(len(bars), dtype=bool)
        entry = none.copy()
        entry[1] = True
        return ms.Signals(none, none, entry, none)


@pytest.fixture
def state() -> BacktestState:
    return BacktestState()


@pytest.fixture
def view(state: BacktestState) -> BacktestView:
    return BacktestView(state, HeatMap(state))


def test_a_problem_before_the_first_result_marks_nothing_as_old(view: BacktestView) -> None:
    view.fail("there is no <b>file</b>")
    assert (view.message.text, view.stale.line.text) == ("there is no <b>file</b>", "")
    assert "<b>" not in view.message._line.object


def test_a_problem_dims_the_result_before_and_the_next_one_is_current(view: BacktestView, state: BacktestState) -> None:
    view.update(session.run(state, DAYS))
    view.fail("fast < slow is broken")
    assert view.stale.line.text == "This is the result of other settings; those of the controls cannot be computed."
    assert {part.styles["opacity"] for part in view.stale.content} == {DIMMED}
    view.update(session.run(state, DAYS))
    assert (view.message.text, view.stale.line.text) == ("", "")
    assert {part.styles["opacity"] for part in view.stale.content} == {"1"}


def test_the_same_bars_keep_their_candles_and_other_bars_do_not(view: BacktestView, state: BacktestState) -> None:
    view.update(session.run(state, DAYS))
    candles = view.chart.candles
    state.params = {"fast": 5}
    view.update(session.run(state, DAYS))
    assert view.chart.candles is candles, "the zoom stays"
    view.update(session.run(state, HOURS))
    assert len(view.chart.candles["time"]) == len(HOURS)


def test_the_chart_grows_with_its_panes(view: BacktestView, state: BacktestState) -> None:
    view.update(session.run(state, DAYS))
    assert view.chart.height == HEIGHT
    state.indicators = ["RSI 14", "ATR 14"]
    view.update(session.run(state, DAYS))
    assert view.chart.height == HEIGHT + 2 * PANE


def test_a_click_on_a_trade_goes_there(view: BacktestView, state: BacktestState) -> None:
    view._clicked(SimpleNamespace(row=0))
    assert view.chart.window is None, "there is no trade yet"
    shown = session.run(state, DAYS)
    view.update(shown)
    view._clicked(SimpleNamespace(row=0))
    last = shown.bt.trades.row(-1, named=True)
    start, end = view.chart.window
    assert start <= last["entry_time"].timestamp() < last["exit_time"].timestamp() <= end
    before = view.chart.window
    view._clicked(SimpleNamespace(row=len(shown.bt.trades)))  # on the table of a backtest with more trades
    assert view.chart.window is before


def test_trades_are_listed_newest_first_with_dates_for_days_and_times_for_hours(
    view: BacktestView, state: BacktestState
) -> None:
    shown = session.run(state, DAYS)
    view.update(shown)
    table = view.trades.widget
    assert table.value["trade"].tolist() == list(range(len(shown.bt.trades), 0, -1))
    assert table.formatters["entry_time"].format == "%Y-%m-%d"
    view.update(session.run(state, HOURS))
    assert view.trades.widget.formatters["entry_time"].format == "%Y-%m-%d %H:%M"


def test_a_rule_that_never_trades_has_an_empty_table(view: BacktestView) -> None:
    view.update(session.run(BacktestState(own=Never), DAYS))
    assert len(view.trades.widget.value) == 0
    assert "<td>Trades</td><td>0</td>" in view.metrics.object


def test_trades_that_the_chart_does_not_mark_are_noted(
    view: BacktestView, state: BacktestState, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown = session.run(state, DAYS)
    view.update(shown)
    assert "are in the table only" not in view.notes.text
    monkeypatch.setattr(component, "MARKED", 3)
    view.update(shown)
    assert f"the first {len(shown.bt.trades) - 3} trades are in the table only" in view.notes.text


def test_ruin_is_an_error_and_other_notes_are_information(view: BacktestView, state: BacktestState) -> None:
    view.update(session.run(state, HOURS))
    assert view.ruin.text == ""
    assert "synthetic" in view.notes.text
    assert "class='info'" in view.notes._line.object
    shown = session.run(BacktestState(own=AlwaysShort), DAYS)
    assert shown.bt.metrics["ruined"]
    view.update(shown)
    assert "ruined" in view.ruin.text
    assert "ruined" not in view.notes.text
    assert "class='error'" in view.ruin._line.object


def test_a_kept_backtest_is_named_with_what_differs(view: BacktestView, state: BacktestState) -> None:
    view.update(session.run(state, DAYS))
    assert not view.drop.visible
    assert "<th>kept</th>" not in view.metrics.object
    view.keep.clicks += 1
    state.param.update(params={"fast": 5}, fee=0.002, cash=5_000.0, fill="close", sizing="percent:0.5")
    view.update(session.run(state, DAYS))
    assert view.drop.visible
    assert "<th>kept</th>" in view.metrics.object
    kept = view.headline.object.split("Kept: ")[1]
    for text in ("fee 0.100", "size percent:1", "cash 100,000", "fills at the next open"):
        assert text in kept
    view.drop.clicks += 1
    view.update(session.run(state, DAYS))
    assert not view.drop.visible
    assert "Kept: " not in view.headline.object


def test_a_kept_backtest_with_the_same_costs_names_only_the_rule(view: BacktestView, state: BacktestState) -> None:
    state.keep()
    state.params = {"fast": 5}
    view.update(session.run(state, DAYS))
    assert view.headline.object.endswith("</b>")


def test_performance_by_regime_has_a_column_per_state(view: BacktestView, state: BacktestState) -> None:
    table = pl.DataFrame(
        {
            "state": [None, 0], "share": [0.25, 0.75], "annual_return": [0.1, None], "volatility": [0.2, 0.1],
            "sharpe_ratio": [1.0, 2.0], "win_rate": [None, 0.5], "trades": [1_200, 3], "fees": [1.5, 0.0],
        }
    )  # fmt: skip
    text = _by_regime(table)
    assert "<th>no state yet</th><th>state 0</th>" in text
    assert "<td>Share of bars</td><td>25 %</td><td>75 %</td>" in text.replace("\N{NO-BREAK SPACE}", " ").replace(
        "\N{NARROW NO-BREAK SPACE}", " "
    )
    assert "<td>Trades</td><td>1,200</td><td>3</td>" in text
    view.update(session.run(state, DAYS))
    assert (view.regime_card.visible, view.regimes.object) == (False, "")


def test_names_stay_text(view: BacktestView, state: BacktestState) -> None:
    bars: Any = ms.Bars.from_frame(HOURS.to_frame(), provider="TEST", symbol="<i>X</i>", timeframe="1h")
    view.update(session.run(state, bars))
    assert "TEST:&lt;i&gt;X&lt;/i&gt;:1h, 600 bars" in view.headline.object
