"""Metrics against known answers, closed forms and plain NumPy."""

from __future__ import annotations

import math

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import maestro as ms
from maestro import metrics
from maestro.bars import Bars
from maestro.errors import SettingsError
from tests.support.real_data import real_path


@pytest.fixture(scope="module")
def stoxx() -> Bars:
    return Bars.from_frame(pl.read_csv(real_path("backtrader_2006-day-001.txt")), timeframe="1d", periods_per_year=252)


def buy_and_hold(bars: Bars) -> ms.Signals:
    entry = np.zeros(len(bars), bool)
    entry[0] = True
    return ms.Signals(entry)


def sma_cross(bars: Bars) -> ms.Signals:
    """SMA 10/30, long only; backtrader's CrossOver also counts a touch that goes on to the other side."""

    def sma(n: int) -> np.ndarray:
        return np.array(
            [bars.close[max(i - n + 1, 0) : i + 1].mean() if i >= n - 1 else np.nan for i in range(len(bars))]
        )

    difference = sma(10) - sma(30)
    up, down = (np.zeros(len(bars), bool) for _ in range(2))
    up[1:] = (difference[1:] > 0) & (difference[:-1] <= 0)
    down[1:] = (difference[1:] < 0) & (difference[:-1] >= 0)
    return ms.Signals(up, down)


@pytest.mark.parametrize(
    ("signals", "final", "vwr", "vwr_line", "sharpe_a", "sharpe"),
    [
        (buy_and_hold, 55_122.5592, 5.826409086, 5.838886796, 0.872947800, 0.965445306),
        (sma_cross, 50_933.5689, 1.253477283, 1.097901182, 0.153365458, 0.293831861),
    ],
)
def test_known_answers(stoxx, signals, final, vwr, vwr_line, sharpe_a, sharpe) -> None:  # type: ignore[no-untyped-def]
    """The figures that backtrader's analyzers gave on EURO STOXX 50, 2006."""
    bt = ms.backtest(
        stoxx, signals(stoxx), costs=ms.Costs(fee=0.001, slippage=0.0), sizing=ms.Sizing.units(10), cash=50_000
    )
    assert bt.metrics["final_equity"] == pytest.approx(final, abs=5e-5)
    assert bt.metrics["vwr"] == pytest.approx(vwr, abs=5e-10)
    assert bt.metrics["sharpe_ratio"] == pytest.approx(sharpe, abs=5e-10)
    equity = bt.equity["equity"].to_numpy()
    assert metrics.vwr(equity, 50_000, periods_per_year=252) == pytest.approx(vwr, abs=5e-10)
    line = metrics.vwr(equity, 50_000, periods_per_year=252, form="zero_variability")
    assert line == pytest.approx(vwr_line, abs=5e-10)
    assert metrics.sharpe_ratio_daily_rf(bt.returns) == pytest.approx(sharpe_a, abs=5e-10)


def plain(equity: np.ndarray, start: float, periods: float) -> dict[str, float]:
    """Every curve metric by its definition, in NumPy."""
    n = len(equity)
    before = np.concatenate(([start], equity[:-1]))
    r = equity / before - 1
    growth = math.log(equity[-1] / start) / n
    d = equity / (before * np.exp(growth * np.arange(1, n + 1))) - 1
    annual = (equity[-1] / start) ** (periods / n) - 1
    drawdown = (equity / np.maximum.accumulate(np.concatenate(([start], equity)))[1:] - 1).min()
    factor = 1 - (d.std(ddof=1) / 2) ** 0.2
    weighted = 100 * annual * factor
    return {
        "sharpe_ratio": r.mean() / r.std(ddof=1) * math.sqrt(periods),
        "vwr": -abs(weighted) if annual < 0 and factor < 0 else weighted,
        "sortino_ratio": r.mean() / math.sqrt(np.mean(np.minimum(r, 0) ** 2)) * math.sqrt(periods),
        "calmar_ratio": annual / -drawdown,
        "total_return": equity[-1] / start - 1,
        "annual_return": annual,
        "volatility": r.std(ddof=1) * math.sqrt(periods),
        "max_drawdown": drawdown,
    }


