"""Probabilistic and deflated Sharpe ratio against published and reproduced figures."""

from __future__ import annotations

import math

import pytest

from maestro.errors import SettingsError
from maestro.validation import (
    deflated_sharpe_ratio,
    expected_max_sharpe,
    minimum_track_record_length,
    probabilistic_sharpe_ratio,
)

YEAR = 250
SHARPE = 2.5 / math.sqrt(YEAR)
VARIANCE = 0.5 / YEAR


@pytest.mark.parametrize(("n", "expected"), [(100, 0.9004), (46, 0.9505)])
def test_the_worked_case(n: int, expected: float) -> None:
    value = deflated_sharpe_ratio(SHARPE, n_obs=1_250, n_trials=n, trials_variance=VARIANCE, skew=-3.0, kurtosis=10.0)
    assert value == pytest.approx(expected, abs=5e-5)


def test_the_worked_case_with_normal_returns() -> None:
    value = deflated_sharpe_ratio(SHARPE, n_obs=1_250, n_trials=88, trials_variance=VARIANCE)
    assert value == pytest.approx(0.9505, abs=5e-5)


def test_the_expected_maximum() -> None:
    assert expected_max_sharpe(100, VARIANCE) == pytest.approx(0.1132, abs=5e-5)
    assert expected_max_sharpe(1, VARIANCE) == 0.0


@pytest.mark.parametrize(
    ("annual", "n_obs", "n_trials", "skew", "kurtosis", "expected"),
    [
        (2.0, 365, 200, 0.0, 3.0, 0.221787790811),
        (1.2, 180, 500, -0.5, 5.0, 0.0148495058),
        (2.0, 365, 1, 0.0, 3.0, 0.976803981982),
    ],
)
def test_the_second_set(
    annual: float, n_obs: int, n_trials: int, skew: float, kurtosis: float, expected: float
) -> None:
    value = deflated_sharpe_ratio(
        annual / math.sqrt(365), n_obs=n_obs, n_trials=n_trials, trials_variance=1 / (n_obs - 1), skew=skew,
        kurtosis=kurtosis,
    )  # fmt: skip
    # The first figure is 5e-10 off what scipy's and Python's inverse normal (equal to 1e-15) give.
    assert value == pytest.approx(expected, abs=1e-9)


def test_constant_returns_have_no_answer() -> None:
    assert math.isnan(deflated_sharpe_ratio(math.nan, n_obs=100, n_trials=10, trials_variance=0.01))


def test_the_track_record_length_is_the_inverse() -> None:
    length = minimum_track_record_length(0.1, benchmark=0.02, skew=-0.5, kurtosis=5.0)
    n = math.ceil(length)
    at = probabilistic_sharpe_ratio(0.1, n_obs=n, benchmark=0.02, skew=-0.5, kurtosis=5.0)
    before = probabilistic_sharpe_ratio(0.1, n_obs=n - 1, benchmark=0.02, skew=-0.5, kurtosis=5.0)
    assert before < 0.95 <= at
    assert minimum_track_record_length(0.01, benchmark=0.02) == math.inf


@pytest.mark.parametrize("bad", [{"n_obs": 1}, {"n_trials": 0}, {"trials_variance": -1.0}])
def test_impossible_numbers_are_refused(bad: dict[str, float]) -> None:
    with pytest.raises(SettingsError, match="at least"):
        deflated_sharpe_ratio(0.1, **{"n_obs": 100, "n_trials": 10, "trials_variance": 0.01, **bad})  # type: ignore[arg-type]
