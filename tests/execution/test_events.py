"""What listeners hear, and the bar that listens."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

import maestro as ms
from maestro.execution.events import Event, FoldDone, ProgressBar, RunDone, RunStarted, RunStopped, TrialDone
from tests.support.rules import FALLING, RISING, THREE, Cross, FailsAbove, same


@pytest.mark.parametrize("executor", ["serial", "threads"])
def test_a_listener_hears_everything(executor: str) -> None:
    heard: list[Event] = []
    wf = ms.walk_forward(FALLING, Cross, **THREE, executor=executor, progress=heard.append)
    assert heard[0] == RunStarted(wf.id, "Cross on SYNTHETIC:WALK-5:1h", 3, 6, 0)
    assert isinstance(heard[-1], RunDone)
    assert heard[-1].id == wf.id
    trials = [(e.fold, e.number) for e in heard if isinstance(e, TrialDone)]
    assert sorted(trials) == [(fold, number) for fold in range(3) for number in range(6)]
    states = {(e.fold, e.number): e.state for e in heard if isinstance(e, TrialDone)}
    assert states == {(r["fold"], r["trial"]): r["state"] for r in wf.trials.iter_rows(named=True)}
    assert sorted((e.fold, e.trials) for e in heard if isinstance(e, FoldDone)) == [(0, 6), (1, 6), (2, 6)]
    for fold in range(3):  # a fold's trials come before its end
        own = [type(e) for e in heard if getattr(e, "fold", None) == fold]
        assert own[-1] is FoldDone


def test_folds_on_processes_are_reported_as_they_end() -> None:
    heard: list[Event] = []
    ms.walk_forward(FALLING, Cross, **THREE, executor="processes", workers=2, progress=heard.append)
    assert sorted(e.fold for e in heard if isinstance(e, FoldDone)) == [0, 1, 2]


def test_a_failed_fold_is_reported_with_its_error() -> None:
    heard: list[Event] = []
    wf = ms.walk_forward(RISING, FailsAbove, **THREE, progress=[heard.append])
    errors = {e.fold: e.error for e in heard if isinstance(e, FoldDone)}
    assert errors == {r["fold"]: r["error"] for r in wf.folds.iter_rows(named=True)}
    assert any(errors.values())


def test_a_resumed_run_reports_how_much_is_done(tmp_path: Path) -> None:
    class Stop(Exception):
        pass

    def stop(event: Event) -> None:
        if isinstance(event, FoldDone) and event.fold == 1:
            raise Stop

    heard: list[Event] = []
    with pytest.raises(Stop):
        ms.walk_forward(FALLING, Cross, **THREE, runs_dir=tmp_path, progress=[heard.append, stop])
    assert isinstance(heard[-1], RunStopped)
    assert heard[-1].done == 2
    again: list[Event] = []
    wf = ms.walk_forward(FALLING, Cross, **THREE, runs_dir=tmp_path, progress=again.append)
    assert again[0] == RunStarted(wf.id, "Cross on SYNTHETIC:WALK-5:1h", 3, 6, 2)
    assert [e.fold for e in again if isinstance(e, FoldDone)] == [2]
    assert same(wf, ms.walk_forward(FALLING, Cross, **THREE))


def test_the_bar_counts_trials_and_closes() -> None:
    out = io.StringIO()
    bar = ProgressBar(file=out, mininterval=0.0, ascii=True)
    for event in (
        RunStarted("id", "Cross on X", 2, 4, 0), TrialDone(0, 0, "complete"), FoldDone(0, 4), FoldDone(1, 4),
        RunDone("id", 1.0),
    ):  # fmt: skip
        bar(event)
    last = out.getvalue().replace("\r", "\n").strip().splitlines()[-1]
    assert "Cross on X: 100%" in last
    assert "8/8" in last


def test_the_bar_of_a_resumed_run_begins_where_it_stopped() -> None:
    out = io.StringIO()
    bar = ProgressBar(file=out, mininterval=0.0, ascii=True)
    bar(RunStarted("id", "Cross on X", 4, 10, 3))
    bar(RunStopped("id", 3, "cancelled"))
    assert "30/40" in out.getvalue()


def test_progress_true_shows_the_bar(capsys: pytest.CaptureFixture[str]) -> None:
    ms.walk_forward(FALLING, Cross, **THREE, progress=True)
    assert "18/18" in capsys.readouterr().err
