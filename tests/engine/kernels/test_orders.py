"""Strategies with limit orders of their own: the kernel against a plain loop, on random books."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from numba import njit

import maestro as ms
from maestro.bars import Bars
from maestro.strategies.signals import LOT, PRICE, SIDE, SPEND, UNITS
from maestro.strategies.steps import ORDER_STEP
from tests.engine.kernels.test_segments import market

SLOTS = 4


@njit(ORDER_STEP)
def replay_step(
    t: int, allowed: bool, bar: Any, columns: Any, numbers: Any, account: Any, state: Any, book: Any
) -> int:
    """Lay the orders that `columns` hold for bar t; a slot without a number keeps what it has."""
    state[0] += 1
    if not allowed:
        return 0
    for k in range(book.shape[0]):
        if columns[5 * k, t] == columns[5 * k, t]:
            book[k, SIDE] = columns[5 * k, t]
            book[k, PRICE] = columns[5 * k + 1, t]
            book[k, SPEND] = columns[5 * k + 2, t]
            book[k, UNITS] = columns[5 * k + 3, t]
            book[k, LOT] = columns[5 * k + 4, t]
    return 1 if columns[5 * book.shape[0], t] > 0 else 0


def random_orders(rng: np.random.Generator, bars: Bars) -> ms.Orders:
    n = len(bars)
    columns = np.full((5 * SLOTS + 1, n), np.nan)
    for k in range(SLOTS):
        set_here = rng.random(n) < 0.3
        side = rng.choice([-1.0, 0.0, 1.0, 1.0], n)
        offset = rng.choice([-0.02, -0.01, 0.0, 0.01, 0.02], n)
        by_cash = rng.random(n) < 0.5
        rows = columns[5 * k : 5 * k + 5]
        rows[0] = side
        rows[1] = np.round(bars.close * (1 + offset), 1)
        rows[2] = np.where(by_cash, rng.uniform(1e3, 6e4, n), 0.0)
        rows[3] = rng.uniform(1, 300, n)
        rows[4] = np.where(side > 0, k, np.where(rng.random(n) < 0.5, rng.integers(0, SLOTS, n), -1))
        rows[:, ~set_here] = np.nan
    columns[5 * SLOTS] = rng.random(n) < 0.02
    return ms.Orders(rng.random(n) < 0.8, step=replay_step, columns=columns, numbers=np.zeros(1), slots=SLOTS, state=1)


def simulate(bars: Bars, orders: ms.Orders, costs: ms.Costs, cash: float, close_at_end: bool) -> dict[str, Any]:
    """Walk the bars one by one: funding, liquidation or touched orders by distance from the open, then the close."""
    book: list[dict[str, float] | None] = [None] * SLOTS
    lots: list[dict[str, float]] = []
    equity, trades, liquidate = [], [], False

    def sell(lot: dict[str, float], units: float, price: float, bar: int, reason: str) -> None:
        nonlocal cash
        share = units / lot["units"]
        fee = units * price * costs.fee
        cash += units * price - fee
        fees, funding = lot["fee"] * share + fee, lot["funding"] * share
        trades.append((lot["bar"], bar, units, units * (price - lot["price"]) - fees - funding, reason))
        for name in ("fee", "funding"):
            lot[name] *= 1 - share
        lot["units"] -= units
        if share >= 1:
            lots.remove(lot)

    for t in range(len(bars)):
        opens = bars.open[t]
        low, high = min(bars.low[t], opens), max(bars.high[t], opens)
        if bars.funding_rate is not None and not math.isnan(bars.funding_rate[t]):
            for lot in lots:
                paid = lot["units"] * opens * bars.funding_rate[t]
                lot["funding"] += paid
                cash -= paid
        if liquidate:
            while lots:
                sell(lots[0], lots[0]["units"], opens * (1 - costs.slippage), t, "signal")
            liquidate = False
        else:
            touched = []
            for k, order in enumerate(book):
                if order is None:
                    continue
                if order["side"] > 0 and low <= order["price"]:
                    fill = min(order["price"], opens)
                elif order["side"] < 0 and high >= order["price"]:
                    fill = max(order["price"], opens)
                else:
                    continue
                touched.append((abs(fill - opens), order["side"], -order["side"] * order["price"], k, fill))
            for _, side, _, k, fill in sorted(touched):
                order = book[k]
                assert order is not None
                gross = fill * (1 + costs.fee)
                if side > 0:
                    units = order["spend"] / gross if order["spend"] > 0 else order["units"]
                    units = min(units, max(cash, 0.0) / gross)
                    if units <= 0:
                        continue
                    fee = units * fill * costs.fee
                    cash -= units * fill + fee
                    lots.append(
                        {"id": order["lot"], "units": units, "price": fill, "fee": fee, "bar": t, "funding": 0.0}
                    )
                    book[k] = None
                elif order["lot"] >= 0:
                    named = [lot for lot in lots if lot["id"] == order["lot"]]
                    if named:
                        sell(named[0], named[0]["units"], fill, t, "limit")
                        book[k] = None
                else:
                    wanted = order["spend"] / fill if order["spend"] > 0 else order["units"]
                    sold = 0.0
                    while wanted > sold and lots:
                        units = min(lots[0]["units"], wanted - sold)
                        sell(lots[0], units, fill, t, "limit")
                        sold += units
                    if sold > 0:
                        book[k] = None
        if t < len(bars) - 1:
            column = orders.columns[:, t]
            if orders.long_entry[t]:
                for k in range(SLOTS):
                    side, price, spend, units, lot = column[5 * k : 5 * k + 5]
                    if not math.isnan(side):
                        book[k] = (
                            {"side": side, "price": price, "spend": spend, "units": units, "lot": lot} if side else None
                        )
                if column[5 * SLOTS] > 0:
                    liquidate, book = True, [None] * SLOTS
        elif close_at_end:
            while lots:
                sell(lots[0], lots[0]["units"], bars.close[t] * (1 - costs.slippage), t, "end")
        equity.append(cash + sum(lot["units"] for lot in lots) * bars.close[t])
    for lot in lots:
        pnl = lot["units"] * (bars.close[-1] - lot["price"]) - lot["fee"] - lot["funding"]
        trades.append((lot["bar"], len(bars) - 1, lot["units"], pnl, "open"))
    return {"equity": equity, "trades": trades}


@pytest.mark.parametrize("seed", range(60))
def test_the_kernel_does_what_the_plain_loop_does(seed: int) -> None:
    rng = np.random.default_rng(seed)
    bars = market(rng, int(rng.choice([2, 30, 200, 600])), wild=float(rng.choice([0.003, 0.01])), funding=seed % 3 == 0)
    orders = random_orders(rng, bars)
    costs, close_at_end = ms.Costs(0.001, 0.0005), bool(seed % 2)
    expected = simulate(bars, orders, costs, 100_000.0, close_at_end)
    bt = ms.backtest(bars, orders, costs=costs, close_at_end=close_at_end)
    np.testing.assert_allclose(bt.equity["equity"], expected["equity"], rtol=1e-9, err_msg=str(seed))
    trades = bt.trades
    bar_of = {int(t): i for i, t in enumerate(bars.time)}
    assert trades["exit_reason"].to_list() == [row[4] for row in expected["trades"]], seed
    assert [bar_of[t] for t in trades["exit_time"].to_physical()] == [row[1] for row in expected["trades"]], seed
    np.testing.assert_allclose(trades["size"].to_numpy(), [row[2] for row in expected["trades"]], rtol=1e-9)
    np.testing.assert_allclose(trades["pnl"].to_numpy(), [row[3] for row in expected["trades"]], rtol=1e-7, atol=1e-5)
    assert 100_000 + trades["pnl"].sum() == pytest.approx(bt.metrics["final_equity"], rel=1e-9)
    assert bt.metrics["num_trades"] == sum(row[4] != "open" for row in expected["trades"])
    held = np.sign(bt.equity["position"].to_numpy())
    assert bt.metrics["exposure"] == pytest.approx(held.mean())


def test_random_books_trade_in_every_way() -> None:
    reasons: set[str] = set()
    for seed in range(20):
        rng = np.random.default_rng(seed)
        bars = market(rng, 600)
        bt = ms.backtest(bars, random_orders(rng, bars), close_at_end=bool(seed % 2))
        reasons |= set(bt.trades["exit_reason"])
    assert {"limit", "signal", "end", "open"} <= reasons


def test_a_book_of_one_slot_may_open_any_number_of_lots() -> None:
    bars = market(np.random.default_rng(3), 200)
    columns = np.full((5 * SLOTS + 1, len(bars)), np.nan)
    columns[:5] = np.array([1.0, 0.0, 100.0, 0.0, -1.0])[:, None]
    columns[1] = bars.high * 2  # every bar fills at its open
    columns[5 * SLOTS] = 0.0
    orders = ms.Orders(
        np.ones(len(bars), bool), step=replay_step, columns=columns, numbers=np.zeros(1), slots=SLOTS, state=1
    )
    bt = ms.backtest(bars, orders, close_at_end=True)
    assert len(bt.trades) == len(bars) - 1
