"""Searches by Optuna samplers: seeded, unchanged, with every kind of parameter, and with pruners."""

from __future__ import annotations

import logging
import math
from functools import partial
from typing import Any

import optuna
import pytest

from maestro.errors import WarmupError
from maestro.search.optuna_search import seeded
from maestro.search.runner import search
from maestro.search.space import Space
from maestro.search.trials import Trial
from maestro.strategies.base import Strategy
from maestro.strategies.parameters import Bool, Choice, Float, Int
from tests.search.bowl import SPACE, Cross, bowl, summary, troubled, vector


class Mixed(Strategy):
    n = Int(20, 5, 65, step=5)
    entry = Float(-3e-5, -5e-4, -5e-6, log=True)
    mode = Choice(("x", 1), (("x", 1), "b", "c"))
    both = Bool(True)


SAMPLERS = [
    optuna.samplers.RandomSampler,
    partial(optuna.samplers.TPESampler, multivariate=True),
    optuna.samplers.NSGAIISampler,
    optuna.samplers.NSGAIIISampler,
    optuna.samplers.BruteForceSampler,
    partial(optuna.samplers.QMCSampler, warn_independent_sampling=False),
]


@pytest.mark.filterwarnings("ignore::optuna.exceptions.ExperimentalWarning")
@pytest.mark.parametrize("make", SAMPLERS)
def test_a_sampler_is_used_as_if_made_with_the_seed(make: Any) -> None:
    space = Space(Cross, search={"fast": (5, 12), "slow": (20, 40, 4)})
    used = make(seed=99)
    search(bowl, space, method=used, trials=10, seed=1)
    runs = [search(bowl, space, method=s, trials=70, seed=5) for s in (make(seed=5), make(), used)]
    runs.append(search(bowl, space, method=lambda seed: make(seed=seed), trials=70, seed=5))
    for run in runs[1:]:
        assert summary(run) == summary(runs[0])
    assert summary(search(bowl, space, method=used, trials=70, seed=6)) != summary(runs[0])


@pytest.mark.filterwarnings("ignore::optuna.exceptions.ExperimentalWarning")
def test_samplers_that_hold_samplers_are_seeded_through() -> None:
    inner = optuna.samplers.TPESampler(multivariate=True)
    outer = optuna.samplers.PartialFixedSampler({"fast": 11}, inner)
    runs = [search(bowl, SPACE, method=outer, trials=30, seed=2, defaults=False) for _ in range(2)]
    assert summary(runs[0]) == summary(runs[1])
    assert {t.params["fast"] for t in runs[0]} == {11}
    assert len({t.params["slow"] for t in runs[0]}) > 5


def test_the_sampler_of_the_caller_is_not_changed() -> None:
    sampler = optuna.samplers.RandomSampler(seed=3)
    before = sampler._rng.rng.get_state()[1].tolist()
    assert seeded(sampler, 4) is not sampler
    search(bowl, SPACE, method=sampler, trials=5)
    assert sampler._rng.rng.get_state()[1].tolist() == before


def test_every_kind_of_parameter_reaches_a_sampler_and_comes_back() -> None:
    space = Space(Mixed)
    trials = search(lambda p: vector(p["n"] - 1e4 * p["entry"]), space, method=optuna.samplers.TPESampler(), trials=40)
    assert trials[0].params == {"n": 20, "entry": -3e-5, "mode": ("x", 1), "both": True}
    assert all(space.contains(t.params) for t in trials)
    assert {t.params["mode"] for t in trials} == {("x", 1), "b", "c"}
    best = max(trials, key=lambda t: t.score)
    assert best.params["n"] >= 60
    assert best.params["entry"] < -3e-4


@pytest.mark.filterwarnings("ignore::optuna.exceptions.ExperimentalWarning")
def test_a_sampler_that_has_seen_everything_ends_the_search() -> None:
    space = Space(Cross, search={"fast": (5, 7), "slow": (20, 22)})
    trials = search(bowl, space, method=optuna.samplers.BruteForceSampler(), trials=100)
    assert len({(t.params["fast"], t.params["slow"]) for t in trials}) == 9
    assert len(trials) < 100


def test_pruner_stops_trials_that_do_badly_on_the_first_stages() -> None:
    full: list[dict[str, Any]] = []

    def evaluate(params: dict[str, Any]) -> Any:
        full.append(params)
        return bowl(params)

    trials = search(
        evaluate, SPACE, method=optuna.samplers.RandomSampler(), trials=60, seed=0,
        pruner=optuna.pruners.MedianPruner(n_startup_trials=5), stages=[bowl, bowl],
    )  # fmt: skip
    pruned = [t for t in trials if t.error is not None]
    assert len(pruned) > 10
    assert {(t.state, t.metrics is None) for t in pruned} == {("undefined", True)}
    assert {t.error for t in pruned} <= {"Pruned after stage 1 of 2.", "Pruned after stage 2 of 2."}
    assert len(full) == len({(t.params["fast"], t.params["slow"]) for t in trials if t.state == "complete"})


def test_a_stage_that_cannot_be_measured_reports_nothing() -> None:
    def short(params: dict[str, Any]) -> Any:
        if params["slow"] > 60:
            raise WarmupError("too few bars")
        if params["slow"] > 40:
            raise ZeroDivisionError
        return vector(math.nan if params["fast"] > 20 else 1.0)

    def searched(pruner: Any, stages: Any) -> list[Trial]:
        sampler = optuna.samplers.TPESampler()
        return search(bowl, SPACE, method=sampler, trials=60, seed=0, pruner=pruner, stages=stages)

    plain = search(bowl, SPACE, method=optuna.samplers.TPESampler(), trials=60, seed=0)
    assert summary(searched(optuna.pruners.NopPruner(), [short, short])) == summary(plain)
    pruned = [t for t in searched(optuna.pruners.ThresholdPruner(upper=0.5), [short]) if t.error is not None]
    assert pruned
    assert {t.state for t in pruned} == {"undefined"}
    assert all(t.params["slow"] <= 40 and t.params["fast"] <= 20 for t in pruned), "only what was measured is pruned"


def test_optunas_log_is_quiet_and_left_as_it_was(caplog: pytest.LogCaptureFixture) -> None:
    optuna.logging.set_verbosity(logging.INFO)
    optuna.logging.enable_propagation()
    with caplog.at_level(logging.INFO):
        search(troubled, SPACE, method=optuna.samplers.RandomSampler(), trials=20)
    optuna.logging.disable_propagation()
    assert not caplog.records
    assert optuna.logging.get_verbosity() == logging.INFO
