"""A submitted walk-forward keeps its settings; its id and its effort are known before it is computed."""

from __future__ import annotations

from typing import Any

import pytest

import maestro as ms
from maestro.apps.walk_forward import session
from maestro.apps.walk_forward.job import Job, arguments
from maestro.apps.walk_forward.state import WalkForwardState
from maestro.errors import MaestroError


class Own(ms.Strategy):
    """Only in this program."""

    n = ms.Int(5, 2, 9)

    def signals(self, bars: ms.Bars) -> ms.Signals:
        return ms.Signals.flip(bars.close > bars.open, bars.close < bars.open)


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


@pytest.mark.parametrize(
    "change",
    [
        {"splitter": "rolling:8,2,1"}, {"search": "random"}, {"trials": 5}, {"select": "vwr"}, {"seed": 1},
        {"params": {"fast": 7}}, {"space": {"fast": [5, 9]}}, {"sizing": "percent:0.5"}, {"cash": 5_000.0},
        {"fee": 0.002}, {"slippage": 0.0}, {"fill": "close"}, {"strategy": "RSIStrategy"},
    ],
)  # fmt: skip
def test_every_setting_that_determines_the_result_changes_the_id(change: dict[str, Any], bars: ms.Bars) -> None:
    usual = Job(WalkForwardState(trials=4), bars).id
    assert Job(WalkForwardState(**{"trials": 4, **change}), bars).id != usual


def test_bars_change_the_id_and_the_folder_of_runs_does_not(bars: ms.Bars) -> None:
    usual = Job(WalkForwardState(trials=4), bars).id
    assert Job(WalkForwardState(trials=4), bars[100:]).id != usual
    assert Job(WalkForwardState(trials=4, runs_dir="elsewhere"), bars).id == usual


def test_the_arguments_give_the_same_run_in_the_library(bars: ms.Bars) -> None:
    state = WalkForwardState(
        trials=3, space={"fast": [5, 9]}, params={"slow": 60}, sizing="percent:0.5", fee=0.002, slippage=0.001, seed=4
    )
    made = ms.walk_forward(bars, "EmaCrossStrategy", **arguments(state), executor="serial", progress=False)
    assert made.id == Job(state, bars).id
    assert made.trials["fast"].is_between(5, 9).all()


def test_a_user_defined_strategy_is_kept_as_its_class_and_a_named_one_by_name(bars: ms.Bars) -> None:
    job = Job(WalkForwardState(own=Own, trials=2), bars)
    assert (job.strategy, job.own) == (Own, Own)
    assert job.title.startswith("Own on ")
    named = Job(WalkForwardState(own=Own, strategy="RSIStrategy", trials=2), bars)
    assert (named.strategy.__name__, named.own) == ("RSIStrategy", None)


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.2, "9 folds, under 1 s"), (10.4, "9 folds, about 10 s"), (9_000, "9 folds, about 2.5 h")]
)
def test_the_effort_is_folds_and_estimated_time(seconds: float, text: str, bars: ms.Bars) -> None:
    job = Job(WalkForwardState(trials=2), bars)
    job.seconds = seconds
    assert job.effort == text


def test_one_fold_and_one_trial_are_singular(bars: ms.Bars) -> None:
    job = Job(WalkForwardState(trials=1, splitter="rolling:2,2,1"), bars)
    job.seconds = 0.0
    assert job.effort == "1 fold, under 1 s"
    assert "; tpe, 1 trial per fold, seed 0" in job.title


def test_the_estimate_grows_with_the_trials(bars: ms.Bars) -> None:
    few, many = (Job(WalkForwardState(trials=trials), bars) for trials in (10, 1_000_000))
    assert 0 < few.seconds < many.seconds


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"strategy": "Nobody"}, "there is no strategy 'Nobody'"),
        ({"splitter": "rollin:10"}, "rollin"),
        ({"splitter": "rolling:9000,2,1"}, "9001 folds of 0"),
        ({"search": "tqe"}, "'tqe'"),
        ({"select": "luck"}, "'luck'"),
        ({"params": {"nonsense": 1}}, "'nonsense'"),
        ({"space": {"fast": [60, 50]}}, r"\[60\.\.50\] is empty"),
        ({"sizing": "a lot"}, "a lot"),
    ],
)
def test_settings_that_cannot_be_computed_are_refused_before_a_run(
    change: dict[str, Any], message: str, bars: ms.Bars
) -> None:
    with pytest.raises(MaestroError, match=message):
        Job(WalkForwardState(**{"trials": 2, **change}), bars)
