"""The job runner: one job at a time, its result or error, cancellation, and the progress of runs and steps."""

from __future__ import annotations

import threading
from types import SimpleNamespace
from typing import Any

import pytest

from maestro.errors import RunCancelled, SettingsError
from maestro.execution import events as ev
from maestro.execution.jobs import JobRunner, RunProgress, StepProgress
from tests.support.patience import GIVE_UP


def test_a_job_gives_its_result_or_its_error_and_a_second_one_is_refused_meanwhile() -> None:
    runner, ended, go_on = JobRunner(), [], threading.Event()

    def job(cancel: threading.Event) -> int:
        go_on.wait()
        return 7

    def broken(cancel: threading.Event) -> None:
        raise ZeroDivisionError("division by zero")

    def done(result: Any, error: Exception | None) -> None:
        ended.append((result, error))

    assert not runner.busy
    runner.submit(job, StepProgress("Working"), done)
    assert runner.busy
    with pytest.raises(SettingsError, match="a job is running; cancel it"):
        runner.submit(job, StepProgress("Working"), done)
    go_on.set()
    runner.wait(GIVE_UP)
    assert not runner.busy
    assert ended == [(7, None)]
    runner.submit(broken, StepProgress("Working"), done)
    runner.wait(GIVE_UP)
    assert ended[1][0] is None
    assert isinstance(ended[1][1], ZeroDivisionError)


def test_a_cancelled_job_gets_the_signal_and_the_next_one_does_not() -> None:
    runner, ended = JobRunner(), []

    def job(cancel: threading.Event) -> None:
        if cancel.wait(GIVE_UP):
            raise RunCancelled("stopped")

    runner.submit(job, RunProgress(), lambda result, error: ended.append(error))
    runner.cancel()
    runner.wait(GIVE_UP)
    assert isinstance(ended[0], RunCancelled)
    runner.submit(lambda cancel: cancel.is_set(), RunProgress(), lambda result, error: ended.append(result))
    runner.wait(GIVE_UP)
    assert ended[1] is False


def test_the_progress_of_a_run_counts_each_trial_once_and_stored_folds_as_done() -> None:
    progress = RunProgress()
    assert progress.percent == 0
    progress(ev.RunStarted("id", "title", folds=4, trials=10, done=1))
    assert (progress.trials, progress.trials_done, progress.folds_done, progress.percent) == (40, 10, 1, 25)
    for _ in range(5):
        progress(ev.TrialDone(1, 0, "done"))
    assert (progress.trials_done, progress.percent) == (15, 38)
    progress(ev.FoldDone(1, 10, "an error"))
    assert (progress.trials_done, progress.folds_done, progress.failed) == (20, 2, 1)
    assert progress.words.startswith("2 of 4 folds, 1 failed, 20 of 40 trials, ")


def test_the_progress_of_steps_is_a_percentage_and_the_name_of_the_step() -> None:
    progress = StepProgress("Judging")
    assert (progress.percent, progress.words) == (0, "Judging …")
    progress(0.5, "permutations")
    assert (progress.percent, progress.words) == (50, "Judging: permutations")


def test_the_time_left_is_that_of_this_run_and_unknown_before_a_trial() -> None:
    progress = RunProgress()
    progress(ev.RunStarted("id", "rule on bars", folds=10, trials=100, done=8))
    assert "800 of 1,000 trials" in progress.words
    assert progress.words.endswith("time left not known yet"), "the stored folds took no time here"
    progress(ev.FoldDone(8, trials=100))
    progress.began = progress.reported - 50
    assert progress.words.endswith("900 of 1,000 trials, 50 s, about 50 s left")
    progress(ev.FoldDone(9, trials=100))
    assert progress.words.endswith("writing the result")


def test_the_time_left_counts_down_between_reports_and_a_late_run_is_called_late(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now = [1_000.0]
    monkeypatch.setattr("maestro.execution.jobs.time", SimpleNamespace(monotonic=lambda: now[0]))
    progress = RunProgress(began=1_000.0)
    progress(ev.RunStarted("id", "rule on bars", folds=4, trials=10))
    message = []
    for moment, fold in ((1_010.0, 0), (1_020.0, None), (1_039.5, None), (1_060.0, None), (1_060.0, 1)):
        now[0] = moment
        if fold is not None:
            progress(ev.FoldDone(fold, trials=10))
        message.append(progress.words.split(", ")[-1])
    assert message == [
        "about 30 s left", "about 20 s left", "less than a second left", "taking longer than estimated",
        "about 60 s left",
    ]  # fmt: skip