@pytest.mark.parametrize("n", [3, 511, 512, 513, 514, 1025, 9_000])
@pytest.mark.parametrize("scale", [1e-4, 0.02, 0.3])
def test_the_kernel_equals_the_definitions(n: int, scale: float) -> None:
    rng = np.random.default_rng(n)
    equity = 1_000 * np.exp(np.cumsum(rng.normal(0, scale / math.sqrt(n / 100 + 1), n)))
    ours = metrics.from_equity(equity, 1_000.0, periods_per_year=8_760 if scale < 0.1 else n)
    theirs = plain(equity, 1_000.0, 8_760 if scale < 0.1 else n)
    for name, value in theirs.items():
        assert ours[name] == pytest.approx(value, rel=1e-9, abs=1e-12), name


@pytest.mark.parametrize("n", [1, 2, 511, 512, 513, 514, 1_024, 1_025, 5_000])
@pytest.mark.parametrize("drift", [-0.01, -1e-4, 0.0, 1e-4, 0.01])
def test_the_drawdown_is_exact(n: int, drift: float) -> None:
    for seed in range(20):
        steps = np.random.default_rng(seed).normal(drift, 0.01, n)
        equity = 1_000 * np.exp(np.cumsum(np.where(np.arange(n) % 3 == seed % 4, 0.0, steps)))  # equal values, too
        peaks = np.maximum.accumulate(np.concatenate(([1_000.0], equity)))[1:]
        found = metrics.from_equity(equity, 1_000.0, periods_per_year=365)["max_drawdown"]
        assert found == min((equity / peaks).min(), 1.0) - 1.0


@given(st.integers(0, 10_000), st.floats(0.01, 1e6))
@settings(max_examples=200, deadline=None)
def test_scale_changes_no_ratio(seed: int, factor: float) -> None:
    equity = 100 * np.exp(np.cumsum(np.random.default_rng(seed).normal(0, 0.01, 200)))
    one = metrics.from_equity(equity, 100.0, periods_per_year=365)
    other = metrics.from_equity(equity * factor, 100.0 * factor, periods_per_year=365)
    for name, value in one.items():
        assert other[name] == pytest.approx(value, rel=1e-6, abs=1e-9), name


def test_no_variance_is_nan_never_zero_and_never_infinite() -> None:
    for equity in (np.full(100, 1_000.0), 1_000 * 1.001 ** np.arange(1, 101)):
        result = metrics.from_equity(equity, 1_000.0, periods_per_year=365)
        for name in ("sharpe_ratio", "sortino_ratio", "calmar_ratio"):
            assert math.isnan(result[name]), name
    assert result["max_drawdown"] == 0.0


def test_a_single_bar_has_no_deviation() -> None:
    result = metrics.from_equity([1_010.0], 1_000.0, periods_per_year=365)
    assert result["total_return"] == pytest.approx(0.01)
    assert all(math.isnan(result[name]) for name in ("sharpe_ratio", "volatility", "vwr"))


def test_an_almost_total_loss_is_not_a_gain() -> None:
    """VWR's definition turns two negative factors into +465 here; a loss stays a loss."""
    rng = np.random.default_rng(0)
    equity = 1e5 * np.exp(np.cumsum(rng.normal(-0.11, 3.0, 100)))
    equity[-1] = 2.0
    result = metrics.from_equity(equity, 1e5, periods_per_year=365)
    assert result["vwr"] < 0


def test_ruin_leaves_no_ratio() -> None:
    result = metrics.from_equity([900.0, -5.0, -5.0], 1_000.0, periods_per_year=365)
    assert math.isnan(result["sharpe_ratio"])
    assert result["max_drawdown"] == pytest.approx(-1.005)
    assert result["total_return"] == pytest.approx(-1.005)


def test_returns_and_equity_are_the_same_series() -> None:
    returns = np.random.default_rng(3).normal(0, 0.01, 300)
    a = metrics.from_returns(returns, periods_per_year=365)
    b = metrics.from_equity(np.cumprod(1 + returns), 1.0, periods_per_year=365)
    assert a == b


@pytest.mark.parametrize("bad", [[], [1.0, math.nan], [[1.0]], [math.inf]])
def test_bad_series_are_refused(bad: list[float]) -> None:
    with pytest.raises(SettingsError, match="give"):
        metrics.from_equity(bad, 1.0, periods_per_year=365)
