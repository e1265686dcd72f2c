"""Cuts fall where signals change, and what comes after a cut is altered and nothing before it."""

from __future__ import annotations

import numpy as np
import pytest

import maestro as ms
from maestro.validation.lookahead.probing import ask, private
from maestro.validation.lookahead.truncation import Changes, altered, causes, choose_cuts, truncation
from tests.support.rules import Cross
from tests.validation.lookahead.leaky import NextVolume
from tests.validation.lookahead.test_probing import answer


def test_half_of_the_cuts_are_near_a_change_of_a_signal() -> None:
    whole = answer([500], n=1_000)
    cuts = choose_cuts(whole, 1_000, 50, 20, np.random.default_rng(0))
    assert cuts == sorted(set(cuts))
    assert len(cuts) == 20
    assert min(cuts) >= 50
    assert max(cuts) < 1_000
    near = {499, 500, 501, 502, 503, 504, 506, 507}
    assert near <= set(cuts)


def test_few_bars_are_cut_everywhere() -> None:
    assert choose_cuts(answer([], n=10), 10, 4, 100, np.random.default_rng(0)) == [4, 5, 6, 7, 8, 9]


@pytest.mark.parametrize("shape", [0, 1, 2])
def test_only_later_values_are_altered_and_prices_stay_possible(shape: int) -> None:
    bars = ms.synthetic_bars(200, seed=2)
    names = ("open", "high", "low", "close")
    changed = altered(bars, 120, names, np.random.default_rng(0), together=True, shape=shape)
    for name in names:
        np.testing.assert_array_equal(changed[name][:120], getattr(bars, name)[:120])
        assert (changed[name][120:] != getattr(bars, name)[120:]).all()
    assert (changed["high"] >= np.maximum(changed["open"], changed["close"])).all()
    assert (changed["low"] <= np.minimum(changed["open"], changed["close"])).all()
    [stamps] = altered(bars, 120, ["time"], np.random.default_rng(0)).values()
    assert (np.diff(stamps) > 0).all()


def test_a_leak_is_found_with_the_column_it_comes_from() -> None:
    bars = ms.synthetic_bars(400, seed=3)
    whole = ask(NextVolume(), private(bars))
    rng, changes = np.random.default_rng(0), Changes()
    cuts = choose_cuts(whole, 400, 50, 40, rng)
    found = truncation(NextVolume, bars, whole, cuts, rng, changes)
    assert found.passed is False
    assert found.columns == ("volume",)
    assert {row["cut"] for row in changes.rows} <= set(cuts)
    assert causes(NextVolume, bars, whole, [found.cut or 0], rng) == ("volume",)


def test_an_honest_rule_passes_with_the_number_of_cuts() -> None:
    bars = ms.synthetic_bars(400, seed=3)
    rng, changes = np.random.default_rng(0), Changes()
    found = truncation(Cross, bars, ask(Cross(), private(bars)), [100, 200, 300], rng, changes)
    assert found.passed
    assert "at any of 3 cuts" in found.words
    assert changes.rows == []
