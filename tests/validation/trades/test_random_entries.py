"""Random entries: uniform ranks on noise, high ranks on a planted edge, and the same positions otherwise."""

from __future__ import annotations

import numpy as np
import pytest

import maestro as ms
from maestro.bars import Bars
from maestro.errors import SettingsError
from maestro.validation.trades import concentration, random_entries
from maestro.validation.trades.random_entries import _spells


class Coin(ms.Strategy):
    """Enters long or short now and then, by a hash of the close: no edge on a random walk."""

    n = ms.Int(10, 5, 20)

    def signals(self, bars: Bars) -> ms.Signals:
        digits = (bars.close * 1e6).astype(np.int64)
        enter = digits % 40 == self.n % 40
        leave = digits % 17 == 3
        return ms.Signals(enter, leave)


class Foreseen(ms.Strategy):
    """Looks one bar ahead, as no honest rule can: a planted edge."""

    n = ms.Int(3, 2, 6)

    def signals(self, bars: Bars) -> ms.Signals:
        ahead = np.concatenate((bars.close[2:] / bars.close[:-2] - 1, [0.0, 0.0]))
        return ms.Signals(ahead > 0.02, ahead < 0.0)


def run(strategy: type[ms.Strategy], bars: Bars) -> ms.WalkForward:
    return ms.walk_forward(bars, strategy, trials=2, splitter="rolling:4,2,1", executor="serial", costs=ms.Costs(0, 0))


def test_ranks_on_noise_are_uniform() -> None:
    ranks = []
    for seed in range(40):
        wf = run(Coin, ms.synthetic_bars(1_200, seed=seed))
        ranks.append(random_entries(wf, repetitions=99, seed=seed).rank)
    assert 0.35 < np.mean(ranks) < 0.65
    assert min(ranks) < 0.25
    assert max(ranks) > 0.75


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
