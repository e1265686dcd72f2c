"""StepM: known distributions, correlation, missing days, and independence from the order of the columns."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from maestro.errors import SettingsError
from maestro.validation.multiple import holm, resampled_test

RNG = np.random.default_rng(7)


def test_a_single_series_has_the_p_value_of_a_t_test() -> None:
    values = np.random.default_rng(1).normal(0.08, 1.0, (800, 1))
    found = resampled_test(values, block=1)
    wanted = stats.ttest_1samp(values[:, 0], 0.0, alternative="greater")
    assert found.statistic[0] == pytest.approx(wanted.statistic, rel=1e-12)
    assert found.p_value[0] == pytest.approx(wanted.pvalue, abs=0.006)
    assert found.p_adjusted[0] == found.p_value[0]


def test_independent_series_are_corrected_about_as_by_holm() -> None:
    values = np.random.default_rng(2).normal(0.0, 1.0, (1_000, 20))
    values[:, 3] += 0.13
    found = resampled_test(values, block=1)
    assert found.p_adjusted[3] == pytest.approx(holm(found.p_value)[3], abs=0.01)
    assert (found.p_adjusted >= found.p_value - 1e-12).all()


def test_equal_series_are_one_chance_and_not_twenty() -> None:
    one = np.random.default_rng(3).normal(0.06, 1.0, (800, 1))
    found = resampled_test(np.repeat(one, 20, axis=1))
    assert found.p_adjusted == pytest.approx(found.p_value)


def test_the_order_of_the_columns_does_not_matter() -> None:
    values = np.random.default_rng(4).normal(0.03, 1.0, (300, 9))
    values[:40, 2] = np.nan
    order = np.random.default_rng(5).permutation(9)
    one, two = resampled_test(values, repetitions=999), resampled_test(values[:, order], repetitions=999)
    assert two.p_adjusted == pytest.approx(one.p_adjusted[order], abs=2e-3)
    assert two.statistic == pytest.approx(one.statistic[order])


def test_missing_days_are_not_zeros() -> None:
    values = np.random.default_rng(6).normal(0.1, 1.0, (900, 2))
    values[300:, 1] = np.nan
    found = resampled_test(values)
    alone = resampled_test(values[:300, 1:])
    assert found.statistic[1] == pytest.approx(alone.statistic[0])
    assert found.p_value[1] == pytest.approx(alone.p_value[0], abs=0.02)


def test_dependence_from_day_to_day_is_kept_by_the_blocks() -> None:
    rng, wrong, right = np.random.default_rng(8), 0, 0
    for seed in range(60):
        noise = rng.normal(size=420)
        walk = np.convolve(noise, np.ones(15) / 15, "valid")[:, None]
        wrong += resampled_test(walk, repetitions=199, block=1, seed=seed).p_value[0] < 0.05
        right += resampled_test(walk, repetitions=199, block=40, seed=seed).p_value[0] < 0.05
    assert right < wrong / 1.5


def test_what_cannot_be_tested_has_no_p_value() -> None:
    values = np.random.default_rng(9).normal(size=(100, 4))
    values[:, 1] = 0.0
    values[15:, 2] = np.nan
    found = resampled_test(values, repetitions=199)
    assert np.isnan(found.p_value).tolist() == [False, True, True, False]
    assert np.isnan(resampled_test(np.empty((0, 2)), repetitions=99, block=None).p_value).all()


def test_the_familywise_error_holds_and_a_planted_edge_is_found() -> None:
    """Forty correlated series of 500 days; 100 universes without an edge, and the same with one."""
    false = found = 0
    for seed in range(100):
        rng = np.random.default_rng([10, seed])
        values = 0.5 * rng.standard_t(5, (500, 1)) + rng.standard_t(5, (500, 40))
        false += bool((resampled_test(values, repetitions=199, seed=seed).p_adjusted <= 0.05).any())
        values[:, 0] += 0.3
        found += bool(resampled_test(values, repetitions=199, seed=seed).p_adjusted[0] <= 0.05)
    assert false <= 11  # 5 expected; 12 or more has probability 0.4 %
    assert found >= 80


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"repetitions": 98}, "at least 99"),
        ({"block": 0}, "from 1 to the 30 periods"),
        ({"seed": -1}, "seed"),
    ],
)
def test_impossible_settings_are_refused(change: dict[str, int], message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        resampled_test(RNG.normal(size=(30, 2)), **change)
    with pytest.raises(SettingsError, match="shape"):
        resampled_test(np.zeros(5))
