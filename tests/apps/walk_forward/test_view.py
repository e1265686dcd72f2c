"""The panes of the Walk-forward app: drawn when their tab is opened, in the theme of the page, for any result."""

from __future__ import annotations

from typing import Any

import pytest

import maestro as ms
from maestro.apps.walk_forward import session
from maestro.apps.walk_forward.job import Job
from maestro.apps.walk_forward.state import WalkForwardState
from maestro.apps.walk_forward.view import _TABS, WalkForwardView
from maestro.reports.figures.pareto import front_metrics, front_table, front_words


class Broken(ms.Strategy):
    n = ms.Int(5, 2, 9)

    def signals(self, bars: ms.Bars) -> ms.Signals:
        raise ZeroDivisionError("division by <b>zero</b>")


class Kinds(ms.Strategy):
    """Has no parameter that is a number."""

    side = ms.Choice("up", ("up", "down"))

    def signals(self, bars: ms.Bars) -> ms.Signals:
        up, down = bars.close > bars.open, bars.close < bars.open
        return ms.Signals.flip(up, down) if self.side == "up" else ms.Signals.flip(down, up)


@pytest.fixture
def view(wf: ms.WalkForward, job: Job) -> WalkForwardView:
    made = WalkForwardView()
    made.update(wf, job)
    return made


@pytest.fixture(scope="module")
def failed(bars: ms.Bars) -> tuple[ms.WalkForward, Job]:
    """A run in which every fold failed."""
    job = Job(WalkForwardState(own=Broken, trials=2), bars)
    return session.run(job.state, bars, keep=False), job


def opened(view: WalkForwardView, tab: str) -> None:
    view.tabs.active = _TABS.index(tab)


def test_nothing_is_shown_before_the_first_result() -> None:
    view = WalkForwardView()
    assert not view.result.visible
    for tab in range(len(view.tabs)):
        view.tabs.active = tab
    view.theme(True)
    view.show_fold(0)
    assert all(pane.object is None for pane in view.panes.values())


def test_a_tab_is_drawn_when_it_is_opened_and_only_then(view: WalkForwardView) -> None:
    panes = {
        "equity": ("equity", "drawdown"), "folds": ("fold",), "parameters": ("stability", "heat"),
        "trials": ("trials",), "pareto": ("front",), "samples": ("scatter", "degradation"),
    }  # fmt: skip
    seen = set()
    for tab, names in panes.items():
        opened(view, tab)
        seen |= set(names)
        assert {name for name, pane in view.panes.items() if pane.object is not None} == seen
    before = {name: pane.object for name, pane in view.panes.items()}
    for tab in panes:
        opened(view, tab)
    assert {name: pane.object for name, pane in view.panes.items()} == before, "drawn once"


def test_the_tables_have_a_row_per_fold_and_per_trial(view: WalkForwardView, wf: ms.WalkForward) -> None:
    opened(view, "folds")
    opened(view, "trials")
    assert len(view.folds.widget.value) == len(wf.folds) == 9
    assert len(view.trials.widget.value) == len(wf.trials) == 9 * 12
    assert "error" not in view.trials.widget.value.columns


def test_the_headline_has_the_figures_of_the_run(view: WalkForwardView, wf: ms.WalkForward, job: Job) -> None:
    text = view.headline.object
    assert text.startswith(f"<p class='run'>{job.title}</p>")
    for name, value in (("Trials", "108"), ("Folds", "9"), ("Run", wf.id[:8])):
        assert f"<span>{name}</span><b>{value}</b>" in text
    assert "The button <b>Verdict</b> makes all checks" in view.verdict.object


def test_a_click_on_a_row_draws_its_fold_and_a_row_that_is_gone_draws_nothing(
    view: WalkForwardView, wf: ms.WalkForward, job: Job
) -> None:
    opened(view, "folds")
    view.show_fold(2)
    figure = view.panes["fold"].object
    curve = session.fold_curve(wf, job.bars, 2, "EmaCrossStrategy")
    assert figure.renderers[-1].data_source.data["y"][-1] == curve["growth"][-1]
    view.show_fold(len(wf.folds))  # a click on the table of the result before, which had more folds
    assert view.panes["fold"].object is figure


def test_the_map_of_trials_follows_its_axes(view: WalkForwardView) -> None:
    assert (view.x.options, view.x.value, view.y.value) == (["fast", "slow"], "fast", "slow")
    view.x.value = "slow"
    assert view.panes["heat"].object is None, "its tab is not open"
    opened(view, "parameters")
    before = view.panes["heat"].object
    view.y.value = "fast"
    assert view.panes["heat"].object is not before


