"""Monte Carlo of trades against games whose answers are known."""

from __future__ import annotations

import math

import numpy as np
import pytest

import maestro as ms
from maestro.errors import SettingsError
from maestro.validation.trades import account_trades, monte_carlo


def test_ruin_of_a_game_with_two_outcomes() -> None:
    """Gain and loss are one equal step in logarithms: a gambler loses m steps ever with ((1 - p) / p) ** m."""
    gain = 0.05
    loss = 1 - 1 / (1 + gain)
    wins = 55
    returns = np.tile([gain] * wins + [-loss] * (100 - wins), 60)
    steps = math.ceil(math.log(0.6) / math.log(1 - loss))
    found = monte_carlo(returns, paths=20_000, ruin=0.4)
    known = ((100 - wins) / wins) ** steps
    assert found.risk_of_ruin == pytest.approx(known, abs=4 * math.sqrt(known * (1 - known) / 20_000))


def test_drawdown_of_a_random_walk() -> None:
    """Expected largest drawdown of Brownian motion without drift: sqrt(pi / 2) * sigma * sqrt(T) (Magdon-Ismail, 2004).

    A walk in steps is less deep, by about 0.58 steps.
    """
    step, n = 0.001, 5_000
    found = monte_carlo(np.array([step, -step] * (n // 2)), paths=4_000)
    known = math.sqrt(math.pi / 2) * step * math.sqrt(n)
    assert -found.figures["max_drawdown"].mean() == pytest.approx(known, rel=0.07)


def test_reshuffled_trades_keep_the_return() -> None:
    returns = np.random.default_rng(0).normal(0.002, 0.02, 200)
    found = monte_carlo(returns, method="reshuffle", paths=500)
    np.testing.assert_allclose(found.figures["total_return"], np.prod(1 + returns) - 1, rtol=1e-9)
    assert found.figures["max_drawdown"].std() > 0


def test_skipped_trades_keep_their_order() -> None:
    found = monte_carlo(np.full(1_000, 0.01), method="skip", skip=0.25, paths=2_000)
    kept = np.log1p(found.figures["total_return"]) / math.log(1.01)
    assert kept.mean() == pytest.approx(750, abs=2)
    assert kept.std() == pytest.approx(math.sqrt(1_000 * 0.25 * 0.75), rel=0.1)


def test_draws_are_uniform() -> None:
    found = monte_carlo(np.array([0.1, 0.0, 0.0, 0.0]), paths=20_000)
    ones = np.round(np.log1p(found.figures["total_return"]) / math.log(1.1)).astype(int)
    expected = [math.comb(4, k) * 0.25**k * 0.75 ** (4 - k) for k in range(5)]
    np.testing.assert_allclose(np.bincount(ones, minlength=5) / 20_000, expected, atol=0.012)


def test_series_of_losses_stay_together_in_blocks() -> None:
    returns = np.tile([-0.01] * 10 + [0.012] * 10, 20)
    single, block = (monte_carlo(returns, block=b, paths=2_000).figures["max_drawdown"].mean() for b in (1, 20))
    assert block < single


def test_figures_of_the_trades_as_they_came() -> None:
    found = monte_carlo(np.array([0.1, -0.5, -0.1, 1.0, 2.0, 0.0]), paths=10)
    assert found.observed["total_return"] == pytest.approx(1.1 * 0.5 * 0.9 * 2 * 3 - 1)
    assert found.observed["max_drawdown"] == pytest.approx(0.5 * 0.9 - 1)
    assert found.observed["time_under_water"] == 3
    assert found.observed["longest_losing_streak"] == 2


def test_equal_arguments_give_equal_results() -> None:
    returns = np.random.default_rng(0).normal(0.0, 0.02, 100)
    first, second, other = (monte_carlo(returns, paths=300, seed=s) for s in (1, 1, 2))
    np.testing.assert_array_equal(first.figures["max_drawdown"], second.figures["max_drawdown"])
    assert (first.figures["max_drawdown"] != other.figures["max_drawdown"]).any()


def test_returns_on_the_account_compound_to_the_result() -> None:
    bars = ms.load_sample("AAPL")
    for name in ("EmaCrossStrategy", "TrendFollowingATR"):
        wf = ms.walk_forward(bars, name, trials=8, executor="serial")
        trades = account_trades(wf)
        assert np.prod(1 + trades.returns) == pytest.approx(wf.equity["equity"][-1] / 100_000, rel=1e-9)
    bt = ms.backtest(bars, "GridTradingStrategy")
    closed = account_trades(bt)
    assert np.prod(1 + closed.returns) == pytest.approx(1 + closed.table["pnl"].sum() / bt.cash, rel=1e-9)


def test_a_table_and_quantiles_of_a_backtest() -> None:
    found = monte_carlo(ms.backtest(ms.load_sample("AAPL"), "TrendFollowingATR"), paths=500)
    assert found.table["figure"].to_list() == [
        "total_return",
        "max_drawdown",
        "time_under_water",
        "longest_losing_streak",
    ]
    assert found.quantile("max_drawdown", 0.05) <= found.quantile("max_drawdown", 0.5) <= 0
    with pytest.raises(SettingsError, match="Did you mean 'max_drawdown'"):
        found.quantile("drawdown", 0.5)


@pytest.mark.parametrize(
    ("returns", "settings", "words"),
    [
        (np.array([0.1]), {}, "1 closed trades are too few"),
        (np.array([0.1, np.nan]), {}, "finite"),
        (np.array([0.1, -1.5]), {}, "at least -1"),
        (np.zeros(5), {"method": "bootsrap"}, "Did you mean 'bootstrap'"),
        (np.zeros(5), {"paths": 0}, "paths=0"),
        (np.zeros(5), {"ruin": 0.0}, "ruin=0.0"),
        (np.zeros(5), {"skip": 1.0}, "skip=1.0"),
        (np.zeros(5), {"block": 6}, "longer than the 5 trades"),
        (np.zeros(5), {"seed": -1}, "seed=-1"),
    ],
)
def test_bad_input_is_refused_by_name(returns: object, settings: dict[str, object], words: str) -> None:
    with pytest.raises(SettingsError, match=words):
        monte_carlo(returns, **settings)  # type: ignore[arg-type]
