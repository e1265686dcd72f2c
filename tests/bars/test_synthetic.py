"""The random walk: the same on every machine, like a market, above zero."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import maestro as ms
from maestro.errors import BarsError, SettingsError


def test_a_random_walk_is_the_same_on_every_machine() -> None:
    bars = ms.synthetic_bars(1_000, seed=7)
    assert bars.fingerprint == "4bcaa26343f3930bbaa38b11b79692539ea3f71ba6198f9563274677f88292ad"


def test_a_random_walk_is_marked_synthetic() -> None:
    bars = ms.synthetic_bars(100, seed=7, timeframe="4h")
    assert (bars.synthetic, bars.name, bars.timeframe) == (True, "SYNTHETIC:WALK-7:4h", "4h")
    assert "synthetic" in repr(bars)
    assert bars[5:50].synthetic
    assert any(
        "synthetic" in note for note in ms.backtest(bars, "EmaCrossStrategy", params={"fast": 5, "slow": 20}).notes
    )


def test_seeds_differ_and_a_longer_walk_begins_elsewhere() -> None:
    assert ms.synthetic_bars(100, seed=1).fingerprint != ms.synthetic_bars(100, seed=2).fingerprint
    assert ms.synthetic_bars(100).fingerprint == ms.synthetic_bars(100, seed=0, timeframe="60m").fingerprint


@pytest.mark.parametrize("timeframe", ["1m", "1h", "1d"])
def test_a_random_walk_looks_like_a_market(timeframe: str) -> None:
    moves, clustered, kurtosis = [], [], []
    for seed in range(8):
        bars = ms.synthetic_bars(5_000, seed=seed, timeframe=timeframe)
        log = np.diff(np.log(bars.close))
        moves.append(log.std() * np.sqrt(bars.periods_per_year))
        clustered.append(np.corrcoef(np.abs(log[1:]), np.abs(log[:-1]))[0, 1])
        kurtosis.append(((log - log.mean()) ** 4).mean() / log.var() ** 2)
        assert np.corrcoef(np.abs(log), bars.volume[1:])[0, 1] > 0.3, "large moves trade more"
        assert abs(np.corrcoef(log[1:], log[:-1])[0, 1]) < 0.08, "nothing to predict"
        assert abs(log.mean()) < 4 * log.std() / np.sqrt(len(log)), "no drift"
    assert np.mean(moves) == pytest.approx(0.6, rel=0.1)
    assert np.mean(clustered) > 0.1
    assert np.mean(kurtosis) > 3.3


def test_a_random_walk_of_wild_bars_stays_above_zero() -> None:
    bars = ms.synthetic_bars(2_000, seed=1, timeframe="52w")
    assert bars.low.min() > 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"n": 1}, "n=1 is not a whole number of at least 2"),
        ({"n": 10.5}, "n=10.5 is not a whole number"),
        ({"n": True}, "n=True is not a whole number"),
        ({"n": "10"}, "n='10' is not a whole number"),
        ({"seed": -1}, "seed=-1 is not a whole number of at least 0"),
        ({"seed": None}, "seed=None is not"),
    ],
)
def test_impossible_walks(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        ms.synthetic_bars(**arguments)


def test_a_walk_of_an_impossible_timeframe() -> None:
    with pytest.raises(BarsError, match="timeframe 'hour' is not understood"):
        ms.synthetic_bars(10, timeframe="hour")
