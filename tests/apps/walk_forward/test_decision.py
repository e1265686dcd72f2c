"""The Decision tab without a browser: measured in a thread, for the run that is shown, and emptied by another."""

from __future__ import annotations

import re

import maestro as ms
from maestro.apps.walk_forward.app import App
from maestro.apps.walk_forward.decision import DecisionTab
from tests.apps.walk_forward.conftest import ended
from tests.support.patience import GIVE_UP


def text_of(tab: DecisionTab) -> str:
    return re.sub(r"<[^>]+>", " ", " ".join(pane.object for pane in tab.body if isinstance(pane.object, str)))


def test_the_run_that_is_shown_is_measured(bars: ms.Bars, finished_page: App) -> None:
    app, tab = finished_page, finished_page.view.decision
    assert app.wf is not None
    assert len(tab.body) == 0
    tab.begin()
    assert tab.button.disabled
    tab.wait(GIVE_UP)
    tab.look()
    assert tab.measured is not None
    assert tab.measured.found["now"].params == app.wf.now(bars).params
    text = text_of(tab)
    for title in (
        "What to trade now",
        "Concentration of profit",
        "Monte Carlo of the trades",
        "Random entries",
        "Regimes",
    ):
        assert title in text
    assert f"p = {tab.measured.found['random_entries'].pvalue:.3g}" in text
    assert not tab.button.disabled
    light = tab.body[-2].object
    app.view.theme(True)
    assert tab.body[-2].object is not light
    assert text_of(tab) == text


def test_another_run_ends_the_measurement_and_empties_the_tab(finished_page: App) -> None:
    app, tab = finished_page, finished_page.view.decision
    tab.begin()
    app.state.strategy = "RSIStrategy"
    app.begin()
    ended(app)
    assert tab.measured is None
    assert len(tab.body) == 0
    assert not tab.button.disabled
    assert app.wf is not None
    assert app.wf.spec.strategy == "RSIStrategy"
    tab.begin()  # the other measurement may not have ended yet
    tab.wait(GIVE_UP)
    tab.look()
    assert tab.measured is not None
    assert tab.measured.found["now"].strategy == "RSIStrategy"


def test_a_failure_is_shown(bars: ms.Bars, finished_page: App) -> None:
    app, tab = finished_page, finished_page.view.decision
    app.job.bars = bars[:2_000]  # type: ignore[union-attr]
    tab.begin()
    tab.wait(GIVE_UP)
    tab.look()
    assert tab.measured is None
    assert "bars" in tab.message.text
