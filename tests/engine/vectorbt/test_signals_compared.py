"""The engine against vectorbt's own simulation of the same signals: equal to 1e-9 on every bar."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import maestro as ms
from maestro.bars import Bars
from tests.engine.libraries import library

vbt: Any = library("vectorbt", "vectorbt")

COSTS = ms.Costs(fee=0.001, slippage=0.0005)
UPON = {
    "upon_opposite_entry": "reverse", "upon_long_conflict": "exit", "upon_short_conflict": "exit",
    "upon_dir_conflict": "ignore", "accumulate": False,
}  # fmt: skip


def delayed(flags: Any) -> Any:
    """Signals decided at a close, moved to the bar they fill in."""
    return np.concatenate(([False], flags[:-1]))


def ratios(pf: Any, cash: float) -> tuple[float, float, float]:
    """Sharpe, total return and drawdown from vectorbt's equity; its own drawdown begins a bar later than ours."""
    value = pf.value().to_numpy().ravel()
    returns = value / np.concatenate(([cash], value[:-1])) - 1
    peak = np.maximum.accumulate(np.maximum(value, cash))
    return (
        float(returns.mean() / returns.std(ddof=1) * np.sqrt(8760)),
        value[-1] / cash - 1,
        float((value / peak - 1).min()),
    )


def assert_equal(bt: ms.Backtest, value: Any, pf: Any) -> None:
    equity = bt.equity["equity"].to_numpy()
    np.testing.assert_allclose(equity, value, rtol=1e-9, atol=0)
    sharpe, total, drawdown = ratios(pf, bt.cash)
    assert bt.metrics["sharpe_ratio"] == pytest.approx(sharpe, rel=1e-9)
    assert bt.metrics["total_return"] == pytest.approx(total, rel=1e-9)
    assert bt.metrics["max_drawdown"] == pytest.approx(drawdown, rel=1e-9)


@pytest.mark.parametrize("seed", range(5))
def test_long_and_short_with_reversals_in_fixed_units(seed: int, btc_2018: Bars) -> None:
    rng = np.random.default_rng(seed)
    bars = btc_2018
    flags = [rng.random(len(bars)) < 0.03 for _ in range(4)]
    bt = ms.backtest(bars, ms.Signals(*flags), costs=COSTS, sizing=ms.Sizing.units(2.0, max_exposure=10.0))
    assert bt.metrics["num_trades"] > 200
    le, lx, se, sx = (delayed(f) for f in flags)
    pf = vbt.Portfolio.from_signals(
        np.array(bars.close), le, lx, se, sx, price=np.array(bars.open), size=2.0, fees=COSTS.fee,
        slippage=COSTS.slippage, init_cash=bt.cash, freq="1h", **UPON,
    )  # fmt: skip
    assert_equal(bt, pf.value(), pf)
    assert pf.sharpe_ratio() == pytest.approx(bt.metrics["sharpe_ratio"], rel=1e-9)
    assert len(bt.orders) == pf.orders.count()


@pytest.mark.parametrize("seed", range(5))
def test_long_only_with_all_the_cash(seed: int, btc_2018: Bars) -> None:
    rng = np.random.default_rng(100 + seed)
    bars = btc_2018
    le, lx = (rng.random(len(bars)) < 0.03 for _ in range(2))
    bt = ms.backtest(bars, ms.Signals(le, lx), costs=COSTS)
    pf = vbt.Portfolio.from_signals(
        np.array(bars.close), delayed(le), delayed(lx), price=np.array(bars.open), size=np.inf, fees=COSTS.fee,
        slippage=COSTS.slippage, init_cash=bt.cash, freq="1h", direction="longonly", **UPON,
    )  # fmt: skip
    assert_equal(bt, pf.value(), pf)


@pytest.mark.parametrize("protect", ["stop", "target", "both", "trail"])
@pytest.mark.parametrize("seed", range(5))
def test_stops_and_targets_by_two_rows_a_bar(seed: int, protect: str, btc_2018: Bars) -> None:
    """The open is a row of its own, so that vectorbt checks the fill's bar too.

    The row of the open repeats the close before it: a level breached there would have been hit already, and an
    order at the open goes first. A trail has moved since that close, so there the row is the open itself. vectorbt
    slips targets like stops, so slippage is zero where there is a target; a trail it keeps for one side at a time.
    """
    rng = np.random.default_rng(200 + seed)
    bars = btc_2018
    n = len(bars)
    flags = [rng.random(n) < 0.03 for _ in range(4)]
    if protect == "trail":
        flags[2:] = [np.zeros(n, bool)] * 2
    levels = {
        "stop": {"stop": rng.uniform(0.005, 0.05, n)},
        "target": {"target": rng.uniform(0.005, 0.05, n)},
        "both": {"stop": rng.uniform(0.005, 0.05, n), "target": rng.uniform(0.005, 0.05, n)},
        "trail": {"trail": rng.uniform(0.005, 0.05, n)},
    }[protect]
    costs = COSTS if protect in ("stop", "trail") else ms.Costs(0.001, 0.0)
    bt = ms.backtest(bars, ms.Signals(*flags, **levels), costs=costs, sizing=ms.Sizing.units(2.0, max_exposure=10.0))
    reasons = set(bt.trades["exit_reason"])
    assert {"stop": {"stop"}, "target": {"target"}, "both": {"stop", "target"}, "trail": {"trail"}}[protect] <= reasons

    before = bars.open if protect == "trail" else np.concatenate(([bars.open[0]], bars.close[:-1]))

    def rows(first: Any, second: Any) -> Any:
        return np.column_stack([first, second]).ravel()

    nothing = np.zeros(n, bool)
    le, lx, se, sx = (rows(delayed(f), nothing) for f in flags)
    none = np.full(n, np.nan)

    def at_fill(name: str) -> Any:
        values = levels.get(name)
        return np.nan if values is None else rows(np.concatenate(([np.nan], values[:-1])), none)

    trailed = protect == "trail"
    pf = vbt.Portfolio.from_signals(
        rows(before, bars.close), le, lx, se, sx, price=rows(bars.open, bars.close), open=rows(before, bars.open),
        high=rows(before, bars.high), low=rows(before, bars.low), sl_stop=at_fill("trail" if trailed else "stop"),
        sl_trail=trailed, tp_stop=at_fill("target"), stop_entry_price="fillprice", stop_exit_price="stopmarket",
        size=2.0, fees=costs.fee, slippage=costs.slippage, init_cash=bt.cash, freq="30min", **UPON,
    )  # fmt: skip
    np.testing.assert_allclose(bt.equity["equity"], pf.value().to_numpy().ravel()[1::2], rtol=1e-9)
    assert len(bt.orders) == pf.orders.count()
