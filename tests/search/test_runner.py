"""Does a search try the sets it should, and keep what became of each?"""

from __future__ import annotations

import math
import threading
from functools import partial
from typing import Any

import numpy as np
import optuna
import pytest
from optuna.samplers._tpe import parzen_estimator

from maestro import metrics as m
from maestro.errors import RunCancelled, SettingsError, StrategyError, WarmupError
from maestro.search.runner import METHODS, search
from maestro.search.sampling import propose_all
from maestro.search.space import Space
from maestro.search.trials import Trial, round_score
from tests.search.bowl import SPACE, Cross, bowl, summary, troubled


@pytest.mark.parametrize("method", METHODS)
def test_trials_are_numbered_complete_and_reproducible(method: str) -> None:
    trials = search(bowl, SPACE, method=method, trials=60, seed=4)
    assert [t.number for t in trials] == list(range(len(trials)))
    assert len(trials) == 60 if method != "grid" else 40 < len(trials) <= 60
    for t in trials:
        assert list(t.params) == ["fast", "slow", "share"]
        if t.state == "complete":
            assert t.metrics is not None
            assert t.score == round_score(t.metrics[m.SHARPE])
            assert t.params["fast"] < t.params["slow"]
        else:
            assert (t.state, t.metrics) == ("infeasible", None)
            assert t.params["fast"] >= t.params["slow"]
            assert method == "tpe"
    assert summary(search(bowl, SPACE, method=method, trials=60, seed=4)) == summary(trials)
    if method != "grid":
        assert trials[0].params == SPACE.default
        assert summary(search(bowl, SPACE, method=method, trials=60, seed=5)) != summary(trials)


def test_tpe_finds_more_than_chance() -> None:
    best = {
        method: np.mean(
            [
                max(t.score for t in search(bowl, SPACE, method=method, trials=60, seed=s) if t.score == t.score)
                for s in range(10)
            ]
        )
        for method in ("tpe", "random")
    }
    assert best["tpe"] > best["random"]


@pytest.mark.parametrize("method", ["random", "sobol", "grid"])
def test_batches_come_in_order_of_proposal_and_are_evaluated_once(method: str) -> None:
    space = Space(Cross, search={"fast": (5, 12), "slow": (20, 40, 4)})
    calls: list[tuple[int, int]] = []

    def evaluate(params: dict[str, Any]) -> Any:
        calls.append((params["fast"], params["slow"]))
        return bowl(params)

    reported: list[int] = []
    trials = search(
        evaluate, space, method=method, trials=300, seed=1, defaults=False, on_trial=lambda t: reported.append(t.number)
    )
    columns = propose_all(space, method, 300, 1)
    assert [(t.params["fast"], t.params["slow"]) for t in trials] == list(
        zip(columns["fast"].tolist(), columns["slow"].tolist(), strict=True)
    )
    assert len(set(calls)) == len(calls)
    assert set(calls) == {(t.params["fast"], t.params["slow"]) for t in trials}
    assert 40 < len(calls) <= 8 * 6
    assert sorted(reported) == list(range(len(trials)))


def test_equal_proposals_of_a_learning_search_are_evaluated_once() -> None:
    space = Space(Cross, search={"fast": (5, 7), "slow": (20, 22)})
    calls = []
    trials = search(lambda p: calls.append(p) or bowl(p), space, trials=50)
    assert len(trials) == 50
    assert len(calls) == len({(t.params["fast"], t.params["slow"]) for t in trials}) <= 9


def test_the_first_trials_are_the_defaults_then_first_without_repetition() -> None:
    first = [{"fast": 50, "slow": 100}, {"fast": 9, "slow": 30}]
    for method in ("tpe", "random", "sobol"):
        trials = search(bowl, SPACE, method=method, trials=5, first=first)
        assert [(t.params["fast"], t.params["slow"]) for t in trials][:2] == [(50, 100), (9, 30)]
        trials = search(bowl, SPACE, method=method, trials=5, first=first[1:], defaults=False)
        assert [(t.params["fast"], t.params["slow"]) for t in trials][:1] == [(9, 30)]
    assert len(search(bowl, SPACE, trials=1, first=first)) == 1
    with pytest.raises(SettingsError, match="breaks fast < slow"):
        search(bowl, SPACE, first=[{"fast": 90, "slow": 30}])


@pytest.mark.parametrize("method", METHODS)
def test_failures_are_kept_as_such(method: str) -> None:
    trials = search(troubled, SPACE, method=method, trials=60, seed=0)
    for t in trials:
        if t.state == "infeasible":
            continue
        kind = t.params["fast"] % 5
        expected: Any = {
            0: ("failed", "funding_rate is not there"),
            1: ("failed", "ZeroDivisionError: division by zero"),
            2: ("undefined", None),
        }.get(kind, ("complete", None))
        assert (t.state, t.error) == expected
        assert (t.metrics is None) == (t.state == "failed")
        assert math.isnan(t.score) == (t.state != "complete")
    assert {t.state for t in trials} >= {"failed", "undefined", "complete"}


def test_every_trial_may_fail() -> None:
    def fails(params: dict[str, Any]) -> Any:
        raise StrategyError("no")

    for method in (*METHODS, optuna.samplers.TPESampler()):
        assert {t.state for t in search(fails, SPACE, method=method, trials=15)} <= {"failed", "infeasible"}


