"""What every kernel shares: the size of an entry, the books of orders and trades, the summary at the end."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from maestro import metrics as m
from maestro._core.compiled import njit
from maestro.engine.sizing import CASH, PERCENT, UNITS

# Running totals of a simulation.
WINS, GAINS, LOSSES, CLOSED, NOTIONAL, FEE_SUM, SLIP_SUM, FUNDING_SUM, CUTS, HELD, RUIN, N_ORDERS, N_TRADES = range(13)
TOTALS_WIDTH = 13
# Settings of a simulation; the lowest and highest close of the window bound what a position can lose.
(
    FEE, SLIP, START_CASH, SIZE_KIND, SIZE_VALUE, MAX_EXPOSURE, PERIODS, AT_CLOSE, CLOSE_AT_END, LOWEST, HIGHEST,
) = range(11)  # fmt: skip
# Columns of the books.
ORDER_BAR, ORDER_SIDE, ORDER_SIZE, ORDER_PRICE, ORDER_FEE = range(5)
ORDER_WIDTH = 5
T_SIDE, T_ENTRY_BAR, T_EXIT_BAR, T_ENTRY_PRICE, T_EXIT_PRICE, T_SIZE, T_FEES, T_FUNDING, T_PNL, T_REASON = range(10)
TRADE_WIDTH = 10
REASONS = ("signal", "reversal", "stop", "trail", "target", "limit", "end", "open", "ruin")
SIGNAL, REVERSAL, STOPPED, TRAILED, TARGETED, LIMIT, END, OPEN, RUINED = range(len(REASONS))

VOLATILITY_RETURNS = 30


@njit(cache=True, nogil=True, borrows=True, error_model="numpy")
def volatility_share(close: Any, signal_bar: int, target: float, periods: float) -> float:
    """Share of equity whose annual volatility is `target`, by the last 30 returns up to the signal bar; 0 if fewer."""
    if signal_bar < VOLATILITY_RETURNS:
        return 0.0
    mean = 0.0
    for i in range(signal_bar - VOLATILITY_RETURNS + 1, signal_bar + 1):
        mean += close[i] / close[i - 1] - 1.0
    mean /= VOLATILITY_RETURNS
    square = 0.0
    for i in range(signal_bar - VOLATILITY_RETURNS + 1, signal_bar + 1):
        deviation = close[i] / close[i - 1] - 1.0 - mean
        square += deviation * deviation
    annual = math.sqrt(square / (VOLATILITY_RETURNS - 1) * periods)
    return target / annual if annual > 0.0 else np.inf


@njit(cache=True, nogil=True, borrows=True, error_model="numpy")
def entry_units(settings: Any, equity: float, price: float, close: Any, signal_bar: int) -> tuple[float, bool]:
    """Units of an entry at `price` (0: none is to be had) and whether they were cut to the largest exposure."""
    if equity <= 0.0:
        return 0.0, False
    gross = price * (1.0 + settings[FEE])
    kind = settings[SIZE_KIND]
    value = settings[SIZE_VALUE]
    limit = settings[MAX_EXPOSURE]
    if kind == PERCENT:
        return value * equity / gross, False
    if kind != CASH and kind != UNITS:
        share = volatility_share(close, signal_bar, value, settings[PERIODS])
        return min(limit, share) * equity / gross, False
    units = value / gross if kind == CASH else value
    most = limit * equity / gross
    return min(units, most), units > most


@njit(cache=True, nogil=True, borrows=True)
def write_order(orders: Any, k: int, bar: int, side: int, units: float, price: float, fee: float) -> None:
    """Write down an order where a book is kept."""
    if k < orders.shape[0]:
        orders[k, ORDER_BAR] = bar
        orders[k, ORDER_SIDE] = side
        orders[k, ORDER_SIZE] = units
        orders[k, ORDER_PRICE] = price
        orders[k, ORDER_FEE] = fee


@njit(cache=True, nogil=True, borrows=True)
def write_trade(
    trades: Any, k: int, side: int, entry_bar: int, bar: int, entry: float, price: float, units: float,
    fees: float, funding: float, pnl: float, reason: int,
) -> None:  # fmt: skip
    """Write down a trade where a book is kept."""
    if k < trades.shape[0]:
        trades[k, T_SIDE] = side
        trades[k, T_ENTRY_BAR] = entry_bar
        trades[k, T_EXIT_BAR] = bar
        trades[k, T_ENTRY_PRICE] = entry
        trades[k, T_EXIT_PRICE] = price
        trades[k, T_SIZE] = units
        trades[k, T_FEES] = fees
        trades[k, T_FUNDING] = funding
        trades[k, T_PNL] = pnl
        trades[k, T_REASON] = reason


@njit(cache=True, nogil=True, borrows=True)
def summarise(totals: Any, settings: Any, equity: Any, out: Any) -> None:
    """Write the metrics of a finished run into `out` (see `maestro.metrics.NAMES`)."""
    out[m.RUINED] = totals[RUIN]
    out[m.TURNOVER] = totals[NOTIONAL]
    m.measure(equity, settings[START_CASH], settings[PERIODS], out)
    closed = totals[CLOSED]
    out[m.NUM_TRADES] = closed
    out[m.WIN_RATE] = totals[WINS] / closed if closed else np.nan
    out[m.PROFIT_FACTOR] = totals[GAINS] / totals[LOSSES] if totals[LOSSES] >= m.ZERO else np.nan
    out[m.EXPOSURE] = totals[HELD] / equity.shape[0]
    out[m.FEES] = totals[FEE_SUM]
    out[m.SLIPPAGE] = totals[SLIP_SUM]
    out[m.FUNDING] = totals[FUNDING_SUM]
    out[m.CUT] = totals[CUTS]
