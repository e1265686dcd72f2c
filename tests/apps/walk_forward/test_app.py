"""The Walk-forward app without a browser: a result keeps the settings that it was computed with."""

from __future__ import annotations

from pathlib import Path

import pytest

import maestro as ms
from maestro._core.formatting import duration
from maestro.apps.walk_forward import session
from maestro.apps.walk_forward.app import App
from maestro.apps.walk_forward.job import Job
from maestro.apps.walk_forward.state import WalkForwardState
from maestro.apps.walk_forward.view import _TABS
from maestro.reports.figures.pareto import front_metrics, front_table, front_words
from tests.support.patience import GIVE_UP


@pytest.fixture(scope="module")
def bars() -> ms.Bars:
    return ms.synthetic_bars(3_000, seed=5)


def page_of(bars: ms.Bars, folder: Path, **settings: object) -> App:
    made = App(bars, runs_dir=str(folder), **{"trials": 5, **settings})
    made.live.value = False
    return made


def ended(page: App) -> None:
    page.runner.wait(GIVE_UP)
    page.look()


def test_a_job_has_the_id_of_its_run_and_ignores_later_changes(bars: ms.Bars) -> None:
    state = WalkForwardState(trials=4, params={"fast": 7})
    job = Job(state, bars)
    state.param.update(strategy="RSIStrategy", params={}, trials=9)
    wf = session.run(job.state, bars, keep=False)
    assert (wf.id, len(wf.folds), wf.spec.strategy) == (job.id, job.folds, "EmaCrossStrategy")
    assert job.id != Job(state, bars).id
    assert job.title.startswith(f"EmaCrossStrategy on {bars.name}, 2020-01-01 to")
    assert "windows rolling:10,2,1; tpe, 4 trials per fold, seed 0" in job.title
    assert job.effort.startswith("9 folds, ")


def test_durations_have_a_readable_unit() -> None:
    assert [duration(seconds) for seconds in (3.2, 240, 9_000)] == ["3 s", "4 min", "2.5 h"]


@pytest.mark.parametrize(("name", "refused"), [("trials", "0"), ("trials", "-3"), ("seed", "-1"), ("seed", "2.5")])
def test_a_refused_number_is_named_each_time_and_the_old_one_stays(
    name: str, refused: str, bars: ms.Bars, tmp_path: Path
) -> None:
    page = page_of(bars, tmp_path)
    box, held = getattr(page, name), getattr(page.state, name)
    for _ in range(2):
        page.refused.say()
        box.value = refused
        assert page.refused.text.startswith(f"{box.label}: '{refused}' is not allowed: give a whole number")
        assert (box.value, getattr(page.state, name)) == (str(held), held)
    box.value = "1,234"
    assert (box.value, getattr(page.state, name), page.refused.text) == ("1234", 1_234, "")


def test_failed_folds_and_ruin_are_errors_and_other_warnings_are_not(bars: ms.Bars, tmp_path: Path) -> None:
    class Broken(ms.Strategy):
        n = ms.Int(5, 2, 9)

        def signals(self, bars: ms.Bars) -> ms.Signals:
            raise ZeroDivisionError("division by zero")

    shown = App(bars, own=Broken, trials=2, runs_dir=str(tmp_path)).view.headline.object
    assert "<div role='alert' class='error'>9 folds of 9 failed. " in shown
    assert "<div role='status' class='warning'>Synthetic prices. " in shown


def test_a_strategy_changed_during_a_run_does_not_reach_its_result(bars: ms.Bars, tmp_path: Path) -> None:
    page = page_of(bars, tmp_path)
    shown = page.wf
    page.begin()
    page.state.strategy = "RSIStrategy"
    ended(page)
    assert page.wf is not None
    assert page.wf is not shown
    assert page.wf.spec.strategy == "EmaCrossStrategy"
    assert page.view.headline.object.startswith("<p class='run'>EmaCrossStrategy on")
    assert page.view.stale.line.text.startswith("Computed with other settings; Start computes these (9 folds, ")
    assert page.view.result.styles["opacity"] == "0.45"
    page.view.show_fold(2)  # with the strategy of the run: RSIStrategy has no parameter "fast"
    curve = session.fold_curve(page.wf, bars, 2, "EmaCrossStrategy")
    drawn = page.view.panes["fold"].object.renderers[-1].data_source.data["y"]
    assert drawn[-1] == curve["growth"][-1]
    page.state.strategy = "EmaCrossStrategy"
    assert page.view.stale.line.text == ""
    assert page.view.result.styles["opacity"] == "1"


