"""The segment kernel against the plain loop, on random markets with everything at once."""

from __future__ import annotations

import os
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import maestro as ms
from maestro.bars import Bars
from maestro.strategies.signals import Bracket
from tests.engine.reference import simulate

LADDER = np.array([[0.01, 0.004, 0.05], [0.03, 0.02, 0.07], [0.05, 0.04, 0.09]])


def market(rng: np.random.Generator, n: int, *, wild: float = 0.01, funding: bool = False) -> Bars:
    """Random bars with gaps between close and open, and opens that can lie outside the range."""
    close = 100 * np.exp(np.cumsum(rng.normal(0, wild, n)))
    opens = np.concatenate(([100.0], close[:-1])) * np.exp(rng.normal(0, wild / 3, n))
    if rng.random() < 0.3:
        opens[1:] = close[:-1]
    high = np.maximum(close, opens) * (1 + abs(rng.normal(0, wild / 2, n)))
    low = np.minimum(close, opens) * (1 - abs(rng.normal(0, wild / 2, n)).clip(0, 0.5))
    if rng.random() < 0.3:  # BitMEX: an open outside the bar's range
        high, low = np.maximum(close, high * 0.999), np.minimum(close, low * 1.001)
    if rng.random() < 0.5:  # a coarse grid of prices, where levels are touched exactly
        opens, high, low, close = (np.maximum(np.round(x), 1.0) for x in (opens, high, low, close))
    columns: dict[str, Any] = {
        "time": np.arange(n, dtype=np.int64) * 3_600_000_000,
        "open": opens, "high": np.maximum(high, np.maximum(low, close)), "low": np.minimum(low, close),
        "close": close, "volume": np.ones(n),
    }  # fmt: skip
    if funding:
        columns["funding_rate"] = np.where(rng.random(n) < 0.2, rng.normal(0, 0.002, n), np.nan)
    for values in columns.values():
        values.flags.writeable = False
    return Bars(columns, provider="T", symbol="X", timeframe="1h", periods_per_year=8760.0)


def random_signals(rng: np.random.Generator, bars: Bars) -> ms.Signals:
    n = len(bars)
    density = float(rng.choice([0.01, 0.05, 0.2, 0.5]))
    arrays = [rng.random(n) < density for _ in range(4)]
    if rng.random() < 0.3:
        arrays[2] = arrays[3] = None
    kwargs: dict[str, Any] = {}
    if rng.random() < 0.2:
        kwargs["bracket"] = Bracket(
            0.02,
            0.03,
            np.where(rng.random(n) < 0.5, bars.low, np.nan),
            np.where(rng.random(n) < 0.9, bars.close * 1.01, np.nan),
            LADDER,
        )
    else:
        for name in ("stop", "target", "trail"):
            if rng.random() < 0.5:
                continue
            unit = str(rng.choice(["fraction", "price", "level"] if name != "trail" else ["fraction", "price"]))
            scale = {"fraction": 0.02, "price": 2.0, "level": 100.0}[unit]
            values = scale * (1 + (0.2 if unit == "level" else 0.9) * rng.uniform(-1, 1, n))
            if unit != "fraction" and rng.random() < 0.8:  # levels that are touched exactly, and ties
                values = np.maximum(np.round(values), 1.0)
            kwargs[name] = np.where(rng.random(n) < 0.8, values, np.nan)
            kwargs[f"{name}_unit"] = unit
    return ms.Signals(*arrays, **kwargs)


def random_sizing(rng: np.random.Generator) -> ms.Sizing:
    return [
        ms.Sizing.percent(1.0),
        ms.Sizing.percent(0.37),
        ms.Sizing.percent(2.5, max_exposure=3.0),
        ms.Sizing.cash(30_000.0),
        ms.Sizing.cash(150_000.0),
        ms.Sizing.units(100.0),
        ms.Sizing.units(5_000.0, max_exposure=4.0),
        ms.Sizing.volatility(0.4),
    ][rng.integers(8)]