def test_score_is_the_callers_and_rounded_before_it_decides() -> None:
    trials = search(bowl, SPACE, trials=20, method="random", score=lambda v: v[m.VWR] / 3)
    assert {t.score for t in trials} == {0.333333333333}
    assert round_score(1.23456789012349e-7) == 1.23456789012e-7
    assert math.isnan(round_score(math.nan))
    assert round_score(-math.inf) == -math.inf


def test_noise_in_the_last_digits_changes_no_proposal() -> None:
    def noisy(params: dict[str, Any]) -> Any:
        metrics = bowl(params)
        metrics[m.SHARPE] *= 1 + 1e-15 * (params["slow"] % 7)
        return metrics

    assert [t.params for t in search(noisy, SPACE)] == [t.params for t in search(bowl, SPACE)]


@pytest.mark.parametrize("method", [*METHODS, optuna.samplers.RandomSampler()])
def test_cancelling_is_obeyed_between_trials(method: Any) -> None:
    cancelled = threading.Event()
    done: list[Trial] = []

    def on_trial(trial: Trial) -> None:
        done.append(trial)
        if len(done) == 7:
            cancelled.set()

    with pytest.raises(RunCancelled, match="after 7 of"):
        search(bowl, SPACE, method=method, trials=60, cancelled=cancelled.is_set, on_trial=on_trial)
    assert len(done) == 7


def test_cancelling_inside_an_evaluation_and_interrupts_pass_through() -> None:
    for error in (RunCancelled, KeyboardInterrupt):

        def stops(params: dict[str, Any], error: type[BaseException] = error) -> Any:
            raise error

        for method in ("tpe", "grid", optuna.samplers.RandomSampler()):
            with pytest.raises(error):
                search(stops, SPACE, method=method)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"trials": 0}, "trials=0 leaves nothing to search"),
        ({"trials": -5}, "trials=-5"),
        ({"trials": 2.5}, "whole number of at least 1"),
        ({"trials": True}, "trials=True"),
        ({"method": "tep"}, r"'tep' is unknown; allowed: tpe, grid, random, sobol.*Did you mean 'tpe'"),
        ({"method": 5}, "is not a sampler"),
        ({"method": optuna.samplers.TPESampler}, "is not a sampler"),
        ({"seed": -1}, "seed=-1"),
        ({"pruner": optuna.pruners.MedianPruner()}, "A pruner works with an Optuna sampler"),
    ],
)
def test_refusals(change: dict[str, Any], words: str) -> None:
    with pytest.raises(SettingsError, match=words):
        search(bowl, SPACE, **change)


def test_optunas_tpe_as_object_gives_the_trials_of_the_compiled_one(monkeypatch: pytest.MonkeyPatch) -> None:
    class StableNumpy:
        argsort = staticmethod(partial(np.argsort, kind="stable"))

        def __getattr__(self, name: str) -> Any:
            return getattr(np, name)

    monkeypatch.setattr(parzen_estimator, "np", StableNumpy())
    for evaluate in (bowl, troubled):
        compiled = search(evaluate, SPACE, trials=80, seed=6, first=[{"fast": 9, "slow": 30}])
        sampler = optuna.samplers.TPESampler(multivariate=True)
        assert summary(
            search(evaluate, SPACE, method=sampler, trials=80, seed=6, first=[{"fast": 9, "slow": 30}])
        ) == summary(compiled)


class Warm(Cross):
    def warmup(self, params: Any) -> int:
        return int(params.slow)


def on_bars(n: int) -> Any:
    def evaluate(params: dict[str, Any]) -> Any:
        if 2 * params["slow"] > n:
            raise WarmupError(f"{params['slow']} of {n} bars")
        return bowl(params)

    return evaluate


@pytest.mark.parametrize("method", [*METHODS, optuna.samplers.TPESampler(), optuna.samplers.RandomSampler()])
def test_sets_whose_warm_up_does_not_fit_are_no_trials(method: Any) -> None:
    space, given = Space(Warm), [{"fast": 7, "slow": 90}, {"fast": 7, "slow": 30}]
    trials = search(on_bars(120), space, method=method, trials=60, bars=120, first=given)
    long = [t for t in trials if t.params["slow"] > 60 and t.params["fast"] < t.params["slow"]]
    assert [t.number for t in trials] == list(range(len(trials)))
    if method == "grid":
        assert (len(long), 30 < len(trials) <= 60) == (0, True)
        return
    assert len(trials) == 60
    assert (long[0].number, long[0].state, long[0].error) == (0, "infeasible", "90 of 120 bars"), "it was given"
    learns = not isinstance(method, optuna.samplers.RandomSampler)
    assert len(long) == 1 if learns else 1 < len(long) < 40, "as many proposals are dropped as there are trials"
    assert trials[1].state == "complete", "the set given next; the default does not fit and was left out"


@pytest.mark.parametrize("method", ["tpe", optuna.samplers.TPESampler()])
def test_proposals_that_never_fit_end(method: Any) -> None:
    trials = search(on_bars(30), Space(Warm), method=method, trials=20, bars=30)
    assert len(trials) == 20
    assert {t.state for t in trials} == {"infeasible"}


@pytest.mark.parametrize("method", ["random", "sobol", "grid"])
def test_ranges_in_which_nothing_fits_are_refused(method: str) -> None:
    with pytest.raises(WarmupError, match=r"a warm-up of at most half of the 30 bars; .* or give more bars"):
        search(on_bars(30), Space(Warm), method=method, trials=20, bars=30)
