"""The account of a compiled simulation: cash, the open position, the books of orders and trades.

State lives in small float64 arrays, so that every kernel shares these functions and their arithmetic.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numba import njit

from maestro.engine.sizing import CASH, PERCENT, UNITS

# Account state.
MONEY, POSITION, ENTRY_PRICE, ENTRY_FEE, PAID_FUNDING, ENTRY_BAR, BEST, STOP, TARGET, TRAIL, RUNG = range(11)
STATE_WIDTH = 11
# Running totals.
WINS, GAINS, LOSSES, CLOSED, NOTIONAL, FEE_SUM, SLIP_SUM, FUNDING_SUM, CUTS, HELD, RUIN, N_ORDERS, N_TRADES = range(13)
TOTALS_WIDTH = 13
# Settings of a simulation.
FEE, SLIP, START_CASH, SIZE_KIND, SIZE_VALUE, MAX_EXPOSURE, PERIODS, AT_CLOSE, CLOSE_AT_END = range(9)
SETTINGS_WIDTH = 9
# Columns of the books.
ORDER_BAR, ORDER_SIDE, ORDER_SIZE, ORDER_PRICE, ORDER_FEE = range(5)
ORDER_WIDTH = 5
(T_SIDE, T_ENTRY_BAR, T_EXIT_BAR, T_ENTRY_PRICE, T_EXIT_PRICE, T_SIZE, T_FEES, T_FUNDING, T_PNL, T_REASON) = range(10)
TRADE_WIDTH = 10
REASONS = ("signal", "reversal", "stop", "trail", "target", "limit", "end", "open", "ruin")
SIGNAL, REVERSAL, STOPPED, TRAILED, TARGETED, LIMIT, END, OPEN, RUINED_ = range(len(REASONS))

VOLATILITY_RETURNS = 30


@njit(cache=True, nogil=True)
def note_order(totals: Any, orders: Any, bar: int, side: int, units: float, price: float, fee: float) -> None:
    """Count an order and, where a book is kept, write it down."""
    k = int(totals[N_ORDERS])
    totals[N_ORDERS] += 1.0
    totals[NOTIONAL] += units * price
    totals[FEE_SUM] += fee
    if k < orders.shape[0]:
        orders[k, ORDER_BAR] = bar
        orders[k, ORDER_SIDE] = side
        orders[k, ORDER_SIZE] = units
        orders[k, ORDER_PRICE] = price
        orders[k, ORDER_FEE] = fee


@njit(cache=True, nogil=True)
def note_trade(
    totals: Any, trades: Any, side: int, entry_bar: int, bar: int, entry: float, price: float, units: float,
    fees: float, funding: float, reason: int,
) -> None:  # fmt: skip
    """Count a trade and, where a book is kept, write it down; one that is still open is listed, not counted."""
    pnl = side * units * (price - entry) - fees - funding
    if reason != OPEN:
        totals[CLOSED] += 1.0
        if pnl > 0.0:
            totals[WINS] += 1.0
            totals[GAINS] += pnl
        else:
            totals[LOSSES] -= pnl
    k = int(totals[N_TRADES])
    totals[N_TRADES] += 1.0
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


@njit(cache=True, nogil=True, error_model="numpy")
def entry_units(settings: Any, totals: Any, equity: float, price: float, close: Any, signal_bar: int) -> float:
    """Units of an entry at `price`, 0 where there is none to be had; `close` up to the signal bar sets volatility."""
    if equity <= 0.0:
        return 0.0
    gross = price * (1.0 + settings[FEE])
    kind = int(settings[SIZE_KIND])
    value = settings[SIZE_VALUE]
    limit = settings[MAX_EXPOSURE]
    if kind == PERCENT:
        return value * equity / gross
    if kind == CASH:
        units = value / gross
    elif kind == UNITS:
        units = value
    else:
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
        annual = math.sqrt(square / (VOLATILITY_RETURNS - 1) * settings[PERIODS])
        share = value / annual if annual > 0.0 else np.inf
        return min(limit, share) * equity / gross
    most = limit * equity / gross
    if units > most:
        totals[CUTS] += 1.0
        return most
    return units


@njit(cache=True, nogil=True)
def settle(
    state: Any,
    settings: Any,
    totals: Any,
    orders: Any,
    trades: Any,
    bar: int,
    reference: float,
    slipped: bool,
    reason: int,
) -> None:
    """Close the whole position around `reference`, slipped against it where the fill is a market or stop fill."""
    position = state[POSITION]
    side = 1 if position > 0.0 else -1
    units = abs(position)
    price = reference * (1.0 - side * settings[SLIP]) if slipped else reference
    fee = units * price * settings[FEE]
    state[MONEY] += position * price - fee
    totals[SLIP_SUM] += units * abs(price - reference)
    note_order(totals, orders, bar, -side, units, price, fee)
    note_trade(
        totals, trades, side, int(state[ENTRY_BAR]), bar, state[ENTRY_PRICE], price, units,
        state[ENTRY_FEE] + fee, state[PAID_FUNDING], reason,
    )  # fmt: skip
    state[POSITION] = 0.0


@njit(cache=True, nogil=True)
def trade_at(
    state: Any, settings: Any, totals: Any, orders: Any, trades: Any, bar: int, reference: float, side: int,
    allowed: bool, close: Any, signal_bar: int,
) -> None:  # fmt: skip
    """Fill a market order that closes what is held (if anything) and, where `allowed`, opens `side`.

    Both legs of a reversal are one row of `orders` at one price, and the fee is split by units.
    """
    held = state[POSITION]
    price = reference * (1.0 + side * settings[SLIP])
    closed = abs(held)
    fee = 0.0
    if closed > 0.0:
        fee = closed * price * settings[FEE]
        state[MONEY] += held * price - fee
        state[POSITION] = 0.0
    opened = entry_units(settings, totals, state[MONEY], price, close, signal_bar) if allowed else 0.0
    if not opened > 0.0:
        opened = 0.0
    if closed > 0.0:
        note_trade(
            totals, trades, -side, int(state[ENTRY_BAR]), bar, state[ENTRY_PRICE], price, closed,
            state[ENTRY_FEE] + fee, state[PAID_FUNDING], REVERSAL if opened > 0.0 else SIGNAL,
        )  # fmt: skip
    if opened > 0.0:
        entry_fee = opened * price * settings[FEE]
        state[MONEY] -= side * opened * price + entry_fee
        state[POSITION] = side * opened
        state[ENTRY_PRICE] = price
        state[ENTRY_FEE] = entry_fee
        state[PAID_FUNDING] = 0.0
        state[ENTRY_BAR] = bar
    traded = closed + opened
    if traded > 0.0:
        totals[SLIP_SUM] += traded * abs(price - reference)
        note_order(totals, orders, bar, side, traded, price, traded * price * settings[FEE])


@njit(cache=True, nogil=True)
def pay_funding(state: Any, totals: Any, price: float, rate: float) -> None:
    """Settle funding on the position carried into an open: a positive rate is paid by longs."""
    paid = state[POSITION] * price * rate
    state[MONEY] -= paid
    state[PAID_FUNDING] += paid
    totals[FUNDING_SUM] += paid


@njit(cache=True, nogil=True)
def list_open(state: Any, totals: Any, trades: Any, bar: int, price: float) -> None:
    """List the position still open at the last close, marked there without costs."""
    side = 1 if state[POSITION] > 0.0 else -1
    note_trade(
        totals, trades, side, int(state[ENTRY_BAR]), bar, state[ENTRY_PRICE], price, abs(state[POSITION]),
        state[ENTRY_FEE], state[PAID_FUNDING], OPEN,
    )  # fmt: skip
