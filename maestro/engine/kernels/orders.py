"""One compiled pass for strategies that work with their own resting limit orders, filled inside the bar."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import int64, types, void

from maestro._core.compiled import njit
from maestro.engine.kernels import account as ac
from maestro.engine.kernels.types import FLAGS, INDEX, SERIES, TABLE, WRITE_1D, WRITE_2D
from maestro.engine.sizing import CASH as SIZED_IN_CASH
from maestro.engine.sizing import PERCENT as SIZED_IN_PERCENT
from maestro.engine.sizing import UNITS as SIZED_IN_UNITS
from maestro.strategies import signals as book_of
from maestro.strategies.steps import ORDER_STEP

# Columns of the open lots: the orders' number, units, entry price, entry fee, entry bar, funding paid.
_ID, _UNITS, _PRICE, _FEE, _BAR, _FUNDING = range(6)
_LOT_WIDTH = 6
_MONEY = 0  # the account's state is its cash
_SIDE, _LIMIT, _SPEND, _SIZE, _LOT, _FILLED, _FILL = (
    book_of.SIDE, book_of.PRICE, book_of.SPEND, book_of.UNITS, book_of.LOT, book_of.FILLED, book_of.FILL_PRICE,
)  # fmt: skip
_SEEN = (
    book_of.CASH, book_of.POSITION, book_of.EQUITY, book_of.BUDGET, book_of.BUDGET_UNITS, book_of.FEE, book_of.LIVE,
)  # fmt: skip
_CASH, _HOLDS, _EQUITY, _BUDGET, _BUDGET_UNITS, _FEE_RATE, _LIVE = _SEEN


@njit(cache=True, nogil=True, borrows=True)
def _best_touched(book: Any, done: Any, first: float, low: float, high: float) -> int:
    """Row of the order that fills next in this bar, -1 for none.

    Nearest fill price to the open first; at equal distance sells before buys, then the lower level among
    sells and the higher among buys.
    """
    best = -1
    nearest = np.inf
    for k in range(book.shape[0]):
        side = book[k, _SIDE]
        if done[k] or side == 0.0:
            continue
        level = book[k, _LIMIT]
        if (side > 0.0 and low > level) or (side < 0.0 and high < level):
            continue
        fill = min(level, first) if side > 0.0 else max(level, first)
        distance = abs(fill - first)
        if best >= 0 and distance == nearest:
            rival = book[best, _SIDE]
            if side == rival:
                closer = level > book[best, _LIMIT] if side > 0.0 else level < book[best, _LIMIT]
            else:
                closer = side < rival
        else:
            closer = distance < nearest
        if closer:
            best = k
            nearest = distance
    return best


@njit(cache=True, nogil=True, borrows=True)
def _note_order(totals: Any, orders: Any, bar: int, side: int, units: float, price: float, fee: float) -> None:
    """Count an order and write it down."""
    ac.write_order(orders, int(totals[ac.N_ORDERS]), bar, side, units, price, fee)
    totals[ac.N_ORDERS] += 1.0
    totals[ac.NOTIONAL] += units * price
    totals[ac.FEE_SUM] += fee


@njit(cache=True, nogil=True, borrows=True)
def _close_lot(
    state: Any, settings: Any, totals: Any, trades: Any, lots: Any, count: int, k: int, units: float, bar: int,
    price: float, reason: int,
) -> int:  # fmt: skip
    """Close `units` of lot `k` (all of it: the lot goes) at `price`; returns the number of lots left."""
    share = units / lots[k, _UNITS]
    entry_fee = lots[k, _FEE] * share
    funding = lots[k, _FUNDING] * share
    fee = units * price * settings[ac.FEE]
    state[_MONEY] += units * price - fee
    pnl = units * (price - lots[k, _PRICE]) - entry_fee - fee - funding
    totals[ac.CLOSED] += 1.0
    if pnl > 0.0:
        totals[ac.WINS] += 1.0
        totals[ac.GAINS] += pnl
    else:
        totals[ac.LOSSES] -= pnl
    ac.write_trade(
        trades, int(totals[ac.N_TRADES]), 1, int(lots[k, _BAR]), bar, lots[k, _PRICE], price, units, entry_fee + fee,
        funding, pnl, reason,
    )  # fmt: skip
    totals[ac.N_TRADES] += 1.0
    if share < 1.0:
        lots[k, _UNITS] -= units
        lots[k, _FEE] -= entry_fee
        lots[k, _FUNDING] -= funding
        return count
    for j in range(k, count - 1):
        for column in range(_LOT_WIDTH):
            lots[j, column] = lots[j + 1, column]
    return count - 1


@njit(cache=True, nogil=True, borrows=True)
def _held(lots: Any, count: int) -> float:
    total = 0.0
    for k in range(count):
        total += lots[k, _UNITS]
    return total


@njit(cache=True, nogil=True, borrows=True)
def _sell_all(
    state: Any, settings: Any, totals: Any, orders: Any, trades: Any, lots: Any, count: int, bar: int,
    reference: float, reason: int,
) -> None:  # fmt: skip
    """Sell every lot at one slipped price: one order, a trade a lot."""
    units = _held(lots, count)
    price = reference * (1.0 - settings[ac.SLIP])
    totals[ac.SLIP_SUM] += units * (reference - price)
    _note_order(totals, orders, bar, -1, units, price, units * price * settings[ac.FEE])
    while count:
        count = _close_lot(state, settings, totals, trades, lots, count, 0, lots[0, _UNITS], bar, price, reason)


@njit(cache=True, nogil=True, borrows=True)
def _fill_buy(
    state: Any, settings: Any, totals: Any, orders: Any, book: Any, k: int, lots: Any, count: int, bar: int,
    price: float,
) -> int:  # fmt: skip
    """Fill a buy, cut to the cash there is; returns the number of lots (unchanged where nothing was bought)."""
    gross = price * (1.0 + settings[ac.FEE])
    affordable = max(state[_MONEY], 0.0) / gross
    units = book[k, _SPEND] / gross if book[k, _SPEND] > 0.0 else book[k, _SIZE]
    if units > affordable:
        if units > affordable * (1.0 + 1e-9):  # rounding of a purchase that spends all is no cut
            totals[ac.CUTS] += 1.0
        units = affordable
    if units <= 0.0:
        return count
    fee = units * price * settings[ac.FEE]
    state[_MONEY] -= units * price + fee
    lots[count, _ID] = book[k, _LOT]
    lots[count, _UNITS] = units
    lots[count, _PRICE] = price
    lots[count, _FEE] = fee
    lots[count, _BAR] = bar
    lots[count, _FUNDING] = 0.0
    _note_order(totals, orders, bar, 1, units, price, fee)
    book[k, _SIDE] = 0.0
    book[k, _FILLED] = units
    book[k, _FILL] = price
    return count + 1


@njit(cache=True, nogil=True, borrows=True)
def _fill_sell(
    state: Any, settings: Any, totals: Any, orders: Any, trades: Any, book: Any, k: int, lots: Any, count: int,
    bar: int, price: float,
) -> int:  # fmt: skip
    """Fill a sale: the lot it names, whole, or first in first out up to what is held; returns the lots left."""
    sold = 0.0
    if book[k, _LOT] >= 0.0:
        for j in range(count):
            if lots[j, _ID] == book[k, _LOT]:
                sold = lots[j, _UNITS]
                count = _close_lot(state, settings, totals, trades, lots, count, j, sold, bar, price, ac.LIMIT)
                break
    else:
        wanted = book[k, _SPEND] / price if book[k, _SPEND] > 0.0 else book[k, _SIZE]
        while wanted > sold and count:
            units = min(lots[0, _UNITS], wanted - sold)
            count = _close_lot(state, settings, totals, trades, lots, count, 0, units, bar, price, ac.LIMIT)
            sold += units
    if sold > 0.0:
        _note_order(totals, orders, bar, -1, sold, price, sold * price * settings[ac.FEE])
        book[k, _SIDE] = 0.0
        book[k, _FILLED] = sold
        book[k, _FILL] = price
    return count


@njit(cache=True, nogil=True, borrows=True)
def _show(
    account: Any, state: Any, settings: Any, totals: Any, equity: float, held: float, count: int, close: Any, bar: int
) -> None:
    """Write what the step may know of the account at a close."""
    kind = int(settings[ac.SIZE_KIND])
    account[_CASH] = state[_MONEY]
    account[_HOLDS] = held
    account[_EQUITY] = equity
    account[_BUDGET] = np.nan
    account[_BUDGET_UNITS] = np.nan
    if kind == SIZED_IN_UNITS:
        account[_BUDGET_UNITS] = settings[ac.SIZE_VALUE]
    elif kind == SIZED_IN_CASH:
        account[_BUDGET] = settings[ac.SIZE_VALUE]
    elif kind == SIZED_IN_PERCENT:
        account[_BUDGET] = settings[ac.SIZE_VALUE] * equity
    else:
        gross = close[bar] * (1.0 + settings[ac.FEE])
        account[_BUDGET] = ac.entry_units(settings, equity, close[bar], close, bar)[0] * gross
    account[_FEE_RATE] = settings[ac.FEE]
    account[_LIVE] = count


@njit(
    void(
        SERIES, SERIES, SERIES, SERIES, SERIES, SERIES, SERIES, INDEX, SERIES,
        types.FunctionType(ORDER_STEP), FLAGS, TABLE, SERIES, int64, int64, int64, int64, SERIES,
        WRITE_1D, WRITE_1D, WRITE_2D, WRITE_2D, WRITE_1D, WRITE_1D,
    ),
    cache=True,
    nogil=True,
)  # fmt: skip
def run_orders(
    opens: Any, high: Any, low: Any, close: Any, volume: Any, wide_low: Any, wide_high: Any, settlements: Any,
    rates: Any, step: Any, allowed: Any, columns: Any, numbers: Any, n_slots: int, n_state: int, begin: int, end: int,
    settings: Any, equity: Any, held: Any, orders: Any, trades: Any, totals: Any, out: Any,
) -> None:  # fmt: skip
    """Trade a strategy's order step over bars [begin, end).

    `wide_low`, `wide_high` are the bar's range widened to its open; the rest as in `run_signals`.
    """
    state = np.zeros(1)
    state[_MONEY] = settings[ac.START_CASH]
    book = np.zeros((n_slots, book_of.BOOK_WIDTH))
    account = np.zeros(book_of.ACCOUNT_WIDTH)
    memory = np.zeros(n_state)
    bar_values = np.empty(5)
    lots = np.empty((max(n_slots, 1), _LOT_WIDTH))
    done = np.zeros(n_slots, np.bool_)
    count = 0
    give_up = False
    cursor = 0
    ruin = -1
    while cursor < settlements.shape[0] and settlements[cursor] <= begin:
        cursor += 1
    for bar in range(begin, end):
        if cursor < settlements.shape[0] and settlements[cursor] == bar:
            for k in range(count):
                paid = lots[k, _UNITS] * opens[bar] * rates[bar]
                state[_MONEY] -= paid
                lots[k, _FUNDING] += paid
                totals[ac.FUNDING_SUM] += paid
            cursor += 1
        if give_up:
            give_up = False
            if count:
                _sell_all(state, settings, totals, orders, trades, lots, count, bar, opens[bar], ac.SIGNAL)
                count = 0
        else:
            done[:] = False
            while True:
                k = _best_touched(book, done, opens[bar], wide_low[bar], wide_high[bar])
                if k < 0:
                    break
                done[k] = True
                if book[k, _SIDE] > 0.0:
                    price = min(book[k, _LIMIT], opens[bar])
                    if count == lots.shape[0]:
                        more = np.empty((2 * count, _LOT_WIDTH))
                        more[:count] = lots
                        lots = more
                    count = _fill_buy(state, settings, totals, orders, book, k, lots, count, bar, price)
                else:
                    price = max(book[k, _LIMIT], opens[bar])
                    count = _fill_sell(state, settings, totals, orders, trades, book, k, lots, count, bar, price)
        units = _held(lots, count)
        value = state[_MONEY] + units * close[bar]
        equity[bar - begin] = value
        if held.shape[0]:
            held[bar - begin] = units
        if count:
            totals[ac.HELD] += 1.0
        if value <= 0.0:
            if count:
                totals[ac.HELD] -= 1.0
                _sell_all(state, settings, totals, orders, trades, lots, count, bar, close[bar], ac.RUINED)
                count = 0
            ruin = bar
            break
        if bar < end - 1:
            _show(account, state, settings, totals, value, units, count, close, bar)
            bar_values[0], bar_values[1], bar_values[2] = opens[bar], high[bar], low[bar]
            bar_values[3], bar_values[4] = close[bar], volume[bar]
            if step(bar, allowed[bar], bar_values, columns, numbers, account, memory, book) == 1:
                give_up = True
                book[:, _SIDE] = 0.0
            book[:, _FILLED] = 0.0
    if ruin >= 0:
        totals[ac.RUIN] = 1.0
        equity[ruin - begin :] = state[_MONEY]
        if held.shape[0]:
            held[ruin - begin :] = 0.0
    elif count and settings[ac.CLOSE_AT_END]:
        _sell_all(state, settings, totals, orders, trades, lots, count, end - 1, close[end - 1], ac.END)
        totals[ac.HELD] -= 1.0
        equity[end - 1 - begin] = state[_MONEY]
        if held.shape[0]:
            held[end - 1 - begin] = 0.0
    else:
        for k in range(count):
            pnl = lots[k, _UNITS] * (close[end - 1] - lots[k, _PRICE]) - lots[k, _FEE] - lots[k, _FUNDING]
            ac.write_trade(
                trades, int(totals[ac.N_TRADES]), 1, int(lots[k, _BAR]), end - 1, lots[k, _PRICE], close[end - 1],
                lots[k, _UNITS], lots[k, _FEE], lots[k, _FUNDING], pnl, ac.OPEN,
            )  # fmt: skip
            totals[ac.N_TRADES] += 1.0
    ac.summarise(totals, settings, equity, out)