def test_a_verdict_uses_the_bars_and_the_strategy_of_the_run(bars: ms.Bars, tmp_path: Path) -> None:
    page = page_of(bars, tmp_path)
    page.begin()
    ended(page)
    wf = page.wf
    page.picker.bars = ms.synthetic_bars(400, seed=8)
    page.state.strategy = "RSIStrategy"
    page._judge()
    ended(page)
    assert page.view.message.text == ""
    assert wf is not None
    assert ms.load_run(wf.id, tmp_path).verdict.preliminary is False
    assert page.view.headline.object.startswith(f"<p class='run'>EmaCrossStrategy on {bars.name}")


@pytest.mark.parametrize(
    "change",
    [
        {"splitter": "rolling:9000,2,1"},
        {"splitter": "rollin:10"},
        {"strategy": "Nobody"},
        {"search": "tqe"},
        {"select": "luck"},
        {"sizing": "a lot"},
        {"params": {"nonsense": 1}},
    ],
)
def test_settings_that_cannot_be_computed_leave_the_result_dimmed(
    change: dict[str, object], bars: ms.Bars, tmp_path: Path
) -> None:
    page = App(bars, runs_dir=str(tmp_path), trials=3)
    before, usual = page.wf, {name: page.settings()[name] for name in change}
    page.state.param.update(**change)
    assert page.wf is before
    assert page.view.message.text
    assert page.view.stale.line.text == "Computed with other settings; these cannot be computed."
    assert page.view.windows.object is None, "no windows of other settings"
    page.state.param.update(**usual)
    assert page.view.message.text == page.view.stale.line.text == ""
    assert page.view.windows.object is not None


def test_a_series_too_long_to_follow_dims_the_result_of_the_one_before(tmp_path: Path) -> None:
    page = App(None, runs_dir=str(tmp_path), trials=3, data="sample:AAPL", end="2003")
    first = page.wf
    page.live.value = False
    page.state.param.update(end=None)
    assert page.wf is first
    assert page.view.stale.line.text.startswith("Computed with other settings; Start computes these")
    page.state.data = "sample:GONE"
    assert page.view.stale.line.text.endswith("these cannot be computed.")
    page._judge()  # of what is shown, not of the series that is gone
    ended(page)
    assert page.view.verdict.object
    assert page.wf is first


def test_resume_is_offered_for_the_settings_of_the_cancelled_run_only(bars: ms.Bars, tmp_path: Path) -> None:
    page = page_of(bars, tmp_path, trials=3_000)
    page.begin()
    page.runner.cancel()
    ended(page)
    assert page.start.label == "Resume"
    page.state.seed = 3
    assert page.start.label == "Start"
    page.state.seed = 0
    assert page.start.label == "Resume"


def test_the_front_of_any_fold_in_any_two_metrics(bars: ms.Bars, tmp_path: Path) -> None:
    page = page_of(bars, tmp_path)
    page.begin()
    ended(page)
    view, wf = page.view, page.wf
    assert wf is not None
    assert view.front_fold.options == wf.folds["fold"].to_list()
    view.tabs.active = _TABS.index("pareto")
    assert (view.front_x.value, view.front_y.value) == front_metrics(wf)
    view.front_fold.value, view.front_y.value = 2, "volatility"
    table = front_table(wf, 2, (view.front_x.value, "volatility"))
    assert front_words(table) in view.front_words.object
    dots = [r.data_source.data["trial"] for r in view.panes["front"].object.renderers if "Scatter" in str(r.glyph)]
    assert {int(trial) for trials in dots for trial in trials} == set(table["trial"].to_list())
    view.front_y.value = view.front_x.value
    assert "two different metrics" in view.front_words.object
    assert view.panes["front"].object is None
