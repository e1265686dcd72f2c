"""Weights against skfolio, in closed form, and without regard to the order of the columns."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from maestro.errors import SettingsError
from maestro.portfolio import RULES, weights
from maestro.typing import FloatArray


def sample(k: int = 8, n: int = 1_000, seed: int = 0) -> FloatArray:
    rng = np.random.default_rng(seed)
    factors = rng.normal(0, 0.01, (n, 2)) @ rng.normal(0, 1, (2, k))
    return factors + rng.normal(0, 0.01, (n, k)) * rng.uniform(0.3, 2, k)


NAMES = [f"s{i}" for i in range(30)]


def test_inverse_volatility_is_skfolios() -> None:
    oracle = pytest.importorskip("skfolio.optimization").InverseVolatility().fit(sample())
    np.testing.assert_allclose(weights("inverse_volatility", sample(), NAMES[:8]), oracle.weights_, rtol=0, atol=1e-12)


@pytest.mark.parametrize("k", [2, 5, 8, 13])
def test_hrp_is_skfolios_with_single_linkage(k: int) -> None:
    hierarchical = pytest.importorskip("skfolio.optimization")
    cluster = pytest.importorskip("skfolio.cluster")
    single = cluster.HierarchicalClustering(linkage_method=cluster.LinkageMethod.SINGLE)
    seriation = pytest.importorskip("skfolio.seriation").HierarchicalSeriation(hierarchical_clustering_estimator=single)
    returns = sample(k)
    own = weights("hrp", returns, NAMES[:k])
    # Leaves have two directions; skfolio takes the one that comes, we take the one that begins at the calmer end.
    found = [
        hierarchical.HierarchicalRiskParity(seriation_estimator=seriation).fit(returns[:, ::step]).weights_[::step]
        for step in (1, -1)
    ]
    assert min(np.abs(own - one).max() for one in found) < 1e-12


def test_risk_parity_gives_equal_contributions() -> None:
    for k in (2, 8, 30):
        own = weights("risk_parity", sample(k), NAMES[:k])
        covariance = np.cov(sample(k), rowvar=False)
        shares = own * (covariance @ own) / (own @ covariance @ own)
        np.testing.assert_allclose(shares, 1 / k, atol=1e-12)
        assert own.sum() == pytest.approx(1.0, abs=1e-15)


def test_uncorrelated_sleeves_in_closed_form() -> None:
    rng = np.random.default_rng(1)
    base = np.linalg.qr(rng.normal(size=(400, 3)) - 0)[0]
    base -= base.mean(axis=0)
    base = np.linalg.qr(base)[0]
    returns = base * np.array([1.0, 2.0, 4.0])
    np.testing.assert_allclose(weights("inverse_volatility", returns, "abc"), [4 / 7, 2 / 7, 1 / 7], rtol=1e-9)
    np.testing.assert_allclose(weights("risk_parity", returns, "abc"), [4 / 7, 2 / 7, 1 / 7], rtol=1e-6)


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("k", [3, 7, 12])
def test_the_order_of_the_sleeves_changes_nothing(rule: str, k: int) -> None:
    returns, order = sample(k), np.random.default_rng(k).permutation(k)
    np.testing.assert_allclose(
        weights(rule, returns[:, order], NAMES[:k]), weights(rule, returns, NAMES[:k])[order], rtol=0, atol=1e-12
    )


@pytest.mark.parametrize("rule", RULES[1:])
def test_a_sleeve_that_never_moved_gets_nothing(rule: str) -> None:
    returns = sample(4)
    returns[:, 2] = 0.0
    own = weights(rule, returns, "abcd")
    assert own[2] == 0
    assert own.sum() == pytest.approx(1.0)
    np.testing.assert_array_equal(weights(rule, np.zeros((50, 4)), "abcd"), 0.25)


def test_an_object_with_fit_works_unchanged() -> None:
    optimization = pytest.importorskip("skfolio.optimization")
    rule = optimization.MeanRisk()
    own = weights(rule, sample(), NAMES[:8])
    np.testing.assert_allclose(own, optimization.MeanRisk().fit(sample()).weights_, atol=1e-9)
    assert not hasattr(rule, "weights_"), "the object itself stays as it was"


class Fixed:
    def __init__(self, *values: float) -> None:
        self.values = values

    def fit(self, returns: FloatArray) -> Fixed:
        self.weights_ = np.array(self.values)
        return self


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        ("inverse_vol", "Did you mean 'inverse_volatility'"),
        (7, "is not a rule"),
        ({"a": 0.5, "x": 0.5}, "'x', which is not a sleeve"),
        ({"a": 0.9, "b": 0.9}, "add up to 1.8"),
        ({"a": -0.1}, "at least 0"),
        (Fixed(0.5, 0.5), r"shape \(2,\) for 3 sleeves"),
        (Fixed(1.5, -0.5, 0.0), "weights from -0.5"),
    ],
)
def test_bad_rules_are_refused_by_name(rule: Any, words: str) -> None:
    with pytest.raises(SettingsError, match=words):
        weights(rule, sample(3), "abc")


def test_weights_by_name_may_leave_cash() -> None:
    np.testing.assert_array_equal(weights({"b": 0.4, "a": 0.2}, sample(3), "abc"), [0.2, 0.4, 0.0])


def test_bad_returns_are_refused() -> None:
    with pytest.raises(SettingsError, match="not finite"):
        weights("equal", np.array([[np.nan]]), "a")
    with pytest.raises(SettingsError, match="too few"):
        weights("hrp", np.zeros((2, 2)), "ab")
    with pytest.raises(SettingsError, match="one column for each of 2"):
        weights("equal", np.zeros((5, 3)), "ab")
