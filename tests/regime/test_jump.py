"""The jump model: calm and wild stretches are found, states change as rarely as the penalty says."""

from __future__ import annotations

import numpy as np
import pytest

from maestro.errors import SettingsError
from maestro.regime.jump import fit_jump
from maestro.typing import FloatArray

pytest.importorskip("jumpmodels", reason='pip install "maestro-research[regimes]"')


def calm_and_wild() -> FloatArray:
    """Log volatilities around 0 for 300 rows, around 3 for 300, around 0 again; the first row is undefined."""
    rng = np.random.default_rng(0)
    rows = np.concatenate([rng.normal(level, 0.3, 300) for level in (0.0, 3.0, 0.0)]).reshape(-1, 1)
    rows[0] = np.nan
    return rows


def test_two_levels_are_two_states() -> None:
    rows = calm_and_wild()
    fitted = fit_jump(rows, 2, penalty=20.0, seed=0)
    assert fitted.states == 2
    assert sorted(round(float(center)) for center in fitted.centers[:, 0]) == [0, 3]
    found = fitted.filter(rows).argmax(axis=1)
    assert len(set(found[50:290].tolist())) == len(set(found[350:590].tolist())) == 1
    assert found[200] != found[500]
    assert found[200] == found[800]


def test_a_row_does_not_depend_on_later_rows() -> None:
    rows = calm_and_wild()
    fitted = fit_jump(rows, 2, penalty=20.0, seed=0)
    np.testing.assert_array_equal(fitted.filter(rows[:400]), fitted.filter(rows)[:400])


def test_what_cannot_be_fitted_is_refused() -> None:
    with pytest.raises(SettingsError, match="5 rows are too few to fit 2 states"):
        fit_jump(calm_and_wild()[1:6], 2, penalty=1.0, seed=0)
    with pytest.raises(SettingsError, match="feature 0 is constant over all 100 rows"):
        fit_jump(np.ones((100, 1)), 2, penalty=1.0, seed=0)
