"""The Walk-forward app without a browser: a result keeps the settings that it was computed with."""

from __future__ import annotations

from pathlib import Path

import pytest

import maestro as ms
from maestro.apps.walk_forward import session
from maestro.apps.walk_forward.app import App
from tests.apps.walk_forward.conftest import OpenPage, ended


@pytest.mark.parametrize(
    ("name", "refused"), [("trials", "0"), ("trials", "-3"), ("seed", "-1"), ("seed", "2.5"), ("seed", "4294967296")]
)
def test_a_refused_number_is_named_each_time_and_the_old_one_stays(
    name: str, refused: str, open_page: OpenPage
) -> None:
    page = open_page()
    box, held = getattr(page, name), getattr(page.state, name)
    for _ in range(2):
        page.refused.say()
        box.value = refused
        assert page.refused.text.startswith(f"{box.label}: '{refused}' is not allowed: give a whole number")
        assert (box.value, getattr(page.state, name)) == (str(held), held)
    box.value = "1,234"
    assert (box.value, getattr(page.state, name), page.refused.text) == ("1234", 1_234, "")


def test_a_strategy_changed_during_a_run_does_not_reach_its_result(bars: ms.Bars, open_page: OpenPage) -> None:
    page = open_page()
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


def test_an_open_report_stays_when_its_run_is_stored_and_is_renewed_by_a_verdict(open_page: OpenPage) -> None:
    page = open_page()
    assert page.wf is not None
    page._report()  # of the result that followed the controls
    before = page.view.opened.text
    assert "This verdict is preliminary" in before
    page.begin()
    ended(page)
    assert page.view.opened.text == before
    assert page.view.tabs._names[page.view.tabs.active] == "Report"
    page._judge()
    ended(page)
    assert page.view.tabs._names[page.view.tabs.active] == "Verdict"
    assert page.view.tabs._names[-1] == "Report"
    assert "This verdict is preliminary" not in page.view.opened.text


def test_a_verdict_uses_the_bars_and_the_strategy_of_the_run(bars: ms.Bars, finished_page: App, tmp_path: Path) -> None:
    page, wf = finished_page, finished_page.wf
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


def test_resume_is_offered_for_the_settings_of_the_cancelled_run_only(open_page: OpenPage) -> None:
    page = open_page(trials=3_000)
    page.begin()
    page.runner.cancel()
    ended(page)
    assert page.start.label == "Resume"
    page.state.seed = 3
    assert page.start.label == "Start"
    page.state.seed = 0
    assert page.start.label == "Resume"


def test_the_largest_seed_is_shown_digit_by_digit(open_page: OpenPage) -> None:
    page = open_page()
    page.seed.value = "4294967295"
    assert (page.state.seed, page.seed.value, page.refused.text) == (4_294_967_295, "4294967295", "")


def test_a_refused_file_leaves_the_page_as_it_was() -> None:
    page = App(trials=5)
    shown = page.wf
    page.picker.file.param.update(filename="book.xlsx", value=b"PK")
    assert "Save a sheet of a spreadsheet as CSV" in page.picker.upload_problem.text
    assert page.view.message.text == ""
    page.trials.value = "6"
    assert page.wf is not None
    assert page.wf is not shown
    assert (page.view.message.text, page.picker.upload_problem.text) == ("", "")
