"""Are the Sobol points scipy's, and the scrambled ones as even?"""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from scipy.stats import qmc

from maestro.errors import SettingsError
from maestro.search.sobol import DIMENSIONS, Sobol


@pytest.mark.parametrize("dimensions", [1, 2, 3, 7, 19, DIMENSIONS])
def test_plain_points_are_scipys(dimensions: int) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # scipy wants powers of two
        expected = qmc.Sobol(dimensions, scramble=False).random(3001)
    np.testing.assert_array_equal(Sobol(dimensions).draw(3001), expected)


def test_draws_go_on_where_the_last_ended() -> None:
    for seed in (None, 5):
        parts = Sobol(4, seed)
        joined = np.concatenate([parts.draw(n) for n in (1, 7, 0, 120, 896)])
        np.testing.assert_array_equal(joined, Sobol(4, seed).draw(1024))


def test_scrambled_points_fill_evenly() -> None:
    """Each of 2**m intervals of each axis holds one of 2**m points, and pairs of axes are filled as scipy's are."""
    points = Sobol(6, seed=11).draw(1024)
    assert points.min() >= 0
    assert points.max() < 1
    for axis in points.T:
        assert np.array_equal(np.sort((axis * 1024).astype(int)), np.arange(1024))
    plain = qmc.discrepancy(qmc.Sobol(6, scramble=True, rng=1).random(1024))
    assert qmc.discrepancy(points) < 1.5 * plain
    assert plain < 0.1 * qmc.discrepancy(np.random.default_rng(0).random((1024, 6)))


def test_seed_decides() -> None:
    np.testing.assert_array_equal(Sobol(3, 1).draw(50), Sobol(3, 1).draw(50))
    assert not np.array_equal(Sobol(3, 1).draw(50), Sobol(3, 2).draw(50))
    means = [Sobol(3, seed).draw(4).mean() for seed in range(200)]
    assert abs(np.mean(means) - 0.5) < 0.01


@pytest.mark.parametrize("dimensions", [0, DIMENSIONS + 1])
def test_refuses_other_dimensions(dimensions: int) -> None:
    with pytest.raises(SettingsError, match="1 to 32"):
        Sobol(dimensions)


def test_refuses_to_repeat_itself() -> None:
    sequence = Sobol(1)
    sequence._drawn = 2**30 - 1
    with pytest.raises(SettingsError, match="ends after"):
        sequence.draw(2)
