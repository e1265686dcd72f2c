"""Runs of the Walk-forward app that outlive a page: followed by another one, resumed, opened."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest

import maestro as ms
from maestro.apps.walk_forward import following, runner, session
from maestro.apps.walk_forward.app import App
from maestro.apps.walk_forward.job import Job
from maestro.apps.walk_forward.state import WalkForwardState
from tests.apps.walk_forward.conftest import Interrupt, ended
from tests.support.patience import GIVE_UP


def page_of(bars: ms.Bars, folder: Path, monkeypatch: pytest.MonkeyPatch) -> App:
    monkeypatch.setattr(following, "QUICK", 0.0)  # as a run that takes too long to follow the controls
    return App(bars, trials=5, runs_dir=str(folder))


def test_a_page_offers_to_resume_an_interrupted_run_and_opens_a_finished_one(
    bars: ms.Bars, interrupt: Interrupt, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = interrupt(WalkForwardState(trials=5, runs_dir=str(tmp_path)), 4)
    assert store.status() == "interrupted"
    assert ms.runs.list_runs(tmp_path)["status"].to_list() == ["interrupted"]
    page = page_of(bars, tmp_path, monkeypatch)
    assert (page.start.label, page.wf) == ("Resume", None)
    assert page.view.message.text == (
        f"Run {store.id[:8]} is interrupted: 4 of 9 folds are finished. Resume continues it."
    )
    page.begin()
    ended(page)
    assert page.wf is not None
    assert page.start.label == "Start"
    again = page_of(bars, tmp_path, monkeypatch)
    assert again.wf is not None
    assert (again.wf.id, again.view.message.text) == (store.id, "")
    again.live.value = False
    again.state.seed = 1
    assert again.start.label == "Start"
    again.wf = again.job = None
    again.state.seed = 0
    assert again.start.label == "Open"


def test_a_link_resumes_an_interrupted_run_at_once_and_has_no_effect_otherwise(
    bars: ms.Bars, interrupt: Interrupt, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(following, "QUICK", 0.0)
    settings = {"trials": 5, "runs_dir": str(tmp_path), "query": {"resume": "true"}}
    page = App(bars, **settings)
    assert (page.runner.busy, page.start.label, page.problems) == (False, "Start", [])
    store = interrupt(WalkForwardState(trials=5, runs_dir=str(tmp_path)), 4)
    page = App(bars, **settings)
    ended(page)
    assert page.wf is not None
    assert (page.wf.id, store.status()) == (store.id, "done")


def test_a_page_that_is_loaded_again_follows_the_run_that_the_first_one_began(
    bars: ms.Bars, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    go_on = threading.Event()

    def run(*given: Any, cancel: threading.Event, **named: Any) -> ms.WalkForward:
        assert go_on.wait(GIVE_UP)
        return session.run(*given, cancel=cancel, **named)

    monkeypatch.setattr(runner, "run", run)
    first = page_of(bars, tmp_path, monkeypatch)
    first.begin()
    second = page_of(bars, tmp_path, monkeypatch)
    assert second.runner is first.runner
    assert second.view.message.text == f"Run {Job(second.state, bars).id[:8]} is in progress; this page follows it."
    assert second.cancel.disabled is False
    first._closed()
    assert not second.runner._cancel.is_set(), "another page follows the run"
    go_on.set()
    second.runner.wait(GIVE_UP)
    second.look()
    assert second.wf is not None
    go_on.clear()
    second.state.seed = 1
    second.begin()
    second._closed()
    assert second.runner._cancel.is_set(), "no page follows it any more"
    go_on.set()
    second.runner.wait(GIVE_UP)


def test_a_cancelled_run_is_called_interrupted_on_the_page_too(
    bars: ms.Bars, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = page_of(bars, tmp_path, monkeypatch)
    page.state.trials = 3_000
    page.begin()
    page.runner.cancel()
    ended(page)
    assert "is interrupted: " in page.view.message.text
    assert page.view.message.text.endswith(" of 9 folds are finished. Resume continues it.")
