"""Re-optimisation at other times: the same bars and number of windows, reproducible, and a rank that says chance."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import pytest

import maestro as ms
from maestro.errors import SettingsError
from maestro.reproduce.plan import windows_of
from maestro.validation.robustness.retiming import Retiming, _random_cuts, _windows

BARS = ms.load_sample("IBM")[:1_600]
TRIGGERED = ms.OnRegime(train="2y", min_gap="1mo", max_gap="1y")
WF = ms.walk_forward(BARS, "EmaCrossStrategy", trials=8, splitter=TRIGGERED, executor="serial")


def test_windows_at_random_times_test_the_same_bars() -> None:
    own = windows_of(WF)
    begin, stop = own[0].test_start, own[-1].test_stop
    for seed in range(30):
        made = _windows(own, _random_cuts(np.random.default_rng(seed), begin, stop, len(own) - 1))
        assert len(made) == len(own)
        assert (made[0].test_start, made[-1].test_stop) == (begin, stop)
        assert all(a.test_stop == b.test_start for a, b in pairwise(made))
        assert all(w.test_stop - w.test_start >= 2 and w.train_stop <= w.test_start for w in made)


def test_the_result_is_the_same_for_any_number_of_workers() -> None:
    found = ms.validation.retiming(WF, repetitions=4, workers=1)
    again = ms.validation.retiming(WF, repetitions=4, workers=2)
    assert found.own == WF.metrics["sharpe_ratio"]
    assert found.calendar == again.calendar
    np.testing.assert_array_equal(found.random, again.random)
    assert len(set(found.random.tolist())) > 1
    assert 0 <= found.rank <= 1
    assert "re-optimised as often on the calendar" in found.summary


def test_the_rank_counts_ties_as_half() -> None:
    assert Retiming("sharpe_ratio", 1.0, 0.0, np.array([0.0, 1.0, 2.0, np.nan]), 4, 0).rank == 0.5
    assert "is not defined" in Retiming("sharpe_ratio", float("nan"), 0.0, np.zeros(2), 2, 0).summary


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"repetitions": 0}, "repetitions=0"),
        ({"metric": "sharp"}, "no metric is called 'sharp'"),
        ({"seed": -1}, "seed"),
    ],
)
def test_impossible_settings_are_refused(settings: dict[str, Any], words: str) -> None:
    with pytest.raises(SettingsError, match=words):
        ms.validation.retiming(WF, **settings)
