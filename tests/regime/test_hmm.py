"""The Gaussian hidden Markov model against statsmodels, hmmlearn and a simulated chain."""

from __future__ import annotations

import warnings
from dataclasses import replace

import numpy as np
import pytest

import maestro as ms
from maestro.errors import SettingsError
from maestro.regime import Gaussian, fit_gaussian
from maestro.typing import FloatArray


def apple(n: int = 1_500) -> FloatArray:
    close = ms.load_sample("AAPL").close[: n + 1]
    return np.diff(np.log(close))[:, None]


def chain(n: int, seed: int = 1) -> tuple[FloatArray, FloatArray]:
    """Rows and true states of a chain of three states."""
    rng = np.random.default_rng(seed)
    transition = np.array([[0.97, 0.02, 0.01], [0.03, 0.94, 0.03], [0.02, 0.06, 0.92]])
    means, deviations = np.array([0.0006, 0.0, -0.001]), np.array([0.004, 0.010, 0.026])
    states = np.empty(n, np.int64)
    state = 0
    for t in range(n):
        state = rng.choice(3, p=transition[state])
        states[t] = state
    return rng.normal(means[states], deviations[states])[:, None], states


@pytest.fixture(scope="module")
def fitted() -> Gaussian:
    return fit_gaussian(apple(), 2)


def test_the_filter_is_that_of_statsmodels(fitted: Gaussian) -> None:
    markov = pytest.importorskip("statsmodels.api").tsa.MarkovRegression
    values, vectors = np.linalg.eig(fitted.transition.T)
    stationary = np.real(vectors[:, np.argmax(np.real(values))])
    model = replace(fitted, start=stationary / stationary.sum())
    oracle = markov(apple()[:, 0], k_regimes=2, switching_variance=True)
    oracle.initialize_known(model.start)
    found = oracle.filter(
        [*model.transition[:, 0], *model.means[:, 0], *model.covariances[:, 0, 0]]
    )  # p00, p10, means, variances
    np.testing.assert_allclose(model.filter(apple()), found.filtered_marginal_probabilities, rtol=0, atol=1e-12)
    assert model.score(apple()) == pytest.approx(found.llf, abs=1e-9)


def test_the_last_filtered_row_is_hmmlearns_posterior_of_the_prefix(fitted: Gaussian) -> None:
    oracle = pytest.importorskip("hmmlearn.hmm").GaussianHMM(2, "full")
    oracle.startprob_, oracle.transmat_ = fitted.start, fitted.transition
    oracle.means_, oracle.covars_ = fitted.means, fitted.covariances
    filtered = fitted.filter(apple())
    for k in (1, 2, 50, 200, 777, 1_500):
        np.testing.assert_allclose(filtered[k - 1], oracle.predict_proba(apple()[:k])[-1], rtol=0, atol=1e-11)


def test_em_reaches_the_likelihood_of_hmmlearn() -> None:
    hmm = pytest.importorskip("hmmlearn.hmm")
    rows = chain(4_000)[0]
    for states in (2, 3):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # it warns where the last step lowers the likelihood
            best = max(
                hmm.GaussianHMM(states, "full", n_iter=500, tol=1e-6, random_state=k, min_covar=1e-9)
                .fit(rows)
                .score(rows)
                for k in range(6)
            )
        assert fit_gaussian(rows, states).log_likelihood > best - 0.05


def test_several_features_have_full_covariances() -> None:
    hmm = pytest.importorskip("hmmlearn.hmm")
    rng = np.random.default_rng(3)
    calm = rng.multivariate_normal([0.1, 0.0], [[1.0, 0.6], [0.6, 1.0]], 900)
    wild = rng.multivariate_normal([0.0, 2.0], [[4.0, -1.5], [-1.5, 3.0]], 600)
    rows = np.vstack((calm, wild, calm))
    model = fit_gaussian(rows, 2)
    assert model.covariances[0, 0, 1] > 0.4
    assert model.covariances[1, 0, 1] < -1.0
    oracle = hmm.GaussianHMM(2, "full")
    oracle.startprob_, oracle.transmat_ = model.start, model.transition
    oracle.means_, oracle.covars_ = model.means, model.covariances
    np.testing.assert_allclose(model.filter(rows)[-1], oracle.predict_proba(rows)[-1], rtol=0, atol=1e-11)
    assert model.score(rows) == pytest.approx(oracle.score(rows), abs=1e-8)


