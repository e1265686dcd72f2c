"""Shifts: 10 % or one step away, inside the ranges, feasible, one parameter at a time."""

from __future__ import annotations

import pytest

import maestro as ms
from maestro.validation.robustness.choices import choices_of
from maestro.validation.robustness.shifts import shifted_metric, shifts


@pytest.fixture(scope="module")
def wf() -> ms.WalkForward:
    return ms.walk_forward(ms.load("sample:AAPL"), "EmaCrossStrategy", trials=6, workers=1)


def test_sets_are_a_tenth_or_a_step_away_and_feasible(wf: ms.WalkForward) -> None:
    assert wf.plan is not None
    space = wf.plan.space
    lowest = {"fast": int(space.dimensions[0].low), "slow": 60}
    found = dict(shifts(space, [{"fast": 50, "slow": 100}, lowest]))
    assert list(found) == ["fast lower", "fast higher", "slow lower", "slow higher"]
    assert found["fast lower"] == [{"fast": 45, "slow": 100}, lowest]  # at the bound it stays
    assert found["slow higher"][0] == {"fast": 50, "slow": 110}
    assert all(space.feasible(one) for sets in found.values() for one in sets)


def test_the_metric_is_that_of_the_shifted_sets(wf: ms.WalkForward) -> None:
    choices = choices_of(wf)
    assert choices.stitched().metrics["sharpe_ratio"] == pytest.approx(wf.metrics["sharpe_ratio"], rel=1e-12)
    found = shifted_metric(choices, "sharpe_ratio")
    assert set(found) == {"fast lower", "fast higher", "slow lower", "slow higher"}
    assert len({*found.values(), wf.metrics["sharpe_ratio"]}) > 1
