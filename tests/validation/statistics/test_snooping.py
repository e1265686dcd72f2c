"""Reality Check, SPA and StepM: their size on noise, their power on a planted edge, and what they refuse."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from arch import bootstrap

from maestro.errors import SettingsError
from maestro.validation import reality_check, spa, step_m


def noise(seed: int, rules: int = 20, periods: int = 250) -> np.ndarray:
    return np.random.default_rng(seed).normal(0.0, 0.01, (periods, rules))


def test_on_noise_the_tests_reject_about_as_often_as_their_level() -> None:
    found = np.array(
        [[test(noise(seed), reps=200, block=1).pvalue for test in (reality_check, spa)] for seed in range(60)]
    )
    assert ((found <= 0.05).mean(axis=0) <= 0.15).all()
    assert (abs(found.mean(axis=0) - 0.5) < 0.15).all()


def test_a_planted_edge_is_found_by_all_three() -> None:
    returns = noise(1)
    returns[:, [3, 11]] += 0.004
    assert reality_check(returns).pvalue < 0.01
    best = spa(returns)
    assert best.pvalue < 0.01
    assert best.best in (3, 11)
    assert step_m(returns) == [3, 11]


def test_the_bounds_enclose_the_consistent_pvalue() -> None:
    returns = noise(2) - np.linspace(0, 0.01, 20)
    found = spa(returns)
    assert found.lower <= found.pvalue <= found.upper
    assert "SPA: p = " in repr(found)


def test_hopeless_rules_blind_the_reality_check_and_not_spa() -> None:
    rng = np.random.default_rng(3)
    returns = rng.normal(0.0, 0.01, (250, 41))
    returns[:, 1:] = rng.normal(-0.02, 0.05, (250, 40))  # wild and bad
    returns[:, 0] += 0.0022
    assert spa(returns).pvalue < 0.05 < reality_check(returns).pvalue


def test_against_a_benchmark_nothing_is_left_of_what_it_earns_itself() -> None:
    market = np.random.default_rng(4).normal(0.003, 0.01, 250)
    returns = market[:, None] + noise(4) * 0.1
    assert spa(returns).pvalue < 0.05
    assert spa(returns, market).pvalue > 0.05


def test_the_seed_decides() -> None:
    returns = noise(5)
    assert spa(returns, seed=1) == spa(returns, seed=1)
    assert spa(returns, seed=1).pvalue != spa(returns, seed=2).pvalue


@pytest.mark.parametrize("seed", range(8))
def test_results_are_those_of_arch(seed: int) -> None:
    rules = 3 + 9 * seed
    returns = noise(seed, rules, 60 + 40 * seed) + np.linspace(-0.004, 0.003, rules) * (seed % 3)
    losses = -(returns / returns.std(axis=0, ddof=1))
    found = spa(returns, reps=200, seed=seed)
    settings: Any = {"block_size": found.block, "reps": 200, "seed": np.random.default_rng(seed)}
    test = bootstrap.SPA(np.zeros(len(returns)), losses, **settings)
    test.compute()
    assert (found.lower, found.pvalue, found.upper) == tuple(test.pvalues[["lower", "consistent", "upper"]])
    settings["seed"] = np.random.default_rng(seed)
    steps = bootstrap.StepM(np.zeros(len(returns)), losses, 0.05, **settings)
    steps.compute()
    assert step_m(returns, reps=200, seed=seed) == steps.superior_models


def test_a_rule_that_never_trades_does_not_matter() -> None:
    returns = noise(6)
    returns[:, 0] = 0.0
    assert 0.0 <= spa(returns).pvalue <= 1.0
    assert 0 not in step_m(returns)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"returns": np.zeros((5, 3))}, "at least 20 periods"),
        ({"returns": np.full((50, 2), np.nan)}, r"returns\[0, 0\]"),
        ({"returns": np.zeros((50, 2)), "benchmark": np.zeros(49)}, "one for each of 50 periods"),
        ({"returns": np.zeros((50, 2)), "reps": 10}, "at least 100"),
        ({"returns": np.zeros((50, 2)), "block": 51}, "from 1 to the 50 periods"),
    ],
)
def test_what_is_refused(arguments: dict[str, object], words: str) -> None:
    with pytest.raises(SettingsError, match=words):
        spa(**arguments)  # type: ignore[arg-type]


def test_a_size_that_is_none() -> None:
    with pytest.raises(SettingsError, match="between 0 and 1"):
        step_m(noise(0), size=1.5)
