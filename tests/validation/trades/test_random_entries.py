"""Random entries: uniform ranks on noise, high ranks on a planted edge, and the same positions otherwise."""

from __future__ import annotations

import numpy as np
import pytest

import maestro as ms
from maestro.bars import Bars
from maestro.errors import SettingsError
from maestro.validation.trades import concentration, random_entries
from maestro.validation.trades.random_entries import _spells, _Window


class Foreseen(ms.Strategy):
    """Looks one bar ahead, as no honest rule can: a planted edge."""

    n = ms.Int(3, 2, 6)

    def signals(self, bars: Bars) -> ms.Signals:
        ahead = np.concatenate((bars.close[2:] / bars.close[:-2] - 1, [0.0, 0.0]))
        return ms.Signals(ahead > 0.02, ahead < 0.0)


def run(strategy: type[ms.Strategy] | str, bars: Bars) -> ms.WalkForward:
    return ms.walk_forward(bars, strategy, trials=2, splitter="rolling:4,2,1", executor="serial", costs=ms.Costs(0, 0))


@pytest.mark.parametrize("strategy", ["EmaCrossStrategy", "RSIStrategy"])
def test_ranks_on_noise_are_uniform(strategy: type[ms.Strategy] | str) -> None:
    ranks = []
    for seed in range(24):
        wf = run(strategy, ms.synthetic_bars(1_200, seed=seed))
        ranks.append(random_entries(wf, repetitions=19, seed=seed).rank)
    assert 0.32 < np.mean(ranks) < 0.68  # 0.5, less or more three standard errors
    assert min(ranks) < 0.25
    assert max(ranks) > 0.75


def test_stretches_lie_outside_the_test_window_and_reach_both_ends() -> None:
    bars, none = ms.synthetic_bars(100), np.array([1])
    window = _Window(bars, 30, none, none, none, 20, None)
    rng = np.random.default_rng(0)
    starts = {window.draw(rng)[0] for _ in range(2_000)}
    assert starts == {*range(11), *range(50, 81)}
    assert sum(window.starts) == len(starts)


def test_a_test_window_longer_than_the_bars_outside_is_refused() -> None:
    bars = ms.load_sample("AAPL")[:1_000]
    wf = ms.walk_forward(bars, Foreseen, trials=2, splitter=ms.Rolling(2, 1, 2), executor="serial")
    with pytest.raises(SettingsError, match=r"666 of the 1,000 bars.*use shorter test windows"):
        random_entries(wf, bars)


def test_a_planted_edge_beats_all_random_entries() -> None:
    found = random_entries(run(Foreseen, ms.load_sample("AAPL")), repetitions=99)
    assert found.rank > 0.99
    assert found.pvalue == pytest.approx(0.01)


def test_the_runs_own_entries_come_out_again_without_stops() -> None:
    wf = ms.walk_forward(ms.load_sample("AAPL"), "RSIStrategy", trials=5, executor="serial")
    if wf.metrics["ruined"]:
        wf = ms.walk_forward(ms.load_sample("AAPL"), "EmaCrossStrategy", trials=5, executor="serial")
    found = random_entries(wf, repetitions=3)
    assert found.replayed == pytest.approx(wf.metrics["sharpe_ratio"], abs=0.05)
    assert found.observed == wf.metrics["sharpe_ratio"]


def test_positions_become_spells() -> None:
    position = np.array([0, 0, 2.0, 2.0, 0, -1.0, -1.0, 1.0, 0, 0, 3.0])
    sides, begins, holds = _spells(position, np.array([4, 8]))
    np.testing.assert_array_equal(sides, [1, -1, 1, 1])
    np.testing.assert_array_equal(begins, [2, 5, 7, 10])
    # The first was closed inside bar 4 and lasts over it; the third inside bar 8.
    np.testing.assert_array_equal(holds, [3, 2, 2, 1])


def test_seeds_decide_and_bad_input_is_refused() -> None:
    wf = run(Foreseen, ms.load_sample("AAPL"))
    first, second = (random_entries(wf, repetitions=5, seed=3) for _ in range(2))
    np.testing.assert_array_equal(first.null, second.null)
    with pytest.raises(SettingsError, match=r"metric='sharp'.*Did you mean"):
        random_entries(wf, metric="sharp")
    with pytest.raises(SettingsError, match="repetitions=0"):
        random_entries(wf, repetitions=0)


def test_profit_is_split_into_parts_that_add_up() -> None:
    wf = ms.walk_forward(ms.load_sample("AAPL"), "TrendFollowingATR", trials=8, executor="serial")
    found = concentration(wf)
    total = np.log(wf.equity["equity"][-1] / 100_000)
    for kind in ("fold", "month", "side"):
        assert found.by(kind)["log_return"].sum() == pytest.approx(total, rel=1e-9)
        assert found.by(kind)["trades"].sum() == found.trades == len(wf.trades)
    one, five = found.without["total_return"]
    assert found.total_return > one > five
    with pytest.raises(SettingsError, match="there are: fold, month, side"):
        found.by("year")
