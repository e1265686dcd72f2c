"""The tables of a backtest by hand, without a position, and at the first bar."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

import maestro as ms

BARS = ms.Bars.from_frame(
    {
        "timestamp": [f"2024-01-0{day}" for day in range(1, 7)], "open": [100.0, 100, 110, 120, 90, 95],
        "high": [101.0, 111, 121, 121, 96, 96], "low": [99.0, 99, 109, 89, 89, 94],
        "close": [100.0, 110, 120, 90, 95, 95], "volume": [1.0] * 6,
    }
)  # fmt: skip
FREE = ms.Costs(fee=0, slippage=0)


def flags(*bars: int) -> np.ndarray:
    found = np.zeros(6, bool)
    found[list(bars)] = True
    return found


def test_equity_drawdown_and_returns_by_hand() -> None:
    bt = ms.backtest(BARS, ms.Signals(flags(0), flags(2)), costs=FREE, sizing="units:10", cash=1_000.0)
    assert bt.equity["equity"].to_list() == [1000, 1100, 1200, 1200, 1200, 1200]
    assert bt.equity["position"].to_list() == [0, 10, 10, 0, 0, 0]
    assert bt.equity["drawdown"].to_list() == [0.0] * 6
    np.testing.assert_allclose(bt.returns, [0, 0.1, 1 / 11, 0, 0, 0], rtol=1e-14, atol=1e-15)
    [trade] = bt.trades.to_dicts()
    assert (trade["side"], trade["entry_price"], trade["exit_price"], trade["exit_reason"]) == (
        "long",
        100,
        120,
        "signal",
    )
    assert trade["return"] == pytest.approx(0.2)
    assert bt.orders["side"].to_list() == ["buy", "sell"]
    np.testing.assert_allclose(bt.benchmark, np.array([100.0, 110, 120, 90, 95, 95]) * 10)


def test_without_a_signal_the_tables_are_empty_with_their_types() -> None:
    bt = ms.backtest(BARS, ms.Signals(flags()), costs=FREE, cash=1_000.0)
    assert bt.trades.is_empty()
    assert bt.trades.schema["entry_time"] == pl.Datetime("us", "UTC")
    assert bt.orders.schema["side"] == pl.String
    assert not bt.returns.any()


def test_an_open_trade_is_the_last_row() -> None:
    bt = ms.backtest(BARS, ms.Signals(flags(3)), costs=FREE, sizing="units:10", cash=1_000.0)
    assert bt.trades["exit_reason"].to_list() == ["open"]
    assert bt.metrics["num_trades"] == 0
    assert "num_trades=0" in repr(bt)