def compare(bars: Bars, signals: ms.Signals, label: str, **kwargs: Any) -> ms.Backtest:
    expected = simulate(bars, signals, **kwargs)
    bt = ms.backtest(bars, signals, **kwargs)
    scale = max(1e5, np.abs(expected.equity).max())
    np.testing.assert_allclose(bt.equity["equity"], expected.equity, rtol=0, atol=1e-9 * scale, err_msg=label)
    np.testing.assert_allclose(bt.equity["position"], expected.held, rtol=1e-9, atol=1e-9, err_msg=label)
    trades = bt.trades
    assert trades["exit_reason"].to_list() == [t["reason"] for t in expected.trades], label
    stamps = bars.timestamp
    for column, key in (("entry_time", "entry"), ("exit_time", "exit")):
        assert (trades[column].dt.replace_time_zone(None).to_numpy() == stamps[[t[key] for t in expected.trades]]).all()
    for column, key in (
        ("entry_price", "entry_price"), ("exit_price", "exit_price"), ("size", "size"), ("fees", "fees"),
        ("funding", "funding"), ("pnl", "pnl"),
    ):  # fmt: skip
        np.testing.assert_allclose(
            trades[column].to_numpy(), [t[key] for t in expected.trades], rtol=1e-9, atol=1e-9 * scale, err_msg=label
        )
    orders = bt.orders
    assert orders["side"].to_list() == ["buy" if o["side"] > 0 else "sell" for o in expected.orders], label
    for name in ("size", "price", "fee"):
        np.testing.assert_allclose(orders[name].to_numpy(), [o[name] for o in expected.orders], rtol=1e-9, atol=1e-9)
    assert bt.metrics["cut_entries"] == expected.cuts, label
    assert bool(bt.metrics["ruined"]) == expected.ruined, label
    closed = [t for t in expected.trades if t["reason"] != "open"]
    assert bt.metrics["num_trades"] == len(closed), label
    assert bt.metrics["exposure"] == pytest.approx(np.mean(np.array(expected.held) != 0), abs=1e-12), label
    assert bt.metrics["fees"] == pytest.approx(sum(o["fee"] for o in expected.orders), rel=1e-9, abs=1e-9), label
    return bt


@pytest.mark.parametrize("fill", ["next_open", "close"])
@pytest.mark.parametrize("seed", range(150))
def test_the_kernel_does_what_the_plain_loop_does(seed: int, fill: str) -> None:
    rng = np.random.default_rng(seed)
    n = int(rng.choice([2, 3, 17, 40, 200, 700]))
    bars = market(rng, n, wild=float(rng.choice([0.004, 0.02, 0.08])), funding=rng.random() < 0.5)
    window = None
    if n > 10 and rng.random() < 0.5:
        window = (int(rng.integers(0, n // 2)), int(rng.integers(n // 2 + 2, n + 1)))
    compare(
        bars, random_signals(rng, bars), f"seed {seed}, {n} bars, {fill}",
        costs=ms.Costs(0.001, float(rng.choice([0.0, 0.0005]))),
        sizing=random_sizing(rng), fill=fill, window=window, close_at_end=bool(rng.random() < 0.5),
    )  # fmt: skip


ACCOUNTS = int(os.environ.get("MAESTRO_TEST_ACCOUNTS", "1000"))
"""Random accounts whose identities are checked; 10,000 in CI."""


def check_identities(seed: int) -> None:
    """Cash + position · price = equity, and start cash + every trade's pnl = final equity, to 1e-9."""
    rng = np.random.default_rng(seed)
    n = int(rng.integers(2, 120))
    bars = market(rng, n, wild=float(rng.choice([0.004, 0.02, 0.08])), funding=rng.random() < 0.5)
    costs = ms.Costs(float(rng.choice([0.0, 0.001, 0.01])), float(rng.choice([0.0, 0.0005, 0.005])))
    bt = ms.backtest(
        bars, random_signals(rng, bars), costs=costs, sizing=random_sizing(rng), cash=100_000.0,
        fill=str(rng.choice(["next_open", "close"])), close_at_end=bool(rng.random() < 0.5),
    )  # fmt: skip
    equity = bt.equity["equity"].to_numpy()
    scale = max(1e5, np.abs(equity).max())
    assert abs(100_000.0 + bt.trades["pnl"].sum() - equity[-1]) <= 1e-9 * scale, seed
    cash = np.full(n, 100_000.0)
    position = np.zeros(n)
    bar_of = {int(t): i for i, t in enumerate(bars.time)}
    for stamp, side, size, price, fee in bt.orders.with_columns(bt.orders["timestamp"].to_physical()).iter_rows():
        signed = size if side == "buy" else -size
        cash[bar_of[stamp] :] -= signed * price + fee
        position[bar_of[stamp] :] += signed
    if bars.funding_rate is not None:
        # The position carried into an open is that of the close before.
        carried = np.concatenate(([0.0], bt.equity["position"].to_numpy()[:-1]))
        cash -= np.cumsum(np.nan_to_num(carried * bars.open * bars.funding_rate))
    np.testing.assert_allclose(cash + position * bars.close, equity, rtol=0, atol=1e-9 * scale, err_msg=str(seed))
    np.testing.assert_allclose(position, bt.equity["position"], rtol=0, atol=1e-9 * max(1.0, abs(position).max()))
    assert bt.metrics["final_equity"] == equity[-1]
    assert np.isclose(bt.metrics["funding"], bt.trades["funding"].sum(), rtol=1e-9, atol=1e-9 * scale)


@settings(max_examples=ACCOUNTS, deadline=None, derandomize=True, database=None,
          suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])  # fmt: skip
@given(st.integers(0, 2**32 - 1))
def test_the_accounting_identities_hold(seed: int) -> None:
    check_identities(seed)
