"""One compiled pass over signals: what is held changes at few bars, and between them the equity is one vector.

The order of events inside a bar is written down in docs/engine.md. From the present state the kernel looks
for the next bar that matters (eight signals at a time), marks the stretch up to it, and trades.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import boolean, int64, njit, void

from maestro import metrics as m
from maestro.engine.account import (
    AT_CLOSE,
    CLOSE_AT_END,
    CLOSED,
    CUTS,
    END,
    FEE_SUM,
    FUNDING_SUM,
    GAINS,
    HELD,
    LOSSES,
    MONEY,
    NOTIONAL,
    PERIODS,
    POSITION,
    RUIN,
    RUINED_,
    SIGNAL,
    SLIP,
    SLIP_SUM,
    START_CASH,
    STATE_WIDTH,
    TARGETED,
    WINS,
    list_open,
    pay_funding,
    settle,
    trade_at,
)
from maestro.engine.protection import breach, set_levels
from maestro.engine.types import FLAGS, INDEX, SERIES, TABLE, WRITE_1D, WRITE_2D


@njit(cache=True, nogil=True)
def _next_either(first: Any, second: Any, begin: int, end: int) -> int:
    """First index in [begin, end) where either array is set, else `end`; eight values a step."""
    i = begin
    while i < end and i & 7:
        if first[i] or second[i]:
            return i
        i += 1
    words = end >> 3
    if i < end and (i >> 3) < words:
        wide_first = first[: words << 3].view(np.uint64)
        wide_second = second[: words << 3].view(np.uint64)
        w = i >> 3
        while w < words and (wide_first[w] | wide_second[w]) == 0:
            w += 1
        i = w << 3
    while i < end:
        if first[i] or second[i]:
            return i
        i += 1
    return end


@njit(cache=True, nogil=True)
def _mark(equity: Any, close: Any, money: float, position: float) -> None:
    for i in range(equity.shape[0]):
        equity[i] = money + position * close[i]


@njit(cache=True, nogil=True)
def _first_ruined(equity: Any) -> int:
    """Index of the first value at or below zero, -1 where there is none."""
    count = 0
    for i in range(equity.shape[0]):
        count += equity[i] <= 0.0
    if count:
        for i in range(equity.shape[0]):
            if equity[i] <= 0.0:
                return i
    return -1


@njit(cache=True, nogil=True)
def hold(
    state: Any, settings: Any, totals: Any, orders: Any, trades: Any, equity: Any, held: Any, opens: Any, close: Any,
    offset: int, begin: int, end: int, settlements: Any, rates: Any, cursor: int,
) -> tuple[int, int]:  # fmt: skip
    """Mark [begin, end) with what is held; pay funding at opens after `begin`, up to and including `end`'s.

    Returns (cursor into the settlements, bar of ruin or -1). At a ruin the position is closed at that close.
    """
    while cursor < settlements.shape[0] and settlements[cursor] <= begin:
        cursor += 1
    at = begin
    while True:
        position = state[POSITION]
        due = settlements[cursor] if position != 0.0 and cursor < settlements.shape[0] else end + 1
        stop = min(due, end)
        if stop > at:
            stretch = equity[at - offset : stop - offset]
            _mark(stretch, close[at:stop], state[MONEY], position)
            if held.shape[0]:
                held[at - offset : stop - offset] = position
            if position != 0.0:
                totals[HELD] += stop - at
            if position < 0.0 or state[MONEY] < 0.0 or position == 0.0:
                ruin = _first_ruined(stretch) if position != 0.0 else (0 if state[MONEY] <= 0.0 else -1)
                if ruin >= 0:
                    bar = at + ruin
                    if position != 0.0:
                        totals[HELD] -= stop - bar
                        settle(state, settings, totals, orders, trades, bar, close[bar], True, RUINED_)
                    return cursor, bar
            at = stop
        if due > end:
            return cursor, -1
        pay_funding(state, totals, opens[due], rates[due])
        cursor += 1


@njit(cache=True, nogil=True)
def finish(
    state: Any, settings: Any, totals: Any, orders: Any, trades: Any, equity: Any, held: Any, close: Any,
    end: int, ruin: int, out: Any,
) -> None:  # fmt: skip
    """End the account: flatten after a ruin or at the end of a fold, list what is open, write the metrics."""
    n = equity.shape[0]
    offset = end - n
    if ruin >= 0:
        totals[RUIN] = 1.0
        equity[ruin - offset :] = state[MONEY]
        if held.shape[0]:
            held[ruin - offset :] = 0.0
    elif state[POSITION] != 0.0:
        if settings[CLOSE_AT_END]:
            settle(state, settings, totals, orders, trades, end - 1, close[end - 1], True, END)
            totals[HELD] -= 1.0
            equity[n - 1] = state[MONEY]
            if held.shape[0]:
                held[n - 1] = 0.0
        else:
            list_open(state, totals, trades, end - 1, close[end - 1])
    out[m.RUINED] = totals[RUIN]
    out[m.TURNOVER] = totals[NOTIONAL]
    m.measure(equity, settings[START_CASH], settings[PERIODS], out)
    closed = totals[CLOSED]
    out[m.NUM_TRADES] = closed
    out[m.WIN_RATE] = totals[WINS] / closed if closed else np.nan
    out[m.PROFIT_FACTOR] = totals[GAINS] / totals[LOSSES] if totals[LOSSES] >= m.ZERO else np.nan
    out[m.EXPOSURE] = totals[HELD] / n
    out[m.FEES] = totals[FEE_SUM]
    out[m.SLIPPAGE] = totals[SLIP_SUM]
    out[m.FUNDING] = totals[FUNDING_SUM]
    out[m.CUT] = totals[CUTS]


@njit(
    void(
        SERIES, SERIES, SERIES, SERIES, SERIES, SERIES, INDEX, SERIES,
        FLAGS, FLAGS, FLAGS, FLAGS, boolean, SERIES, SERIES,
        SERIES, INDEX, SERIES, SERIES, TABLE, int64, int64, SERIES,
        WRITE_1D, WRITE_1D, WRITE_2D, WRITE_2D, WRITE_1D, WRITE_1D,
    ),
    cache=True,
    nogil=True,
)  # fmt: skip
def run_signals(
    opens: Any, close: Any, low: Any, high: Any, block_low: Any, block_high: Any, settlements: Any, rates: Any,
    long_entry: Any, long_exit: Any, short_entry: Any, short_exit: Any, protected: bool, stop: Any, target: Any,
    trail: Any, units: Any, bracket: Any, long_level: Any, ladder: Any, begin: int, end: int, settings: Any,
    equity: Any, held: Any, orders: Any, trades: Any, totals: Any, out: Any,
) -> None:  # fmt: skip
    """Trade four signal arrays over bars [begin, end); `equity` has a value for each of them.

    `held`, `orders`, `trades` may be empty: then only the equity and the metrics `out` are written.
    `protected` with `stop`, `target`, `trail` (empty or one a bar) and their `units`, or with a `bracket`.
    """
    state = np.zeros(STATE_WIDTH)
    state[MONEY] = settings[START_CASH]
    at_close = settings[AT_CLOSE] != 0.0
    lag = 0 if at_close else 1
    last = end - 1  # a signal on the last bar is void
    at = begin  # first bar not yet marked
    decide = begin  # first bar whose signals count
    cursor = 0
    ruin = -1
    while True:
        side = 0 if state[POSITION] == 0.0 else (1 if state[POSITION] > 0.0 else -1)
        direction = 0
        exits = False
        bar = decide
        while True:
            if side == 0:
                bar = _next_either(long_entry, short_entry, bar, last)
            elif side > 0:
                bar = _next_either(long_exit, short_entry, bar, last)
            else:
                bar = _next_either(short_exit, long_entry, bar, last)
            if bar >= last:
                break
            enters_long = long_entry[bar] and not long_exit[bar]
            enters_short = short_entry[bar] and not short_exit[bar]
            if enters_long != enters_short:
                direction = 1 if enters_long else -1
            if direction == side:
                direction = 0
            exits = (side > 0 and long_exit[bar]) or (side < 0 and short_exit[bar])
            if direction != 0 or exits:
                break
            bar += 1
        found = bar < last
        fill = bar + lag if found else end
        if protected and side != 0:
            check_to = bar + 1 if found else end
            check_from = at + 1 if at_close else at
            if side > 0:
                hit, reason, price = breach(
                    state, side, check_from, check_to, opens, close, low, high, block_low, block_high, units[2], ladder
                )
            else:
                hit, reason, price = breach(
                    state, side, check_from, check_to, opens, close, high, low, block_high, block_low, units[2], ladder
                )
            if hit >= 0:
                cursor, ruin = hold(
                    state, settings, totals, orders, trades, equity, held, opens, close, begin, at, hit,
                    settlements, rates, cursor,
                )  # fmt: skip
                if ruin >= 0:
                    break
                settle(state, settings, totals, orders, trades, hit, price, reason != TARGETED, reason)
                at = decide = hit
                continue
        # With nothing to fill, the stretch ends with the window and no settlement lies beyond it.
        cursor, ruin = hold(
            state, settings, totals, orders, trades, equity, held, opens, close, begin, at, fill,
            settlements, rates, cursor,
        )  # fmt: skip
        if ruin >= 0 or not found:
            break
        reference = close[fill] if at_close else opens[fill]
        if direction == 0:
            settle(state, settings, totals, orders, trades, fill, reference, True, SIGNAL)
        else:
            allowed = True
            if bracket.shape[0] and direction < 0:
                allowed = stop[bar] > reference * (1.0 - settings[SLIP])
            trade_at(state, settings, totals, orders, trades, fill, reference, direction, allowed, close, bar)
            if protected and state[POSITION] != 0.0:
                set_levels(state, direction, bar, stop, target, trail, units, bracket, long_level)
        at = fill
        decide = fill + 1 - lag
    finish(state, settings, totals, orders, trades, equity, held, close, end, ruin, out)
