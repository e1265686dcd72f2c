"""Settings of the apps: a link is read back the same, and what it cannot hold is reported."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl

import pytest
import yaml

import maestro as ms
from maestro.apps.backtest.state import BacktestState
from maestro.apps.many.state import ManyState
from maestro.apps.market.state import MarketState
from maestro.apps.runs.state import RunsState
from maestro.apps.shared.state import AppState
from maestro.apps.walk_forward.state import WalkForwardState
from maestro.errors import StrategyError
from maestro.reports.notebooks.running import find_notebook, notebook_parameters

CHANGED: list[tuple[type[AppState], dict[str, Any]]] = [
    (MarketState, {"data": "TEST:A&B=C:1h", "start": "2020-01", "end": "2021"}),
    (BacktestState, {"data": "/some where/ü+&?#.csv", "params": {"fast": 7, "slow": 2.5}, "fee": 0.0, "fill": "close"}),
    (BacktestState, {"strategy": "RSIStrategy", "cash": 5.0, "sizing": "units:2"}),
    (WalkForwardState, {"splitter": "calendar:6mo,1mo", "trials": 7, "seed": 3}),
    (BacktestState, {"periods_per_year": 365.0}),
]


@pytest.mark.parametrize(("kind", "changes"), CHANGED)
def test_a_link_gives_the_same_settings_again(kind: type[AppState], changes: dict[str, Any]) -> None:
    state, other = kind(**changes), kind()
    assert other.read(dict(parse_qsl(state.link()[1:]))) == []
    assert other.settings() == state.settings()
    assert state.settings() | changes == state.settings()
    always = {"strategy"} & set(state.settings())
    assert set(dict(parse_qsl(kind().link()[1:]))) == always
    assert set(dict(parse_qsl(state.link()[1:]))) == set(changes) | always


@pytest.mark.parametrize(("kind", "changes"), CHANGED)
def test_papermill_gets_the_same_values(kind: type[AppState], changes: dict[str, Any]) -> None:
    state = kind(**changes)
    assert yaml.safe_load(state.papermill()) == state.frozen()
    assert state.settings().items() >= state.frozen().items() >= changes.items()
    compile(state.python(), "frozen", "exec")


def test_refused_settings_of_a_link_are_reported_and_change_nothing() -> None:
    state = BacktestState()
    before = state.settings()
    problems = state.read(
        {"colour": "red", "fee": "much", "cash": "-1", "params": "{broken", "fill": "never", "name": "x"}
    )
    assert len(problems) == 6
    hostile = {"params": '{"fast": 1e999}', "fee": "NaN", "cash": "[" * 100_000}
    refused = state.read(hostile)
    assert [output.partition("=")[0] for output in refused] == list(hostile)
    assert all("in the link is not valid: give " in output and len(output) < 190 for output in refused)
    assert "colour" in problems[0]
    assert state.settings() == before
    assert state.read({"theme": "dark"}) == []


def test_frozen_python_gives_the_bars_of_the_screen() -> None:
    names: dict[str, Any] = {}
    exec(MarketState(data="sample:IBM", start="2005", end="2006").python(), names)
    assert names["bars"].fingerprint == ms.load("sample:IBM", start="2005", end="2006").fingerprint


def test_a_strategy_is_found_by_name_and_a_class_of_ones_own_by_its() -> None:
    class Mine(ms.Strategy):
        def signals(self, bars: ms.Bars) -> ms.Signals:
            raise NotImplementedError

    assert BacktestState(Mine).chosen() is Mine
    assert BacktestState(strategy="RSIStrategy").chosen().__name__ == "RSIStrategy"
    with pytest.raises(StrategyError, match=r"there is no strategy 'RSIStrateg'.*RSIStrategy"):
        BacktestState(strategy="RSIStrateg").chosen()


@pytest.mark.parametrize("kind", [MarketState, BacktestState, WalkForwardState])
def test_the_notebook_of_an_app_takes_what_its_screen_freezes(kind: type[AppState]) -> None:
    found = find_notebook(kind.notebook)
    assert found is not None
    taken = notebook_parameters(found)
    assert {name: taken[name].default for name in kind().frozen()} == kind().frozen()


def test_settings_of_another_app_change_what_travels_and_nothing_else() -> None:
    state = WalkForwardState(strategy="EmaCrossStrategy", splitter="rolling:5,2,1", trials=7, params={"fast": 9})
    state.space = {"slow": [20, 60, 10]}
    state.follow({"data": "sample:IBM", "fee": "0.002", "journey": '{"strategy":"EmaCrossStrategy"}'})
    assert (state.data, state.fee, state.splitter, state.trials) == ("sample:IBM", 0.002, "rolling:5,2,1", 7)
    assert (state.params, state.space) == ({"fast": 9}, {"slow": [20, 60, 10]}), "fixed here, and searched here"
    assert state.carried == {"strategy": "EmaCrossStrategy"}
    state.follow({"strategy": "SmaCrossStrategy"})
    assert (state.data, state.fee, state.strategy, state.params, state.space) == (
        "sample:AAPL", 0.001, "SmaCrossStrategy", {}, {},
    )  # fmt: skip
    assert state.carried == {}


def test_a_heat_map_goes_with_its_strategy() -> None:
    state = BacktestState(strategy="EmaCrossStrategy", heat_map=["fast", "slow", "sharpe_ratio"])
    state.follow({"data": "sample:IBM"})
    assert state.heat_map
    state.follow({"strategy": "BollingerBandsStrategy"})
    assert state.heat_map == []


def test_a_page_without_settings_that_travel_keeps_its_own() -> None:
    state = RunsState(text="aapl", runs=["a"])
    state.follow({"journey": '{"data":"sample:IBM"}'})
    assert (state.text, state.runs, state.carried) == ("aapl", ["a"], {"data": "sample:IBM"})


@pytest.mark.parametrize("kind", [WalkForwardState, RunsState, ManyState])
def test_an_app_begins_with_the_configured_folder_of_runs_and_links_keep_any_other(
    kind: type[AppState], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert kind().settings()["runs_dir"] == "runs"
    monkeypatch.setenv("MAESTRO_RUNS_DIR", "/elsewhere/kept")
    assert kind().settings()["runs_dir"] == "/elsewhere/kept"
    assert "runs_dir" not in kind().link()
    state, other = kind(runs_dir="runs"), kind()
    assert other.read(dict(parse_qsl(state.link()[1:]))) == []
    assert other.settings()["runs_dir"] == "runs"
    state.restore({})
    assert state.settings()["runs_dir"] == "/elsewhere/kept"


@pytest.mark.parametrize(
    ("kind", "name", "text", "allowed"),
    [
        (BacktestState, "fee", "9", "give a number of at least -0.01 and below 0.5"),
        (BacktestState, "params", "{bad", 'give such as {"fast": 10}'),
        (BacktestState, "fill", "never", "give next_open or close"),
        (WalkForwardState, "trials", "0", "give a whole number of at least 1"),
        (WalkForwardState, "seed", "-1", "give a whole number of at least 0 and at most 4294967295"),
        (MarketState, "periods_per_year", "0", "give a number above 0"),
        (MarketState, "regimes", "yes", "give true or false"),
        (ManyState, "only", "foo", "give below, remaining or failed"),
        (RunsState, "runs", "7", 'give a list such as ["a", "b"]'),
    ],
)
def test_what_a_link_may_have_instead_is_named(kind: type[AppState], name: str, text: str, allowed: str) -> None:
    assert kind().read({name: text}) == [f"{name}={text!r} in the link is not valid: {allowed}"]
