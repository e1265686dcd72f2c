"""The bar of buttons: what a start costs, and how far a run is."""

from __future__ import annotations

from pathlib import Path

import maestro as ms
from maestro.apps.walk_forward.actions import ActionBar
from maestro.apps.walk_forward.app import App
from maestro.execution.jobs import StepProgress


def test_the_progress_of_a_run_takes_the_place_of_the_estimate_until_it_ends() -> None:
    bar, progress = ActionBar(), StepProgress("Judging", 40, "Judging: <b>parity</b>")
    bar.offer("Resume", "9 folds, about <3 s>")
    assert (bar.start.label, bar.text.object) == ("Resume", "9 folds, about &lt;3 s&gt;")
    bar.show_progress(progress)
    assert (bar.text.object, bar.progress.visible, bar.progress.value) == (
        "Judging: &lt;b&gt;parity&lt;/b&gt;",
        True,
        40,
    )
    bar.show_progress(None)
    assert (bar.text.object, bar.progress.visible) == ("9 folds, about &lt;3 s&gt;", False)


def test_the_estimate_is_that_of_the_controls_and_none_where_they_cannot_be_computed(tmp_path: Path) -> None:
    page = App(ms.synthetic_bars(3_000, seed=5), trials=3, runs_dir=str(tmp_path))
    assert page.actions.text.object.startswith("9 folds, ")
    page.state.splitter = "rolling:5,2,1"
    assert page.actions.text.object.startswith("4 folds, ")
    page.state.splitter = "rolling:9000,2,1"
    assert page.actions.text.object == ""