def test_a_simulated_chain_is_found() -> None:
    rows, states = chain(20_000)
    model = fit_gaussian(rows, 3)
    np.testing.assert_allclose(np.sqrt(model.covariances[:, 0, 0]), [0.004, 0.010, 0.026], rtol=0.05)
    np.testing.assert_allclose(np.diag(model.transition), [0.97, 0.94, 0.92], atol=0.02)
    true = Gaussian(
        np.full(3, 1 / 3), np.array([[0.97, 0.02, 0.01], [0.03, 0.94, 0.03], [0.02, 0.06, 0.92]]),
        np.array([[0.0006], [0.0], [-0.001]]), np.array([[[0.004**2]], [[0.010**2]], [[0.026**2]]]),
    )  # fmt: skip
    right = (model.filter(rows).argmax(axis=1) == states).mean()
    best = (true.filter(rows).argmax(axis=1) == states).mean()
    assert right > best - 0.01
    assert best > 0.8


def test_a_prefix_is_filtered_to_the_bit(fitted: Gaussian) -> None:
    whole = fitted.filter(apple())
    for k in (1, 17, 500, 1_499):
        np.testing.assert_array_equal(fitted.filter(apple()[:k]), whole[:k])


def test_equal_arguments_give_equal_bits() -> None:
    first, second = fit_gaussian(apple(), 2, seed=4), fit_gaussian(apple(), 2, seed=4)
    for name in ("start", "transition", "means", "covariances"):
        np.testing.assert_array_equal(getattr(first, name), getattr(second, name))


def test_states_are_sorted_by_variance_whatever_the_seed() -> None:
    rows = chain(5_000)[0]
    for seed in range(4):
        model = fit_gaussian(rows, 3, seed=seed)
        assert (np.diff(model.covariances[:, 0, 0]) > 0).all()


def test_units_do_not_matter(fitted: Gaussian) -> None:
    scaled = fit_gaussian(apple() * 1e4 + 3.0, 2)
    np.testing.assert_allclose(scaled.filter(apple() * 1e4 + 3.0), fitted.filter(apple()), atol=1e-6)


def test_a_row_without_a_value_predicts_only(fitted: Gaussian) -> None:
    rows = apple()[:10].copy()
    rows[5] = np.nan
    found = fitted.filter(rows)
    np.testing.assert_allclose(found[5], found[4] @ fitted.transition, rtol=1e-14)


def test_expected_durations() -> None:
    model = Gaussian(np.array([0.5, 0.5]), np.array([[0.9, 0.1], [0.25, 0.75]]), np.zeros((2, 1)), np.ones((2, 1, 1)))
    np.testing.assert_allclose(model.durations, [10.0, 4.0])


@pytest.mark.parametrize(
    ("rows", "states", "words"),
    [
        (np.zeros(30), 2, "one row per bar"),
        (np.random.default_rng(0).normal(size=(30, 1)), 2, "30 rows are too few .* at least 40"),
        (np.random.default_rng(0).normal(size=(300, 1)), 1, "states=1"),
        (np.random.default_rng(0).normal(size=(300, 1)), True, "states=True"),
        (np.ones((300, 1)), 2, "constant"),
        (np.full((300, 1), np.inf), 2, "infinite"),
        (np.full((300, 1), np.nan), 2, "0 rows are too few"),
    ],
)
def test_bad_input_is_refused_by_name(rows: FloatArray, states: int, words: str) -> None:
    with pytest.raises(SettingsError, match=words):
        fit_gaussian(rows, states)
