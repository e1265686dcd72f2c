"""Estimated work: from one measured set to all folds; threads only for long windows of compiled code."""

from __future__ import annotations

from typing import Any

import pytest

import maestro as ms
from maestro.search.space import Space
from maestro.strategies import STRATEGIES
from maestro.walkforward import effort
from maestro.walkforward.effort import work_of_sets
from maestro.walkforward.run import plan


def test_work_grows_with_the_number_of_sets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(effort, "_seconds", lambda evaluate, space, bars: 0.002)
    assert work_of_sets(print, None, 500, 1_000).seconds == pytest.approx(1.0)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("bars", "each", "threads"), [(50_000, 0.001, True), (50_000, 0.01, False), (5_000, 1e-5, False)]
)
def test_threads_need_long_bars_and_compiled_code(
    monkeypatch: pytest.MonkeyPatch, bars: int, each: float, threads: bool
) -> None:
    monkeypatch.setattr(effort, "_seconds", lambda evaluate, space, bars: each)
    assert work_of_sets(print, None, 10, bars).threads is threads  # type: ignore[arg-type]


def test_an_error_of_the_measured_set_is_left_to_the_search() -> None:
    calls: list[Any] = []

    def evaluate(params: Any) -> Any:
        calls.append(params)
        raise ZeroDivisionError

    space = Space(STRATEGIES["EmaCrossStrategy"])
    assert work_of_sets(evaluate, space, 10, 2_000).seconds >= 0.0
    assert len(calls) == 3
    assert ms.strategy("EmaCrossStrategy", **calls[0]).params == calls[0]


def test_a_space_without_a_set_that_fits_is_no_work() -> None:

    space = Space(STRATEGIES["EmaCrossStrategy"])
    assert work_of_sets(print, space, 10, 5).seconds == 0.0


def test_tpe_takes_longer_per_trial_the_more_trials_there_are(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(effort, "_seconds", lambda evaluate, space, bars: 1e-5)
    bars = ms.synthetic_bars(2_000, seed=1)

    def estimate(trials: int, search: str) -> float:
        return plan(bars, "EmaCrossStrategy", splitter="rolling:3,2,1", trials=trials, search=search).estimate()

    assert estimate(3_000, "random") == pytest.approx(30 * estimate(100, "random"))
    assert 150 < estimate(3_000, "tpe") / estimate(100, "tpe") < 250
