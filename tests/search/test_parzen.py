"""The arithmetic of the TPE against SciPy: truncated normal quantiles, probabilities, the order of trials."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from maestro.search import parzen


@pytest.mark.parametrize(("a", "b"), [(-1.0, 2.0), (-0.1, 0.0), (-8.0, 0.5), (0.0, 3.0), (-30.0, 30.0), (0.0, 1e-3)])
def test_quantiles_of_a_truncated_normal(a: float, b: float) -> None:
    for q in (0.0, 1e-6, 0.2, 0.5, 0.9, 1 - 1e-9):
        found = parzen._truncated_normal(q, a, b)
        assert found == pytest.approx(stats.truncnorm.ppf(q, a, b), rel=1e-6, abs=1e-9)


@pytest.mark.parametrize(("a", "b"), [(-1.0, 2.0), (4.0, 5.0), (-9.0, -8.0), (30.0, 31.0), (-np.inf, 0.0)])
def test_a_probability_is_exact_in_either_tail(a: float, b: float) -> None:
    upper = stats.norm.sf(a) - stats.norm.sf(b) if a > 0 else stats.norm.cdf(b) - stats.norm.cdf(a)
    assert parzen._mass(a, b) == pytest.approx(2 * upper, rel=1e-9)


def test_trials_are_kept_in_order_of_value_then_number() -> None:
    observed = np.array([[3.0, 1.0, 2.0, 1.0]])
    order = np.zeros((1, 4), np.int64)
    parzen.insert(order, observed, 0, 2)
    parzen.insert(order, observed, 2, 4)
    assert order.tolist() == [[1, 3, 2, 0]]


def test_a_kernel_prefers_its_own_option() -> None:
    draws = [parzen._option(u, 1, 3, 4) for u in (np.arange(1600) + 0.5) / 1600]
    counts = np.bincount(np.array(draws, np.int64))
    assert counts.tolist() == [200, 1200, 200]  # weights 1/5, 6/5 and 1/5 of 8/5
