"""Regimes over time: nothing of a bar's future in its state, and what settings are refused."""

from __future__ import annotations

import numpy as np
import pytest

import maestro as ms
from maestro.bars import Bars
from maestro.errors import SettingsError
from maestro.regime import UNKNOWN, Regimes, history_of, regimes


@pytest.fixture(scope="module")
def apple() -> Bars:
    return ms.load_sample("AAPL")


@pytest.mark.parametrize(
    "model",
    [
        Regimes(),
        Regimes(features=("return", "volatility", "trend"), states=3),
        Regimes(model="jump", features=("return", "volatility"), penalty=2.0),
    ],
    ids=("hmm", "three features", "jump"),
)
def test_later_bars_change_no_state(apple: Bars, model: Regimes) -> None:
    if model.model == "jump":
        pytest.importorskip("jumpmodels")
    whole = regimes(apple, model, train="2y", refit="6mo")
    assert set(np.unique(whole.state)) == {UNKNOWN, *range(model.states)}
    for k in (700, 1_111, 2_345):
        part = regimes(apple[:k], model, train="2y", refit="6mo")
        np.testing.assert_array_equal(part.probabilities, whole.probabilities[:k])
        np.testing.assert_array_equal(part.state, whole.state[:k])


def test_bars_of_the_first_training_window_have_no_state(apple: Bars) -> None:
    found = regimes(apple, train="3y", refit=None)
    assert len(found.fits) == 1
    first = int(found.used_from[0])
    assert (found.state[:first] == UNKNOWN).all()
    assert (found.state[first:] != UNKNOWN).all()
    frame = found.to_frame()
    assert frame["state"].null_count() == frame["p0"].null_count() == first
    np.testing.assert_allclose(found.probabilities[first:].sum(axis=1), 1.0, rtol=1e-12)


def test_tables_add_up(apple: Bars) -> None:
    found = regimes(apple, train="2y", refit="1y")
    assert found.table["share"].sum() == pytest.approx(1.0)
    assert found.table["volatility"][1] > found.table["volatility"][0]
    assert found.fit_table["agreement"].null_count() == 1
    assert 0.0 <= found.agreement <= 1.0
    assert "2 states" in repr(found)


def test_folds_fit_on_their_own_training_windows(apple: Bars) -> None:
    found = history_of(apple, Regimes(), [(0, 500), (250, 1_000)])
    alone = Regimes().fit(apple[250:1_000])
    np.testing.assert_array_equal(found.probabilities[1_000:], alone.probabilities(apple[250:])[750:])
    assert (found.state[:500] == UNKNOWN).all()


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"features": ("retrun",)}, "Did you mean 'return'"),
        ({"features": ()}, "at most once"),
        ({"features": ("return", "return")}, "at most once"),
        ({"states": 1}, "states=1"),
        ({"states": 2.0}, "states=2.0"),
        ({"window": 1}, "window=1"),
        ({"model": "viterbi"}, "allowed: hmm, jump"),
        ({"penalty": -1.0}, "penalty"),
        ({"seed": -1}, "seed=-1"),
    ],
)
def test_impossible_settings_are_refused(settings: dict[str, object], words: str) -> None:
    with pytest.raises(SettingsError, match=words):
        Regimes(**settings)  # type: ignore[arg-type]


def test_lengths_are_checked(apple: Bars) -> None:
    with pytest.raises(SettingsError, match="train='2 years' is not a length"):
        regimes(apple, train="2 years")
    with pytest.raises(SettingsError, match="not longer than train='30y'"):
        regimes(apple, train="30y")
    with pytest.raises(SettingsError, match=r"give ms\.Regimes"):
        regimes(apple, "hmm")  # type: ignore[arg-type]


def test_settings_survive_as_plain_values() -> None:
    settings = Regimes(features=("return", "trend"), states=3, seed=7)
    assert Regimes(**settings.to_dict()) == settings
