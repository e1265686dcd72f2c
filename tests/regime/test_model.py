"""Settings of a regime model, its fit, and the states of later bars."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

import maestro as ms
from maestro.errors import SettingsError
from maestro.regime.model import UNKNOWN, Regimes, agreement, most_probable

BARS = ms.synthetic_bars(1_200, seed=4)


def test_a_fit_gives_states_to_later_bars_that_no_later_bar_changes() -> None:
    fit = Regimes(features=("return", "volatility"), window=20).fit(BARS[:800])
    whole = fit.states(BARS)
    assert set(whole[:20].tolist()) == {UNKNOWN}
    assert set(whole[20:].tolist()) == {0, 1}
    np.testing.assert_array_equal(fit.states(BARS[:1_000]), whole[:1_000])
    assert fit.n == 800
    assert json.loads(json.dumps(fit.to_dict()))["n"] == 800


def test_state_0_is_the_calmest() -> None:
    fit = Regimes().fit(BARS)
    states, returns = fit.states(BARS), np.diff(np.log(BARS.close), prepend=np.nan)
    calm, wild = (returns[(states == k) & ~np.isnan(returns)].std() for k in (0, 1))
    assert calm < wild
    assert agreement(fit, fit, BARS) == 1.0


def test_the_most_probable_state() -> None:
    rows = np.array([[np.nan, np.nan], [0.2, 0.8], [0.5, 0.5]])
    assert most_probable(rows).tolist() == [UNKNOWN, 1, 0]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"features": ()}, "give each of return, volatility, trend at most once"),
        ({"features": ("return", "return")}, "at most once"),
        ({"features": "trned"}, "feature 'trned' is unknown.*Did you mean 'trend'"),
        ({"states": 1}, "states=1 is not a whole number of at least 2"),
        ({"seed": -1}, "seed=-1"),
        ({"model": "hnm"}, "model='hnm' is unknown; allowed: hmm, jump. Did you mean 'hmm'"),
        ({"penalty": -1.0}, "penalty=-1.0 is not a number of at least 0"),
    ],
)
def test_impossible_settings_are_refused(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        Regimes(**settings)


def test_settings_are_plain_values() -> None:
    settings = Regimes(features=("trend",), states=3, seed=9)
    assert Regimes(**settings.to_dict()) == settings
