"""Kelly fraction: games whose answers are known, the interval, and what has no answer."""

from __future__ import annotations

import math

import numpy as np
import pytest

import maestro as ms
from maestro.errors import SettingsError
from maestro.validation import kelly


def game(gain: float, loss: float, wins: int, losses: int) -> np.ndarray:
    return np.array([gain] * wins + [-loss] * losses)


@pytest.mark.parametrize(
    ("gain", "loss", "wins", "losses"), [(1.0, 1.0, 60, 40), (0.02, 0.01, 50, 50), (0.3, 0.5, 80, 20)]
)
def test_a_game_with_two_outcomes(gain: float, loss: float, wins: int, losses: int) -> None:
    """The fraction is p / loss - q / gain."""
    p = wins / (wins + losses)
    found = kelly(game(gain, loss, wins, losses), resamples=100)
    assert found.full == pytest.approx(p / loss - (1 - p) / gain, rel=1e-9)
    assert found.half == found.full / 2
    at_full = p * math.log1p(found.full * gain) + (1 - p) * math.log1p(-found.full * loss)
    assert found.growth["full"] == pytest.approx(at_full)
    assert found.growth["full"] >= max(found.growth["traded"], found.growth["half"])


def test_small_returns_give_mean_over_variance() -> None:
    returns = np.random.default_rng(0).normal(0.0002, 0.005, 2_000)
    found = kelly(returns, resamples=100)
    assert found.full == pytest.approx(returns.mean() / returns.var(), rel=0.02)
    assert found.growth["half"] == pytest.approx(0.75 * found.growth["full"], rel=0.02)


def test_a_size_that_ruins_has_no_growth() -> None:
    assert kelly(game(1.0, 1.0, 60, 40), resamples=100).growth["traded"] == -math.inf


def test_the_interval_covers_the_truth() -> None:
    """Nine tenths of 100 samples of 300 trades, give or take; the fraction of the game itself is 10."""
    rng = np.random.default_rng(1)
    inside = 0
    for seed in range(100):
        found = kelly(np.where(rng.random(300) < 0.55, 0.01, -0.01), resamples=150, seed=seed)
        inside += found.low <= 10.0 <= found.high
    assert 80 <= inside <= 98


def test_without_an_edge_the_fraction_is_zero() -> None:
    found = kelly(game(0.01, 0.01, 45, 55), resamples=500)
    assert found.full == found.half == 0.0
    assert 0.5 < found.without_edge < 1.0
    assert "lost on average, so the Kelly fraction is 0" in found.summary


def test_without_a_loss_there_is_no_answer() -> None:
    found = kelly(np.full(10, 0.01), resamples=100)
    assert math.isnan(found.full)
    assert math.isnan(found.growth["full"])
    assert found.high == math.inf
    assert "None of 10 trades lost" in found.summary
    one = kelly(game(0.02, 0.01, 9, 1), resamples=500)  # a third of the resamples has no loss
    assert math.isfinite(one.full)
    assert one.high == math.inf
    assert "no upper limit" in one.summary


def test_a_walk_forward_and_its_own_size() -> None:
    """Traded at half the size, the same trades have twice the fraction, but for costs that come out of the size."""
    bars = ms.load_sample("AAPL")[:1_500]
    free, rule = ms.Costs(fee=0.0, slippage=0.0), ms.strategy("EmaCrossStrategy", fast=5, slow=20)
    whole = ms.backtest(bars, rule, costs=free)
    part = ms.backtest(bars, rule, costs=free, sizing="percent:0.5")
    assert len(whole.trades) > 10
    assert kelly(part).full == pytest.approx(2 * kelly(whole).full, rel=1e-6)
    wf = ms.walk_forward(bars, "EmaCrossStrategy", splitter="rolling:3,2,1", trials=3, executor="serial",
                         space={"fast": (2, 6), "slow": (7, 20)})  # fmt: skip
    found = kelly(wf, seed=3)
    assert found.trades == len(wf.trades)
    assert found == kelly(wf, seed=3)
    assert "Kelly" in found._repr_html_()


def test_bad_arguments_are_refused() -> None:
    for given, output in (
        ((np.array([0.1]), {}), "1 closed trades are too few"),
        ((np.array([0.1, -1.5]), {}), "at least -1"),
        ((np.array([0.1, -0.1]), {"level": 1.0}), "level=1.0"),
        ((np.array([0.1, -0.1]), {"resamples": 10}), "resamples=10"),
    ):
        with pytest.raises(SettingsError, match=output):
            kelly(given[0], **given[1])
