"""Degenerate inputs of every statistic are refused by name, and none becomes a number."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from maestro import validation as v
from maestro.errors import SettingsError

NOISE = np.random.default_rng(0).normal(0, 0.01, (200, 3))
RATIO = {"n_obs": 100}


def broken(value: float) -> np.ndarray:
    table = NOISE.copy()
    table[7, 1] = value
    return table


def bootstrap(returns: Any) -> Any:
    return v.bootstrap_metrics(np.asanyarray(returns)[:, 1], periods_per_year=252, reps=100)


TABLES: list[Callable[[Any], Any]] = [
    lambda returns: v.pbo(returns, n_blocks=4),
    lambda returns: v.reality_check(returns, reps=100),
    lambda returns: v.spa(returns, reps=100),
    lambda returns: v.step_m(returns, reps=100),
]


@pytest.mark.parametrize("statistic", [*TABLES, bootstrap])
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_a_value_that_is_not_finite_is_named_with_its_place(statistic: Callable[[Any], Any], value: float) -> None:
    with pytest.raises(SettingsError, match=rf"returns\[7(, 1)?\] is {value}; give finite numbers"):
        statistic(broken(value))


@pytest.mark.parametrize("statistic", [*TABLES, bootstrap])
def test_masked_values_and_texts_are_refused(statistic: Callable[[Any], Any]) -> None:
    with pytest.raises(SettingsError, match="masked array"):
        statistic(np.ma.array(NOISE, mask=NOISE > 0.02))
    with pytest.raises(SettingsError, match="do not hold numbers only"):
        statistic([["a", "b"]] * 40)


@pytest.mark.parametrize("statistic", TABLES)
@pytest.mark.parametrize("value", [0.0, 0.001])
def test_returns_that_never_vary_cannot_be_tested(statistic: Callable[[Any], Any], value: float) -> None:
    """A rule that made no trade had a p-value of zero, the best there is."""
    with pytest.raises(SettingsError, match="varies, so there is nothing to test"):
        statistic(np.full((200, 3), value))


@pytest.mark.parametrize("value", [-1.0, -1.5])
def test_the_bootstrap_refuses_a_loss_of_everything(value: float) -> None:
    with pytest.raises(SettingsError, match=rf"returns\[7\] is {value:g}, a loss of everything"):
        bootstrap(broken(value))


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: v.probabilistic_sharpe_ratio(np.inf, **RATIO), "sharpe=inf is not a finite number"),
        (lambda: v.probabilistic_sharpe_ratio(0.1, **RATIO, skew=-np.inf), "skew=-inf is not"),
        (lambda: v.probabilistic_sharpe_ratio(0.1, n_obs=1), "n_obs=1 is not a number of at least 2"),
        (lambda: v.minimum_track_record_length(0.1, kurtosis=np.inf), "kurtosis=inf is not"),
        (lambda: v.expected_max_sharpe(10, np.nan), "trials_variance=nan is not"),
        (lambda: v.expected_max_sharpe(0.5, 0.1), "n_trials=0.5 is not a number of at least 1"),
        (lambda: v.deflated_sharpe_ratio(0.1, **RATIO, n_trials=10, trials_variance=-1.0), "trials_variance=-1.0"),
        (lambda: v.step_m(NOISE, size=np.nan), "size=nan is not between 0 and 1"),
        (lambda: v.spa(NOISE, np.zeros(3)), r"benchmark has shape \(3,\)"),
    ],
)
def test_impossible_settings_are_refused(make: Callable[[], Any], words: str) -> None:
    with pytest.raises(SettingsError, match=words):
        make()
