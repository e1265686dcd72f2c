"""One compiled pass over signals: what is held changes at few bars, and between them the equity is one vector.

The order of events inside a bar is written down in docs/engine.md. From the present state the kernel looks
for the next bar that matters (eight signals at a time), marks the stretch up to it, and trades.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import boolean, int64, void

from maestro._core.compiled import njit
from maestro.engine.kernels import account as ac
from maestro.engine.kernels.protection import breach, levels_of, risk_units
from maestro.engine.kernels.types import FLAGS, INDEX, SERIES, TABLE, WRITE_1D, WRITE_2D
from maestro.engine.sizing import PERCENT as SIZED_IN_PERCENT
from maestro.engine.sizing import RISK as SIZED_AT_RISK

_ALL = np.uint64(0xFFFFFFFFFFFFFFFF)
_UPPER_4 = np.uint64(0xFFFFFFFF00000000)
_UPPER_2 = np.uint64(0xFFFF0000FFFF0000)
_UPPER_1 = np.uint64(0xFF00FF00FF00FF00)


@njit(cache=True, nogil=True, borrows=True)
def _next_either(first: Any, second: Any, first_words: Any, second_words: Any, begin: int, end: int) -> int:
    """First index in [begin, end) where either array is set, else `end`; eight values a step."""
    words = end >> 3
    w = begin >> 3
    if w < words:
        word = (first_words[w] | second_words[w]) & (_ALL << np.uint64((begin & 7) << 3))
        while word == 0 and w < words - 1:
            w += 1
            word = first_words[w] | second_words[w]
        if word != 0:
            lowest = word & (~word + np.uint64(1))
            byte = 4 * ((lowest & _UPPER_4) != 0) + 2 * ((lowest & _UPPER_2) != 0) + ((lowest & _UPPER_1) != 0)
            return (w << 3) + byte
        begin = words << 3
    for i in range(begin, end):
        if first[i] or second[i]:
            return i
    return end


@njit(cache=True, nogil=True, borrows=True)
def _first_ruined(equity: Any) -> int:
    """Index of the first value at or below zero, -1 where there is none."""
    for i in range(equity.shape[0]):
        if equity[i] <= 0.0:
            return i
    return -1


@njit(
    void(
        SERIES, SERIES, SERIES, SERIES, SERIES, SERIES, INDEX, SERIES,
        FLAGS, FLAGS, FLAGS, FLAGS, boolean, SERIES, SERIES,
        SERIES, INDEX, SERIES, SERIES, TABLE, int64, int64, SERIES,
        WRITE_1D, WRITE_1D, WRITE_2D, WRITE_2D, WRITE_1D, WRITE_1D,
    ),
    cache=True,
    nogil=True,
    borrows=True,
    error_model="numpy",
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
    `settlements` are the bars of the window that settle funding.

    The account is kept in plain local numbers: with the same in arrays and helper functions a trade costs 300 ns
    instead of 50.
    """
    fee_rate, slip, money = settings[ac.FEE], settings[ac.SLIP], settings[ac.START_CASH]
    at_close, close_at_end = settings[ac.AT_CLOSE] != 0.0, settings[ac.CLOSE_AT_END] != 0.0
    lowest, highest = settings[ac.LOWEST], settings[ac.HIGHEST]
    percent = settings[ac.SIZE_VALUE] if settings[ac.SIZE_KIND] == SIZED_IN_PERCENT else 0.0
    at_risk = settings[ac.SIZE_KIND] == SIZED_AT_RISK
    whole = long_entry.shape[0] >> 3 << 3  # eight flags a word; the last, unfinished one is read flag by flag
    in_long, out_long = long_entry[:whole].view(np.uint64), long_exit[:whole].view(np.uint64)
    in_short, out_short = short_entry[:whole].view(np.uint64), short_exit[:whole].view(np.uint64)
    marks = close[begin:end]
    recorded = held.shape[0] > 0
    funded = settlements.shape[0] > 0
    lag = 0 if at_close else 1
    last = end - 1  # a signal on the last bar is void

    side, position, entry_price, entry_fee, entry_bar, paid = 0, 0.0, 0.0, 0.0, 0, 0.0
    stop_level, target_level, trail_by = -np.inf, np.inf, 0.0
    wins, closed, n_orders, n_trades, cuts, bars_held = 0, 0, 0, 0, 0, 0
    gains, losses, notional, fees, slipped, funding = 0.0, 0.0, 0.0, 0.0, 0.0, 0.0
    at = begin  # first bar not yet marked
    bar = begin  # first bar whose signals count
    cursor = 0  # into the settlements
    ruined = False
    while True:
        # 1. The next bar whose signals matter to what is held.
        direction = 0
        while True:
            if side == 0:
                bar = _next_either(long_entry, short_entry, in_long, in_short, bar, last)
            elif side > 0:
                bar = _next_either(long_exit, short_entry, out_long, in_short, bar, last)
            else:
                bar = _next_either(short_exit, long_entry, out_short, in_long, bar, last)
            if bar >= last:
                break
            enters_long = long_entry[bar] and not long_exit[bar]
            enters_short = short_entry[bar] and not short_exit[bar]
            if enters_long != enters_short:
                direction = 1 if enters_long else -1
            if direction == side:
                direction = 0
            if direction != 0 or (side > 0 and long_exit[bar]) or (side < 0 and short_exit[bar]):
                break
            bar += 1
        finished = bar >= last
        until = end if finished else bar + lag
        reason = ac.END if finished else ac.SIGNAL
        reference = close[last] if finished else (close[until] if at_close else opens[until])

        # 2. A stop, trail or target may come first.
        hit = -1
        if protected and side != 0:
            check_to = end if finished else bar + 1
            check_from = at + 1 if at_close else at
            if side > 0:
                hit, why, price = breach(
                    side, entry_price, stop_level, target_level, trail_by, check_from, check_to, opens, close,
                    low, high, block_low, block_high, units[2], ladder,
                )  # fmt: skip
            else:
                hit, why, price = breach(
                    side, entry_price, stop_level, target_level, trail_by, check_from, check_to, opens, close,
                    high, low, block_high, block_low, units[2], ladder,
                )  # fmt: skip
            if hit >= 0:
                finished = False
                until, reason, reference = hit, why, price
                direction = 0

        # 3. Mark what is held up to there; funding is settled at the opens after `at`, that of `until` included.
        while funded and cursor < settlements.shape[0] and settlements[cursor] <= at:
            cursor += 1
        while True:
            due = settlements[cursor] if funded and side != 0 and cursor < settlements.shape[0] else end + 1
            to = min(due, until)
            for i in range(np.uint64(at - begin), np.uint64(to - begin)):  # unsigned: no wrap-around to check
                equity[i] = money + position * marks[i]
            if recorded:
                held[at - begin : to - begin] = position
            if side != 0:
                bars_held += to - at
            # Rounding is monotone: no close of the window can ruin what its worst close does not.
            if money + position * (lowest if side > 0 else highest) <= 0.0:
                ruin = _first_ruined(equity[at - begin : to - begin])
                if ruin >= 0:
                    ruined = True
                    bars_held -= (to - at - ruin) if side != 0 else 0
                    until, reason, reference = at + ruin, ac.RUINED, close[at + ruin]
                    direction = 0
                    break
            at = max(to, at)
            if due > until:
                break
            payment = position * opens[due] * rates[due]
            money -= payment
            paid += payment
            funding += payment
            cursor += 1

        # 4. Close what is held ...
        if finished and not ruined and not close_at_end:
            if side != 0:
                pnl = side * abs(position) * (reference - entry_price) - entry_fee - paid
                ac.write_trade(
                    trades, n_trades, side, entry_bar, last, entry_price, reference, abs(position), entry_fee, paid,
                    pnl, ac.OPEN,
                )  # fmt: skip
                n_trades += 1
            break
        final = finished or ruined
        if finished and not ruined and side != 0:
            bars_held -= 1  # flat again at the last close
        fill_bar = last if finished and not ruined else until
        sign = direction if direction != 0 else -side
        price = reference * (1.0 + sign * slip) if reason != ac.TARGETED else reference
        units_closed, units_opened, exit_fee = abs(position), 0.0, 0.0
        if side != 0:
            exit_fee = units_closed * price * fee_rate
            money += position * price - exit_fee
        # ... and open the other side: both legs are one order at one price, the fee split by units.
        if direction != 0 and not (bracket.shape[0] and direction < 0 and not stop[bar] > price):
            if percent > 0.0:
                units_opened = percent * money / (price * (1.0 + fee_rate)) if money > 0.0 else 0.0
            elif at_risk:
                low_level, _, follows = levels_of(
                    price, direction, bar, stop, target, trail, units, bracket, long_level
                )
                units_opened, cut = risk_units(settings, money, price, direction, low_level, follows, units[2])
                cuts += cut
            else:
                units_opened, cut = ac.entry_units(settings, money, price, close, bar)
                cuts += cut
        if side != 0:
            if reason == ac.SIGNAL and units_opened > 0.0:
                reason = ac.REVERSAL
            pnl = side * units_closed * (price - entry_price) - (entry_fee + exit_fee) - paid
            closed += 1
            if pnl > 0.0:
                wins += 1
                gains += pnl
            else:
                losses -= pnl
            if recorded:
                ac.write_trade(
                    trades, n_trades, side, entry_bar, fill_bar, entry_price, price, units_closed, entry_fee + exit_fee,
                    paid, pnl, reason,
                )  # fmt: skip
            n_trades += 1
        side, position = 0, 0.0
        if units_opened > 0.0:
            side = direction
            entry_price, entry_bar, paid = price, fill_bar, 0.0
            entry_fee = units_opened * price * fee_rate
            money -= side * units_opened * price + entry_fee
            position = side * units_opened
            if protected:
                stop_level, target_level, trail_by = levels_of(
                    price, side, bar, stop, target, trail, units, bracket, long_level
                )
        traded = units_closed + units_opened
        if traded > 0.0:
            notional += traded * price
            fees += traded * price * fee_rate
            slipped += traded * abs(price - reference)
            if recorded:
                ac.write_order(orders, n_orders, fill_bar, sign, traded, price, traded * price * fee_rate)
            n_orders += 1
        if final:
            break
        at = until
        bar = until + 1 if at_close and hit < 0 else until

    # The account is flat from a ruin on, and from the last close where a fold ends.
    flat_from = until - begin if ruined else (end - begin - 1 if finished and close_at_end else end - begin)
    equity[flat_from:] = money
    if recorded:
        held[flat_from:] = 0.0
    totals[ac.WINS], totals[ac.CLOSED] = wins, closed
    totals[ac.GAINS], totals[ac.LOSSES] = gains, losses
    totals[ac.NOTIONAL], totals[ac.FEE_SUM], totals[ac.SLIP_SUM], totals[ac.FUNDING_SUM] = (
        notional,
        fees,
        slipped,
        funding,
    )
    totals[ac.CUTS], totals[ac.HELD], totals[ac.RUIN] = cuts, bars_held, ruined
    totals[ac.N_ORDERS], totals[ac.N_TRADES] = n_orders, n_trades
    ac.summarise(totals, settings, equity, out)
