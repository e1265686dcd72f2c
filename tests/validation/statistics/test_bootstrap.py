"""Bootstrap intervals: how often they hold the truth, what blocks do, and what is refused."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from arch import bootstrap

from maestro.errors import SettingsError
from maestro.metrics import from_returns
from maestro.validation import bootstrap_metrics, optimal_block
from maestro.validation.statistics.bootstrap import resamples


def test_the_interval_holds_the_true_sharpe_ratio_about_as_often_as_its_level() -> None:
    true, held = 0.1, 0
    for seed in range(60):
        returns = np.random.default_rng(seed).normal(true * 0.01, 0.01, 400)
        low, high = bootstrap_metrics(returns, periods_per_year=1, metrics=["sharpe_ratio"], reps=200, seed=seed)[
            "sharpe_ratio"
        ]
        held += low <= true <= high
    assert 50 <= held <= 60


def test_values_are_those_of_the_metrics_and_lie_in_their_order() -> None:
    returns = np.random.default_rng(0).normal(0.0005, 0.01, 300)
    found = bootstrap_metrics(returns, periods_per_year=252, reps=300)
    own = from_returns(returns, periods_per_year=252)
    for row in found.table.to_dicts():
        assert row["value"] == pytest.approx(own[row["metric"]], rel=1e-9)
        assert row["low"] < row["high"]
        assert row["defined"] == 1.0
    assert found["max_drawdown"][1] <= 0
    assert "95%" in repr(found)
    assert "total_return" in found._repr_html_()


def test_blocks_keep_serial_dependence_and_widen_the_interval() -> None:
    rng = np.random.default_rng(1)
    shocks = rng.normal(0.0, 0.01, 3_000)
    returns = np.empty_like(shocks)
    level = 0.0
    for k, shock in enumerate(shocks):
        level = 0.7 * level + shock
        returns[k] = level

    def width(block: float) -> float:
        low, high = bootstrap_metrics(returns, periods_per_year=1, metrics=["sharpe_ratio"], reps=400, block=block)[
            "sharpe_ratio"
        ]
        return high - low

    assert optimal_block(returns) > 10 > 3 > optimal_block(shocks)
    assert width(40.0) > 1.6 * width(1.0)


def test_the_seed_decides() -> None:
    returns = np.random.default_rng(2).normal(0, 0.01, 100)
    one, same, other = (bootstrap_metrics(returns, periods_per_year=365, reps=100, seed=s) for s in (1, 1, 2))
    assert one.table.equals(same.table)
    assert not one.table.equals(other.table)


def test_a_metric_that_is_mostly_undefined_is_reported() -> None:
    returns = np.zeros(60)
    returns[30] = 0.05
    table = bootstrap_metrics(returns, periods_per_year=365, metrics=["calmar_ratio", "total_return"], reps=100).table
    assert table.filter(pl.col("metric") == "calmar_ratio")["defined"][0] == 0.0
    assert np.isnan(table.filter(pl.col("metric") == "calmar_ratio")["low"][0])
    assert table.filter(pl.col("metric") == "total_return")["defined"][0] == 1.0


def test_constant_returns_have_no_blocks() -> None:
    assert optimal_block(np.zeros(50)) == 1.0


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"returns": np.zeros(5)}, "at least 20 returns"),
        ({"returns": np.append(np.zeros(30), np.inf)}, r"returns\[30\] is inf"),
        ({"metrics": ["num_trades"]}, "'num_trades' cannot be bootstrapped"),
        ({"metrics": ["sharpe"]}, "Did you mean 'sharpe_ratio'"),
        ({"level": 95}, "0.95 is usual"),
        ({"reps": 5}, "at least 100"),
        ({"block": 0.5}, "from 1 to the 30 returns"),
        ({"periods_per_year": 0}, "above 0"),
        ({"seed": -1}, "seed=-1 is not a valid seed"),
    ],
)
def test_what_is_refused(arguments: dict[str, object], words: str) -> None:
    given = {"returns": np.random.default_rng(0).normal(0, 1e-2, 30), "periods_per_year": 365.0, **arguments}
    with pytest.raises(SettingsError, match=words):
        bootstrap_metrics(given.pop("returns"), **given)  # type: ignore[arg-type]


def serial(seed: int, n: int) -> np.ndarray:
    """Noise, noise that depends on itself, or mostly zeros."""
    rng = np.random.default_rng(seed)
    returns = rng.normal(0.0, 0.01, n)
    if seed % 3 == 1:
        return np.convolve(returns, np.ones(8), "same")
    return np.where(rng.random(n) < 0.9, 0.0, returns) if seed % 3 == 2 else returns


def test_blocks_are_as_long_as_those_of_arch() -> None:
    for seed in range(60):
        returns = serial(seed, 40 + 37 * seed)
        expected = float(bootstrap.optimal_block_length(returns)["stationary"].iloc[0])
        assert optimal_block(returns) == max(expected, 1.0)


@pytest.mark.parametrize("block", [1.0, 1.7, 12.0, 150.0])
def test_resamples_are_those_of_arch(block: float) -> None:
    returns = serial(0, 200)
    drawn = bootstrap.StationaryBootstrap(block, returns, seed=np.random.default_rng(7)).bootstrap(40)  # type: ignore[arg-type]
    for (expected, _), found in zip(drawn, resamples(returns, block, 40, 7), strict=True):
        np.testing.assert_array_equal(found, expected[0])
