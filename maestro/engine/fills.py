"""Books of another engine's run: its fills, equity and position in the layout of the kernels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from maestro import metrics as m
from maestro.engine.kernels import account as ac
from maestro.engine.simulator import Books, Simulator
from maestro.typing import FloatArray

_DUST = 1e-12
"""Share of a fill below which what is left of it is rounding."""


@dataclass(slots=True)
class Fill:
    """One executed order of an engine.

    `units` are negative for a sell; `reason` is signal, stop, trail, target or limit; `slipped` says
    whether its price includes slippage; a `lot` >= 0 is the number of the lot that is opened or closed.
    """

    bar: int
    units: float
    price: float
    fee: float
    reason: str
    slipped: bool = True
    lot: int = -1


@dataclass(slots=True)
class _Lot:
    side: int
    number: int
    units: float
    price: float
    fee: float
    bar: int
    funding: float = 0.0


def keep_books(
    simulator: Simulator,
    fills: Sequence[Fill],
    equity: FloatArray,
    position: FloatArray,
    *,
    payments: Sequence[tuple[int, float]] = (),
    cuts: int = 0,
) -> tuple[Books, FloatArray]:
    """Books and metrics of a run from another engine's fills, equity and position.

    Equity and position are the engine's own. A fill against the position closes lots, first in, first out, or the
    one it names; the rest of it opens a lot, and the fee is split by units. `payments` are (bar, funding paid).
    Metrics are those of `maestro.metrics`.
    """
    totals = np.zeros(ac.TOTALS_WIDTH)
    slip = float(simulator.settings[ac.SLIP])
    lots: list[_Lot] = []
    trades: list[tuple[float, ...]] = []
    orders: list[tuple[float, ...]] = []
    due = list(payments)

    def settle(bar: int) -> None:
        while due and due[0][0] <= bar:
            paid = due.pop(0)[1]
            held = sum(lot.units for lot in lots)
            totals[ac.FUNDING_SUM] += paid
            for lot in lots:
                lot.funding += paid * lot.units / held

    for fill in fills:
        settle(fill.bar)
        side, left = (1 if fill.units > 0 else -1), abs(fill.units)
        size = left
        closed: list[tuple[_Lot, float]] = []
        for lot in [one for one in lots if one.side != side and (fill.lot < 0 or one.number == fill.lot)]:
            part = lot.units if lot.units <= left * (1 + _DUST) else left
            if part <= size * _DUST:
                break
            closed.append((lot, part))
            left -= part
        opened = left if left > size * _DUST else 0.0
        reason = ac.REASONS.index("reversal" if fill.reason == "signal" and opened and closed else fill.reason)
        for lot, part in closed:
            share = part / lot.units
            fee = lot.fee * share + fill.fee * part / size
            funding = lot.funding * share
            pnl = lot.side * part * (fill.price - lot.price) - fee - funding
            trades.append((lot.side, lot.bar, fill.bar, lot.price, fill.price, part, fee, funding, pnl, reason))
            _count(totals, pnl)
            lot.units, lot.fee, lot.funding = lot.units - part, lot.fee * (1 - share), lot.funding * (1 - share)
            if lot.units <= part * _DUST:
                lots.remove(lot)
        if opened:
            lots.append(_Lot(side, fill.lot, opened, fill.price, fill.fee * opened / size, fill.bar))
        orders.append((fill.bar, side, size, fill.price, fill.fee))
        totals[ac.NOTIONAL] += size * fill.price
        totals[ac.FEE_SUM] += fill.fee
        if fill.slipped:
            totals[ac.SLIP_SUM] += size * abs(fill.price - fill.price / (1.0 + side * slip))
    last = simulator.end - 1
    settle(last)
    price = float(simulator.bars.close[last])
    for lot in lots:
        pnl = lot.side * lot.units * (price - lot.price) - lot.fee - lot.funding
        trades.append(
            (lot.side, lot.bar, last, lot.price, price, lot.units, lot.fee, lot.funding, pnl, ac.REASONS.index("open"))
        )
    totals[ac.CUTS], totals[ac.HELD] = cuts, float(np.count_nonzero(position))
    totals[ac.RUIN] = float(bool((equity <= 0).any()))
    out = np.zeros(len(m.NAMES))
    ac.summarise(totals, simulator.settings, equity, out)
    books = Books(equity, position, _table(orders, ac.ORDER_WIDTH), _table(trades, ac.TRADE_WIDTH))
    return books, out


def _count(totals: FloatArray, pnl: float) -> None:
    totals[ac.CLOSED] += 1
    if pnl > 0:
        totals[ac.WINS] += 1
        totals[ac.GAINS] += pnl
    else:
        totals[ac.LOSSES] -= pnl


def _table(rows: Sequence[tuple[float, ...]], width: int) -> Any:
    return np.array(rows, np.float64) if rows else np.zeros((0, width))
