"""The grid against a plain loop of its own: fills inside the bar, order of fills, re-arming, giving up, sizing."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest

import maestro as ms
from maestro.bars import Bars
from maestro.strategies import signals as book_of
from maestro.strategies.builtin.grid import grid_step
from tests.indicators.plain_indicators import sma
from tests.strategies import markets
from tests.strategies.contract import RuleContract, family
from tests.strategies.plain_rules import bands

COSTS = ms.Costs(fee=0.001, slippage=0.0005)


class TestGrid(RuleContract):
    names = family("grid")


@dataclass
class Lot:
    """What a level bought."""

    units: float
    price: float
    fee: float
    funding: float = 0.0


@dataclass
class Plain:
    """Result of the plain loop: equity a bar, a row a closed lot."""

    equity: list[float] = field(default_factory=list)
    trades: list[tuple[float, float, float, str]] = field(default_factory=list)
    bought: int = 0


def simulate(bars: Bars, p: Any, sizing: ms.Sizing, costs: ms.Costs = COSTS, cash: float = 100_000.0) -> Plain:
    """Trade the written rule of the grid bar by bar."""
    result = Plain()
    close = bars.close.tolist()
    low_band, high_band = bands(close, p.period, p.num_std)
    mean = sma(close, p.period)
    lots: dict[int, Lot] = {}
    anchor = 0.0
    spend = units_each = 0.0
    armed: dict[int, float] = {}  # level: +1 a buy waits, -1 a sale
    leaving = False

    def close_lot(i: int, price: float, reason: str) -> None:
        nonlocal cash
        lot = lots.pop(i)
        fee = lot.units * price * costs.fee
        cash += lot.units * price - fee
        pnl = lot.units * (price - lot.price) - lot.fee - fee - lot.funding
        result.trades.append((lot.price, price, pnl, reason))

    for t in range(len(bars)):
        first = float(bars.open[t])
        high, low = max(float(bars.high[t]), first), min(float(bars.low[t]), first)
        if bars.funding_rate is not None and not np.isnan(bars.funding_rate[t]):
            for lot in lots.values():
                paid = lot.units * first * float(bars.funding_rate[t])
                cash -= paid
                lot.funding += paid
        if leaving:
            for i in list(lots):
                close_lot(i, first * (1 - costs.slippage), "signal")
            leaving = False
        else:
            touched = []
            for i, side in armed.items():
                price = anchor * (1 - (i if side < 0 else i + 1) * p.grid_size)
                fill = min(price, first) if side > 0 else max(price, first)
                if (low <= price) if side > 0 else (high >= price):
                    touched.append((abs(fill - first), side, price if side < 0 else -price, i, fill))
            for _, side, _, i, fill in sorted(touched):
                if side < 0:
                    close_lot(i, fill, "limit")
                    armed[i] = 1
                    continue
                gross = fill * (1 + costs.fee)
                units = min(spend / gross if spend else units_each, max(cash, 0.0) / gross)
                if units > 0:
                    cash -= units * gross
                    lots[i] = Lot(units, fill, units * fill * costs.fee)
                    armed[i] = -1
                    result.bought += 1
        equity = cash + sum(lot.units for lot in lots.values()) * close[t]
        result.equity.append(equity)
        if anchor and close[t] < anchor * (1 - (p.num_grids + 1) * p.grid_size):
            leaving, anchor, armed = True, 0.0, {}
        elif not lots and t >= p.period - 1 and low_band[t] <= close[t] <= high_band[t]:
            anchor = mean[t]
            armed = dict.fromkeys(range(p.num_grids), 1)
            spend = {"percent": sizing.value * equity, "cash": sizing.value, "units": 0.0}[sizing.kind] / p.num_grids
            units_each = sizing.value / p.num_grids if sizing.kind == "units" else 0.0
    return result


SIZINGS = [ms.Sizing.percent(1.0), ms.Sizing.percent(0.4), ms.Sizing.cash(60_000.0), ms.Sizing.units(300.0)]


@pytest.mark.parametrize("sizing", SIZINGS, ids=lambda s: f"{s.kind}-{s.value:g}")
@pytest.mark.parametrize("seed", range(6))
def test_trades_as_the_plain_loop(seed: int, sizing: ms.Sizing) -> None:
    rng = np.random.default_rng(seed)
    bars = markets.random_market(seed, 900, tick=0.125 if seed % 2 else None)
    strategy = ms.strategy(
        "GridTradingStrategy",
        grid_size=float(rng.choice([0.005, 0.01, 0.02])),
        num_grids=int(rng.integers(1, 8)),
        period=int(rng.integers(5, 30)),
        num_std=float(rng.uniform(1.0, 2.5)),
    )
    plain = simulate(bars, strategy.params, sizing)
    backtest = ms.backtest(bars, strategy, sizing=sizing, costs=COSTS)
    equity = backtest.equity["equity"].to_numpy()
    np.testing.assert_allclose(equity, plain.equity, rtol=1e-10, err_msg=f"seed {seed}: {strategy!r}")
    assert len(backtest.trades) == plain.bought > 0
    closed = backtest.trades.filter(backtest.trades["exit_reason"] != "open")
    rows = list(closed.select("entry_price", "exit_price", "pnl").iter_rows())
    assert closed["exit_reason"].to_list() == [reason for *_, reason in plain.trades]
    np.testing.assert_allclose(rows, [row[:3] for row in plain.trades], rtol=1e-9, atol=1e-7)


def test_trades_as_the_plain_loop_on_a_real_perpetual_with_funding() -> None:
    bars = markets.perpetual()
    strategy = ms.strategy("GridTradingStrategy")
    plain = simulate(bars, strategy.params, ms.Sizing.percent(1.0))
    equity = ms.backtest(bars, strategy, costs=COSTS).equity["equity"].to_numpy()
    np.testing.assert_allclose(equity, plain.equity, rtol=1e-10)
    assert {reason for *_, reason in plain.trades} == {"limit", "signal"}


def bars_of(rows: list[tuple[float, float, float, float]]) -> Bars:
    """Bars of (open, high, low, close), after a warm-up of ten closes around 100; the last is repeated to the end."""
    before = [(c, c, c, c) for c in (99.0, 101.0) * 5]
    table = np.array(before + rows + [rows[-1]] * (10 - len(rows)))
    n = len(table)
    columns = {"time": np.arange(n, dtype=np.int64) * markets.HOUR_US, "volume": np.ones(n)}
    columns |= {name: np.ascontiguousarray(table[:, i]) for i, name in enumerate(("open", "high", "low", "close"))}
    return Bars(columns, provider="", symbol="HAND", timeframe="1h", periods_per_year=8760.0)


def run(rows: list[tuple[float, float, float, float]], **params: Any) -> ms.Backtest:
    given = {"grid_size": 0.02, "num_grids": 2, "period": 10, "num_std": 2.0, **params}
    return ms.backtest(bars_of(rows), "GridTradingStrategy", params=given, costs=ms.Costs(fee=0.0, slippage=0.01))


def test_by_hand_buys_a_level_and_sells_it_one_level_up() -> None:
    # Anchor 100 at bar 9: buys at 98 and 96, sold at 100 and 98. Bar 10 touches 98, bar 11 reaches 100.
    trades = run([(99, 99, 97, 98), (98, 100, 97.5, 99), (99, 99, 99, 99)]).trades
    assert trades.select("entry_price", "exit_price", "exit_reason").rows() == [(98.0, 100.0, "limit")]
    assert trades["size"][0] == pytest.approx(50_000 / 98)


def test_by_hand_a_gap_fills_at_the_open_and_a_level_acts_once_a_bar() -> None:
    # Bar 10 opens at 95, below both levels: both fill there, and neither is sold in the same bar.
    backtest = run([(95, 101, 95, 100), (100, 100, 100, 100), (100, 100, 100, 100)])
    assert backtest.trades["entry_price"].to_list() == [95.0, 95.0]
    assert backtest.trades["exit_price"].to_list() == [100.0, 100.0]
    assert backtest.trades["exit_time"].n_unique() == 1
    assert backtest.trades["exit_time"][0] > backtest.trades["entry_time"][0]


def test_by_hand_gives_up_below_the_grid_at_the_next_open_with_slippage() -> None:
    # Floor: 100 · (1 − 3 · 0.02) = 94. The close of bar 10 is below; bar 11 sells at its open, and fills no limit.
    trades = run([(99, 99, 93, 93.9), (95, 100, 90, 95), (95, 95, 95, 95)]).trades
    given_up, later = trades[:2], trades[2:]
    assert given_up["entry_price"].to_list() == [98.0, 96.0]
    assert given_up["exit_price"].to_list() == pytest.approx([95 * 0.99] * 2)
    assert given_up["exit_reason"].to_list() == ["signal", "signal"]
    assert (later["entry_time"] > given_up["exit_time"][0]).all()  # laid again at that bar's close at the earliest


def test_by_hand_a_close_at_the_floor_holds_on() -> None:
    trades = run([(99, 99, 94, 94.0), (94, 94, 94, 94), (94, 94, 94, 94)]).trades
    assert trades["exit_reason"].to_list() == ["open", "open"]


def test_nothing_is_laid_before_the_warm_up_or_outside_a_window() -> None:
    bars = markets.bitfinex()[:2000]
    orders = ms.strategy("GridTradingStrategy").signals(bars)
    assert isinstance(orders, ms.Orders)
    np.testing.assert_array_equal(orders.long_entry, np.arange(2000) >= 19)
    inside = ms.backtest(bars, "GridTradingStrategy", window=(500, 900), close_at_end=True)
    first = inside.trades["entry_time"].min()
    assert bars[501:].start <= first
    assert set(inside.trades["exit_reason"].unique()) <= {"limit", "signal", "end"}


@pytest.mark.parametrize(("close", "laid"), [(95.0, True), (105.0, True), (94.99, False), (105.01, False)])
def test_a_close_on_a_band_is_within_the_bands(close: float, laid: bool) -> None:
    account = np.zeros(book_of.ACCOUNT_WIDTH)
    account[book_of.BUDGET], account[book_of.BUDGET_UNITS] = 1000.0, np.nan
    book, state = np.zeros((2, book_of.BOOK_WIDTH)), np.zeros(5)
    columns = np.array([[100.0], [95.0], [105.0]])
    bar = np.array([close, close, close, close, 1.0])
    assert grid_step(0, True, bar, columns, np.array([0.02]), account, state, book) == 0
    assert book[:, book_of.SIDE].tolist() == ([1.0, 1.0] if laid else [0.0, 0.0])
    assert book[:, book_of.PRICE].tolist() == ([98.0, 96.0] if laid else [0.0, 0.0])
    assert book[:, book_of.SPEND].tolist() == ([500.0, 500.0] if laid else [0.0, 0.0])
