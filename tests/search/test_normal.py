"""Normal probabilities and quantiles against SciPy and the C library, over the whole range and in either tail."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from maestro.search.normal import exponentials, masses, truncated_normal, truncation


@pytest.mark.parametrize(("a", "b"), [(-1.0, 2.0), (-0.1, 0.0), (-8.0, 0.5), (0.0, 3.0), (-30.0, 30.0), (0.0, 1e-3)])
def test_quantiles_of_a_truncated_normal(a: float, b: float) -> None:
    for q in (0.0, 1e-6, 0.2, 0.5, 0.9, 1 - 1e-9):
        found = truncated_normal(q, a, *truncation(a, b))
        assert found == pytest.approx(stats.truncnorm.ppf(q, a, b), rel=1e-6, abs=1e-9)


def test_exponentials_have_all_digits() -> None:
    x = -np.concatenate([np.linspace(0.0, 1.0, 4_001), np.geomspace(1e-300, 179.9, 4_001), [0.0]])
    expected = np.array([math.exp(value) for value in x])
    assert np.max(np.abs(exponentials(x) / expected - 1.0)) < 5e-16
    assert exponentials(np.array([-181.0, -1e9, -np.inf])).tolist() == [0.0, 0.0, 0.0]


def test_a_probability_is_exact_in_either_tail() -> None:
    root = math.sqrt(0.5)
    for width in (1e-3, 0.1, 1.0, 40.0):
        a = np.linspace(0.0, 36.0, 5_003)
        upper = np.array([math.erfc(x * root) - math.erfc((x + width) * root) for x in a])
        kept = upper > 1e-60
        digits = 1e-14 * (1.0 + a**2) / min(width, 1.0)  # of the exponent, and of the difference
        for found in (masses(a, a + width), masses(-a - width, -a)):
            assert np.all(np.abs(found[kept] / upper[kept] - 1.0) < digits[kept])
            assert np.all(found[upper < 1e-62] == 0.0)


def test_a_probability_around_the_centre_and_of_infinite_stretches() -> None:
    ends = [(-1.0, 2.0), (-1e-9, 1e-9), (-1e-3, 2e-3), (0.0, 1e-7), (-40.0, 40.0), (-np.inf, 0.0), (0.0, np.inf)]
    a, b = np.array(ends).T
    expected = [math.erf(y * math.sqrt(0.5)) - math.erf(x * math.sqrt(0.5)) for x, y in ends]
    assert masses(a, b) == pytest.approx(expected, rel=1e-13)
