"""Folds as tasks: each gets its own bars only, gives the result of all bars, and tells which trials it evaluated."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

import maestro as ms
from maestro.errors import RunCancelled
from maestro.execution.protocol import Outcome, TaskContext
from maestro.walkforward.folds import _part, fold_task, run_folds, trials_evaluated
from maestro.walkforward.plan import Plan
from maestro.walkforward.splitters import Window
from tests.support.rules import Cross, FailsAbove

BARS = ms.synthetic_bars(400, seed=6)
WINDOWS = [Window(0, 150, 150, 220), Window(100, 250, 250, 320)]


def plan_of(strategy: Any) -> Plan:
    wf = ms.walk_forward(BARS, strategy, splitter="rolling:4,2,1", trials=4, executor="serial")
    assert wf.plan is not None
    return wf.plan


@pytest.fixture(scope="module")
def plan() -> Plan:
    return plan_of(Cross)


def test_a_fold_of_its_own_bars_is_that_of_all_bars(plan: Plan) -> None:
    whole = fold_task(BARS, TaskContext(), plan, WINDOWS[1], 1)
    own, values = _part(BARS, plan, WINDOWS[1], 1, ())
    assert len(own) == 220
    part = fold_task(own, TaskContext(), *values)
    assert part.window == whole.window == WINDOWS[1]
    assert part.trials.equals(whole.trials, null_equal=True)
    np.testing.assert_array_equal(part.equity, whole.equity)


def test_all_folds_are_run_and_trials_are_reported_by_their_fold(plan: Plan) -> None:
    seen: list[int] = []
    jobs = [(5, WINDOWS[0]), (7, WINDOWS[1])]
    found = list(run_folds(plan, BARS, jobs, executor="serial", on_trial=lambda fold, trial: seen.append(fold)))
    assert [outcome.value.fold for outcome in found] == [5, 7]
    assert seen == [5] * 4 + [7] * 4


def test_a_warm_start_knows_the_fold_before(plan: Plan) -> None:
    order: list[str] = []

    def warm(fold: int) -> list[dict[str, int]]:
        order.append(f"asked for {fold}")
        return [{"fast": 3, "slow": 30}]

    for outcome in run_folds(plan, BARS, list(enumerate(WINDOWS)), workers=2, warm=warm):
        order.append(f"finished {outcome.value.fold}")
        assert (3, 30) in outcome.value.trials.select("fast", "slow").rows()
    assert order == ["asked for 0", "finished 0", "asked for 1", "finished 1"]


def test_evaluated_trials_of_a_finished_fold(plan: Plan) -> None:
    result = fold_task(BARS, TaskContext(), plan, WINDOWS[0], 3)
    event = trials_evaluated(3, Outcome(0, result))
    assert (event.trials, event.fold, event.state) == (4, 3, "done")
    assert np.isfinite(event.sharpe_ratios).all()


def test_trials_that_failed_do_not_count() -> None:
    high = ms.Bars.from_frame(BARS.to_frame(), timeframe="1h")
    result = fold_task(high, TaskContext(), plan_of(FailsAbove), WINDOWS[0], 0)
    states = result.trials["state"].to_list()
    event = trials_evaluated(0, Outcome(0, result))
    assert event.trials == sum(state in ("complete", "undefined") for state in states)
    assert event.state == ("failed" if result.error else "done")


def test_an_interrupted_fold_counts_what_it_has_done(plan: Plan) -> None:
    context = TaskContext(cancelled=lambda: len(context.notes) >= 2)
    with pytest.raises(RunCancelled):
        fold_task(BARS, context, plan, WINDOWS[0], 0)
    event = trials_evaluated(0, Outcome(0, None, RunCancelled("stop"), (0.5, math.nan)))
    assert len(context.notes) == 2
    assert (event.trials, event.state) == (2, "interrupted")
    assert event.sharpe_ratios[0] == 0.5
