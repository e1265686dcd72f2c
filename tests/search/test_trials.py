"""The runner of a search: what becomes of each parameter set, each distinct one evaluated once."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from maestro import metrics as m
from maestro.errors import RunCancelled, StrategyError, WarmupError
from maestro.search.space import Space
from maestro.search.trials import Trial, TrialRunner, round_score, sharpe_ratio
from maestro.strategies.base import Strategy
from maestro.strategies.parameters import Int


class Slow(Strategy):
    n = Int(10, 1, 100)

    def warmup(self, params: Any) -> int:
        return int(params.n)


SPACE = Space(Slow)


def metrics_of(params: dict[str, Any]) -> Any:
    error = {1: WarmupError("too long"), 2: StrategyError("no rule"), 3: ValueError("odd")}.get(params["n"])
    if error is not None:
        raise error
    found = np.zeros(len(m.NAMES))
    found[m.SHARPE] = math.nan if params["n"] == 4 else params["n"] / 3
    return found


@pytest.mark.parametrize(
    ("n", "state", "error", "score"),
    [(1, "infeasible", "too long", math.nan), (2, "failed", "no rule", math.nan),
     (3, "failed", "ValueError: odd", math.nan),
     (4, "undefined", None, math.nan), (5, "complete", None, 1.66666666667)],
)  # fmt: skip
def test_what_becomes_of_a_set(n: int, state: str, error: str | None, score: float) -> None:
    trial = TrialRunner(metrics_of, SPACE, sharpe_ratio, 10).run({"n": n})
    assert (trial.state, trial.error) == (state, error)
    assert trial.score == score or math.isnan(score)
    assert (trial.metrics is None) == (state in ("infeasible", "failed"))


def test_an_equal_set_is_evaluated_once() -> None:
    calls: list[int] = []

    def evaluate(params: dict[str, Any]) -> Any:
        calls.append(params["n"])
        return metrics_of(params)

    kept: list[Trial] = []
    runner = TrialRunner(evaluate, SPACE, sharpe_ratio, 3, on_trial=kept.append)
    for n in (5, 6, 5):
        runner.keep(runner.run({"n": n}))
    assert calls == [5, 6]
    assert [trial.number for trial in kept] == [0, 1, 2]
    assert kept[0].metrics is kept[2].metrics
    assert runner.full


def test_a_cancelled_search_reports_its_progress() -> None:
    runner = TrialRunner(metrics_of, SPACE, sharpe_ratio, 10, cancelled=lambda: True)
    with pytest.raises(RunCancelled, match="cancelled after 0 of 10 trials"):
        runner.run({"n": 5})


def test_a_warm_up_of_more_than_half_of_the_bars_does_not_fit() -> None:
    runner = TrialRunner(metrics_of, SPACE, sharpe_ratio, 2, bars=100)
    assert runner.excess({"n": 50}) == 0.0
    assert runner.excess({"n": 75}) == 0.5
    assert [runner.may_drop() for _ in range(3)] == [True, True, False]


def test_scores_are_rounded_to_twelve_digits() -> None:
    assert round_score(0.1 + 0.2) == 0.3
    assert round_score(1 / 3) == 0.333333333333
    assert math.isnan(round_score(math.nan))
    assert round_score(-math.inf) == -math.inf
