"""Signals traded by vectorbt's `from_signals`: its own conflicts, reversals, sizes, stops and trails.

A bar becomes one to three rows. One row does where sizes are amounts and nothing is protected. Sized in percent,
`from_signals` refuses to reverse, so a bar has a row on which a position is closed and one on which the other is
opened, both at its open. With stops, a third row is the bar itself, so that they are checked on the fill's bar too.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import vectorbt as vbt
from vectorbt.portfolio.enums import OrderSide

from maestro.bars import Bars
from maestro.engine.costs import Costs
from maestro.engine.fills import Fill
from maestro.engine.sizing import Sizing
from maestro.strategies.signals import Signals
from maestro.typing import FloatArray

UPON = {
    "upon_opposite_entry": "reverse", "upon_long_conflict": "exit", "upon_short_conflict": "exit",
    "upon_dir_conflict": "ignore", "accumulate": False,
}  # fmt: skip
"""How our signals are read (see docs/engine.md); vectorbt's own defaults are others."""


def can(signals: Signals, costs: Costs) -> bool:
    """Whether `from_signals` has what these signals ask for; else an order function must do it."""
    fractions = all(unit == "fraction" for unit in (signals.stop_unit, signals.target_unit, signals.trail_unit))
    trailed = signals.trail is not None
    one_sided = not (signals.long_entry.any() and signals.short_entry.any())
    return (
        signals.bracket is None
        and fractions
        and not (signals.stop is not None and trailed)
        and not (trailed and not one_sided)
        # The rows before a bar keep a trail from being hit by a price that a target would be hit by.
        and not (trailed and signals.target is not None)
        # It slips a target like a stop, unless none of them slips.
        and not (signals.stop is not None and signals.target is not None and costs.slippage > 0)
    )


def run(
    bars: Bars, signals: Signals, costs: Costs, sizing: Sizing, cash: float, at_close: bool, shares: FloatArray
) -> tuple[Any, list[Fill], FloatArray, FloatArray, int]:
    """Portfolio, fills, equity and position a bar, and how many entries were cut.

    `shares` are the shares of equity of volatility sizing, one per bar, read at the signal's bar.
    """
    n = len(bars)
    protected = any(levels is not None for levels in (signals.stop, signals.target, signals.trail))
    percent = sizing.kind in ("percent", "volatility")
    rows = 3 if protected else 2 if percent else 1

    def later(values: Any, none: Any) -> Any:
        """Values of the signal's bar, on the bar of the fill."""
        return np.asarray(values) if at_close else np.concatenate(([none], values[:-1]))

    le, lx, se, sx = (
        later(f, False) for f in (signals.long_entry, signals.long_exit, signals.short_entry, signals.short_exit)
    )
    if at_close:  # a signal on the last bar is void
        le, lx, se, sx = (np.append(f[:-1], False) for f in (le, lx, se, sx))
    to_long, to_short = le & ~lx, se & ~sx
    to_long, to_short = to_long & ~to_short, to_short & ~to_long
    at = np.array(bars.close if at_close else bars.open)
    wanted = _sizes(at, to_long, to_short, later(shares, 0.0), costs, sizing)
    nothing, empty = np.zeros(n, bool), np.full(n, np.nan)

    def laid(first: Any, second: Any, third: Any) -> Any:
        """One value per row from those of the rows of a bar; a single row is the second."""
        parts = {1: [second], 2: [first, second], 3: [first, second, third]}[rows]
        return np.column_stack(parts).ravel()

    # If closing has its own row, the entry of the other side closes too; otherwise vectorbt reverses by itself.
    out_of_long, out_of_short = (lx, sx) if rows == 1 else (lx | to_short, sx | to_long)
    stops: dict[str, Any] = {}
    if protected:
        calm = np.concatenate(([at[0]], bars.close[:-1])) if signals.trail is None else _calm(signals, n)
        trailed = signals.trail is not None
        loss = signals.trail if trailed else signals.stop
        stops = {
            "open": laid(calm, calm, bars.open),
            "high": laid(np.full(n, -np.inf), np.full(n, -np.inf), np.maximum(bars.high, bars.open)),
            "low": laid(np.full(n, np.inf), np.full(n, np.inf), np.minimum(bars.low, bars.open)),
            "sl_stop": laid(empty, empty if loss is None else later(loss, np.nan), empty),
            "sl_trail": trailed,
            "tp_stop": laid(empty, empty if signals.target is None else later(signals.target, np.nan), empty),
            "stop_entry_price": "fillprice",
            "stop_exit_price": "stoplimit" if signals.target is not None else "stopmarket",
        }
    pf = vbt.Portfolio.from_signals(
        laid(bars.close, bars.close, bars.close),
        laid(nothing, le, nothing),
        laid(out_of_long, lx, nothing),
        laid(nothing, se, nothing),
        laid(out_of_short, sx, nothing),
        price=laid(at, at, bars.close), size=laid(wanted, wanted, wanted), size_type="percent" if percent else "amount",
        fees=costs.fee, slippage=costs.slippage, lock_cash=True, init_cash=cash, freq="1h", **UPON, **stops,
    )  # fmt: skip
    fills, cuts = _fills(pf, rows, signals, wanted, percent)
    value = pf.value().to_numpy().ravel()[rows - 1 :: rows]
    held = pf.assets().to_numpy().ravel()[rows - 1 :: rows]
    return pf, fills, value, held, cuts


def _sizes(at: Any, to_long: Any, to_short: Any, shares: Any, costs: Costs, sizing: Sizing) -> Any:
    """Size of an entry on each bar: a share of the cash, or units."""
    if sizing.kind == "percent":
        return np.full(len(at), sizing.value)
    if sizing.kind == "volatility":
        return np.minimum(sizing.max_exposure, shares)
    if sizing.kind == "units":
        return np.full(len(at), sizing.value)
    price = at * (1.0 + costs.slippage * (to_long.astype(float) - to_short.astype(float)))
    return sizing.value / (price * (1.0 + costs.fee))


def _calm(signals: Signals, n: int) -> Any:
    """Open of the rows before the bar, where a trail that moved since the last close must not be hit yet."""
    return np.full(n, np.inf if signals.long_entry.any() else -np.inf)


def _fills(pf: Any, rows: int, signals: Signals, wanted: Any, percent: bool) -> tuple[list[Fill], int]:
    """Fills of the portfolio's order records; both halves of a reversal are one order."""
    fills: list[Fill] = []
    held, cuts, entry = 0.0, 0, 0.0
    for record in pf.orders.values:
        bar, role = divmod(int(record["idx"]), rows)
        side = 1.0 if record["side"] == OrderSide.Buy else -1.0
        units, price = side * float(record["size"]), float(record["price"])
        reason = "signal"
        if role == 2:
            losing = price < entry if held > 0 else price > entry
            only = [name for name in ("stop", "trail", "target") if getattr(signals, name) is not None]
            reason = only[0] if len(only) == 1 else only[0] if losing else "target"
        opened = abs(held + units) if held * (held + units) <= 0 or held == 0 else 0.0
        if opened > 1e-12 * abs(units):
            entry = price
            cuts += not percent and opened < wanted[bar] * (1 - 1e-12)
        held = 0.0 if abs(held + units) <= 1e-12 * abs(units) else held + units
        before = fills[-1] if fills else None
        if before is not None and role == 1 and before.bar == bar and before.units * units > 0:
            before.units, before.fee = before.units + units, before.fee + float(record["fees"])
        else:
            slipped = reason != "target"
            fills.append(Fill(bar, units, price, float(record["fees"]), reason, slipped=slipped))
    return fills, cuts
