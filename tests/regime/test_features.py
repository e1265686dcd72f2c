"""Features of bars by their definitions, and undefined where a window is not full."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import maestro as ms
from maestro.errors import SettingsError
from maestro.regime.features import FEATURES, feature_rows

BARS = ms.synthetic_bars(60, seed=2)


def test_features_by_hand() -> None:
    returns = np.diff(np.log(BARS.close))
    rows = feature_rows(BARS, ("return", "volatility", "trend"), 10)
    assert rows.shape == (60, 3)
    deviation = returns[20:30].std(ddof=1)  # the ten returns that end at bar 30
    moved = np.log(BARS.close[30] / BARS.close[20])
    np.testing.assert_allclose(
        rows[30], [returns[29], np.log(deviation), moved / (deviation * np.sqrt(10))], rtol=1e-12
    )


def test_rows_are_undefined_before_the_window_is_full() -> None:
    rows = feature_rows(BARS, tuple(FEATURES), 10)
    assert np.flatnonzero(~np.isnan(rows).any(axis=1))[0] == 10
    assert np.isnan(rows[0]).all()


def test_a_row_does_not_depend_on_later_bars() -> None:
    whole = feature_rows(BARS, tuple(FEATURES), 5)
    np.testing.assert_array_equal(feature_rows(BARS[:40], tuple(FEATURES), 5), whole[:40])


@pytest.mark.parametrize(
    ("names", "window", "message"),
    [(("retrun",), 10, "feature 'retrun' is unknown.*Did you mean 'return'"), ((), 10, "no feature is given"),
     (("return",), 1, "window=1 is not a whole number of at least 2"), (("return",), True, "window=True")],
)  # fmt: skip
def test_what_is_not_a_feature_is_refused(names: tuple[str, ...], window: Any, message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        feature_rows(BARS, names, window)
