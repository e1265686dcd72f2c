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
    shortest = min(w.test_stop - w.test_start for w in own)
    assert shortest > 2
    for seed in range(30):
        made = _windows(own, _random_cuts(np.random.default_rng(seed), begin, stop, len(own) - 1, shortest))
        assert len(made) == len(own)
        assert (made[0].test_start, made[-1].test_stop) == (begin, stop)
        assert all(a.test_stop == b.test_start for a, b in pairwise(made))
        assert all(w.test_stop - w.test_start >= shortest and w.train_stop <= w.test_start for w in made)


def test_every_way_to_share_the_bars_is_equally_likely() -> None:
    drawn = [tuple(_random_cuts(np.random.default_rng(seed), 0, 10, 2, 2)) for seed in range(6_000)]
    kinds, counts = np.unique(drawn, axis=0, return_counts=True)
    assert len(kinds) == 15  # 4 free bars in 3 windows
    assert counts.min() > 300  # 400 are expected, with a standard deviation of 19


@pytest.mark.parametrize("splitter", [TRIGGERED, "rolling:8,2,1", "rolling:8,2,1,purge=5", "expanding:6"])
def test_the_times_of_the_run_give_the_windows_of_the_run(splitter: Any) -> None:
    own = windows_of(ms.walk_forward(BARS, "RSIStrategy", splitter=splitter, trials=1, executor="serial"))
    assert _windows(own, [w.test_start for w in own[1:]]) == own


@pytest.mark.parametrize("splitter", ["rolling:8,2,1,embargo=5", ms.Calendar("2y", "6mo", step="3mo")])
def test_a_run_with_gaps_or_overlaps_is_refused(splitter: Any) -> None:
    wf = ms.walk_forward(BARS, "RSIStrategy", splitter=splitter, trials=2, executor="serial")
    with pytest.raises(SettingsError, match="overlap or have gaps between them"):
        ms.validation.retiming(wf, repetitions=2)


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
    assert Retiming("sharpe_ratio", 1.0, 0.0, np.array([0.0, 1.0, 2.0, 0.5]), 4, 0).rank == 0.625
    assert Retiming("sharpe_ratio", 1.0, 0.0, np.array([0.0, 1.0, 2.0]), 3, 0).pvalue == 0.75
    assert "is not defined" in Retiming("sharpe_ratio", float("nan"), 0.0, np.zeros(2), 2, 0).summary


def test_times_without_a_defined_metric_did_not_do_as_well() -> None:
    found = Retiming("sharpe_ratio", 1.0, 0.0, np.array([2.0, 3.0, np.nan, np.nan]), 4, 0)
    assert (found.rank, found.pvalue) == (0.5, 0.6)


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
