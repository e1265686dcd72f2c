"""Settings travel from app to app by the links of the menu and of buttons."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import unescape
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest

from maestro.apps.backtest import App as BacktestApp
from maestro.apps.market.app import App as MarketApp
from maestro.apps.serving import served_app
from maestro.apps.shared.address import query_of
from maestro.apps.shared.journey import link_to, settings_from
from maestro.apps.shared.page import APPS, menu_text
from maestro.apps.shared.state import SERIES, TRADE
from maestro.apps.shared.strategy_files import FILES
from maestro.apps.walk_forward.app import App as WalkForwardApp

SETTINGS: dict[str, Any] = {
    "data": "sample:IBM", "start": "2005-02-01", "end": None, "periods_per_year": 300.0, "strategy": "MaCrossStrategy",
    "params": {"fast": 7, "slow": 40}, "fee": 0.002, "slippage": 0.0, "sizing": "percent:0.5", "cash": 5_000.0,
    "fill": "next_open",
}  # fmt: skip


def query(address: str) -> dict[str, str]:
    return dict(parse_qsl(urlsplit(address).query, keep_blank_values=True))


def travelled(app: Any) -> dict[str, Any]:
    """Settings of an app that others have too."""
    return {name: value for name, value in app.settings().items() if name in TRADE}


def href(text: str, of: str) -> str:
    """Address of the link with this text."""
    found = re.search(rf"href=['\"]([^'\"]*)['\"][^>]*>{re.escape(of)}<", text)
    assert found is not None, text
    return unescape(found[1])


def menu(name: str, app: Any, to: str) -> dict[str, str]:
    return query(href(menu_text(name, app.state), APPS[to]))


@pytest.mark.parametrize("through", ["market", "walk_forward", "many", "runs"])
def test_the_settings_of_a_backtest_come_back_through_every_other_app(
    through: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import importlib

    monkeypatch.chdir(tmp_path)
    there = importlib.import_module(f"maestro.apps.{through}").App(query=query(link_to(through, SETTINGS)))
    back = menu(through, there, "backtest")
    assert "journey" not in back
    assert travelled(BacktestApp(query=back)) == SETTINGS


def test_a_walk_forward_searches_what_a_backtest_has_set_by_hand() -> None:
    app = BacktestApp(**SETTINGS)
    there = query(href(app.onward.object, "Walk this forward"))
    walked = WalkForwardApp(query={**there, "splitter": "rolling:3,2,1", "trials": "4"})
    assert not walked.problems
    assert walked.state.params == {}
    assert walked.state.strategy == "MaCrossStrategy"
    assert walked.wf is not None
    assert set(walked.wf.spec.space) >= {"fast", "slow"}
    back = query(href(walked.onward.object, "Backtest the last fold's choice"))
    backtest = BacktestApp(query=back)
    row = walked.wf.folds.row(-1, named=True)
    assert [backtest.state.params[name] for name in ("fast", "slow")] == [row["fast"], row["slow"]]
    assert {**travelled(backtest), "params": 0} == {**SETTINGS, "params": 0}


def test_the_market_app_carries_what_it_does_not_use() -> None:
    market = MarketApp(query=query(link_to("market", SETTINGS)))
    assert travelled(market) == {name: SETTINGS[name] for name in SERIES}
    market.state.data = "sample:AAPL"
    assert {"fill": "next_open", **settings_from(market.state)} == {**SETTINGS, "data": "sample:AAPL"}
    torn = MarketApp(query={"journey": "[1"})
    assert torn.view.message.text == "the settings of another app in the link cannot be read"


def test_parameters_of_another_strategy_do_not_come_along() -> None:
    walked = WalkForwardApp(query=query(link_to("walk_forward", SETTINGS)), splitter="rolling:3,2,1", trials=2)
    walked.state.strategy = "RSIStrategy"
    assert settings_from(walked.state)["params"] == {}


def test_links_name_the_strategy_and_what_differs_from_the_defaults() -> None:
    settings = settings_from(BacktestApp().state)
    direct, carried = {"strategy": "EmaCrossStrategy"}, {"journey": '{"strategy":"EmaCrossStrategy"}'}
    named = {app: query(link_to(app, settings)) for app in APPS}
    assert named == {app: direct if app in ("backtest", "walk_forward") else carried for app in APPS}
    assert [link_to(app, {}) for app in APPS] == [f"./{app}" for app in APPS]


OWN = """
import maestro as ms

class Mine(ms.Strategy):
    length = ms.Int(20, low=5, high=60)

    def signals(self, bars):
        average = ms.indicators.sma(bars.close, self.length)
        return ms.Signals(entries=bars.close > average, exits=bars.close < average)
"""


@pytest.fixture
def begins_with(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Name of the strategy that the pages of this server begin with: ``maestro app --strategy mine.py``."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine.py").write_text(OWN)
    FILES.offer("mine.py")
    yield "mine.py:Mine"
    FILES.clear()


def opened(app: str, search: str) -> Any:
    """App of a page of this server with such an address."""
    return served_app(app, query_of(search))


@pytest.mark.parametrize("app", ["backtest", "walk_forward"])
def test_links_keep_a_built_in_strategy_where_the_server_begins_with_another(app: str, begins_with: str) -> None:
    assert opened(app, "").state.strategy == begins_with
    search = "?strategy=EmaCrossStrategy&data=sample:GOOG"
    page = opened(app, search)
    assert opened(app, page.state.link()).settings() == page.settings(), "a reload"
    for through in APPS:
        there = opened(through, urlsplit(link_to(through, settings_from(page.state))).query)
        for to in ("backtest", "walk_forward"):
            assert menu(through, there, to)["strategy"] == "EmaCrossStrategy"
            assert opened(to, f"?{urlencode(menu(through, there, to))}").state.strategy == "EmaCrossStrategy"
    page.state.restore(query_of("?data=sample:GOOG"))
    assert page.state.strategy == begins_with, "as a new page of that address"
    other = opened(app, "")
    other.state.follow(query_of(search))
    assert other.state.strategy == "EmaCrossStrategy"
    other.state.follow(query_of("?data=sample:GOOG"))
    assert other.state.strategy == begins_with


def test_a_built_in_strategy_goes_on_and_back_where_the_server_begins_with_another(begins_with: str) -> None:
    page = opened("backtest", "?strategy=EmaCrossStrategy&data=sample:GOOG")
    there = opened("walk_forward", f"{href(page.onward.object, 'Walk this forward')[14:]}&trials=3")
    assert there.state.strategy == "EmaCrossStrategy"
    assert there.wf is not None
    back = opened("backtest", href(there.onward.object, "Backtest the last fold's choice").partition("?")[2])
    assert back.state.strategy == "EmaCrossStrategy"
    assert not back.view.message.text


def test_a_slider_leaves_no_dust_in_a_link() -> None:
    app = BacktestApp(strategy="BollingerBandsStrategy")
    name = next(name for name, one in app.state.chosen().declared.items() if one.kind == "float")
    app.rule.widgets[name].value = 0.1 + 0.2 + 2.0
    assert app.state.params[name] == 2.3