def test_the_front_of_any_fold_in_any_two_metrics(view: WalkForwardView, wf: ms.WalkForward) -> None:
    assert view.front_fold.options == wf.folds["fold"].to_list()
    opened(view, "pareto")
    assert (view.front_x.value, view.front_y.value) == front_metrics(wf)
    view.front_fold.value, view.front_y.value = 2, "volatility"
    table = front_table(wf, 2, (view.front_x.value, "volatility"))
    assert front_words(table) in view.front_words.object
    dots = [r.data_source.data["trial"] for r in view.panes["front"].object.renderers if "Scatter" in str(r.glyph)]
    assert {int(trial) for trials in dots for trial in trials} == set(table["trial"].to_list())
    view.front_y.value = view.front_x.value
    assert "two different metrics" in view.front_words.object
    assert view.panes["front"].object is None


def test_a_choice_of_metrics_survives_the_next_result(
    view: WalkForwardView, wf: ms.WalkForward, job: Job, bars: ms.Bars
) -> None:
    view.front_fold.value, view.front_y.value = 2, "volatility"
    view.update(wf, job)
    assert (view.front_fold.value, view.front_y.value) == (2, "volatility")
    fewer = Job(WalkForwardState(trials=3, splitter="rolling:3,2,1"), bars)
    view.update(session.run(fewer.state, bars, keep=False), fewer)
    assert (view.front_fold.value, view.front_y.value) == (1, "volatility"), "there is no fold 2 any more"


def test_every_tab_of_a_run_in_which_all_folds_failed_is_shown(failed: tuple[ms.WalkForward, Job]) -> None:
    wf, job = failed
    view = WalkForwardView()
    view.update(wf, job)
    for tab in range(len(view.tabs)):
        view.tabs.active = tab
    assert "<div role='alert' class='error'>9 folds of 9 failed. " in view.headline.object
    assert "<div role='status' class='warning'>Synthetic prices. " in view.headline.object
    assert "<b>9, 9 failed</b>" in view.headline.object
    assert "ZeroDivisionError" in view.folds.widget.value["error"][0]
    assert "error" in view.trials.widget.value.columns
    assert view.front_fold.options == list(range(9))


def test_a_strategy_without_numbers_has_no_map_of_trials(bars: ms.Bars) -> None:
    job = Job(WalkForwardState(own=Kinds, trials=2, search="random"), bars)
    view = WalkForwardView()
    view.update(session.run(job.state, bars, keep=False), job)
    opened(view, "parameters")
    assert (view.x.options, view.x.value, view.panes["heat"].object) == ([], None, None)
    assert view.panes["stability"].object is not None


def test_another_result_is_drawn_in_the_open_tab_and_closes_a_report(
    view: WalkForwardView, wf: ms.WalkForward, job: Job, failed: tuple[ms.WalkForward, Job]
) -> None:
    view.opened.put("<html lang='en'></html>", wf.id)
    assert (view.tabs._names[-1], view.tabs.active) == ("Report", _TABS.index("report"))
    view.update(wf, job)  # the same run again, now stored
    assert (view.tabs._names[-1], view.tabs.active) == ("Report", _TABS.index("report"))
    assert "srcdoc" in view.opened.frame.object
    view.update(*failed)
    assert len(view.tabs) == len(_TABS) - 1
    assert view.tabs.active == 0


def test_a_verdict_is_opened_and_replaces_the_preliminary_one(view: WalkForwardView, wf: ms.WalkForward) -> None:
    made = ms.verdict(wf, permutations=0, save=False)
    view.judged(made)
    assert view.tabs.active == _TABS.index("verdict")
    assert "The button <b>Verdict</b>" not in view.verdict.object
    assert f"<h3>{made.name}</h3>" in view.headline.object


def test_windows_are_drawn_and_hidden(bars: ms.Bars) -> None:
    view = WalkForwardView()
    view.show_windows(bars, session.windows("rolling:10,2,1", bars))
    assert view.windows.object is not None
    view.hide_windows()
    assert view.windows.object is None
    view.theme(True)
    assert view.windows.object is None, "no windows of the settings before"


def test_another_theme_draws_what_is_shown_again_and_keeps_the_message(view: WalkForwardView, bars: ms.Bars) -> None:
    view.show_windows(bars, session.windows("rolling:10,2,1", bars))
    view.message.say("Run 01234567 is interrupted; Resume continues it.", "info")
    before: dict[str, Any] = {"windows": view.windows.object, "equity": view.panes["equity"].object}
    view.theme(True)
    assert view.windows.object is not before["windows"]
    assert view.panes["equity"].object is not before["equity"]
    assert view.message.text == "Run 01234567 is interrupted; Resume continues it."
    opened(view, "trials")
    assert view.panes["trials"].object is not None
