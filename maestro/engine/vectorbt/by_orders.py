"""What `from_signals` cannot say, as order functions of vectorbt's `from_order_func`: vectorbt fills and keeps books.

The function is asked again and again within a bar until it has no further order, sees the account as vectorbt keeps
it, and reads the rules of docs/engine.md: levels in price, trails of both sides, stop and trail together, brackets
with a ladder; and grids of limit orders.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import vectorbt as vbt
from numba import njit
from vectorbt.portfolio import nb
from vectorbt.portfolio.enums import OrderSide

from maestro.bars import Bars
from maestro.engine.costs import Costs
from maestro.engine.fills import Fill
from maestro.engine.sizing import Sizing
from maestro.strategies.signals import Signals
from maestro.typing import FloatArray

_REASONS = ("signal", "stop", "trail", "target", "limit")
_SIGNAL, _STOP, _TRAIL, _TARGET, _LIMIT = (float(k) for k in range(len(_REASONS)))


class _Market(NamedTuple):
    """Prices and costs, as the order functions read them."""

    open: Any
    high: Any
    low: Any
    close: Any
    fee: float
    slip: float


class _Sides(NamedTuple):
    """Direction of the entries of a bar's close, its exits, and what an entry may spend."""

    direction: Any
    long_exit: Any
    short_exit: Any
    share: Any
    amount: float
    units: float
    most: float
    risk: float


class _Guards(NamedTuple):
    """Levels of each side, a signal bar: as factor of the fill, as distance, or absolute; then the ladder."""

    factor: Any
    distance: Any
    absolute: Any
    trail: Any
    trail_is_price: bool
    bracket: bool
    default_stop: float
    ladder: Any


# Memory of the order function of signals, and the lines of `_Guards.factor` and the others.
_OPENED, _CHECKED, _ENTRY, _BEST, _LOW, _HIGH, _FOLLOW, _RUNG, _COUNT, _CUTS = range(10)
_LONG_STOP, _LONG_TARGET, _SHORT_STOP, _SHORT_TARGET = range(4)


@njit
def _size(s: Any, m: Any, g: Any, money: float, price: float, side: float, t: int, memory: Any) -> float:
    """Units of an entry decided at the close of bar t."""
    if money <= 0.0:
        return 0.0
    gross = price * (1.0 + m.fee)
    if s.risk > 0.0:
        stop = _first_stop(g, t, price, side)
        out = max(stop, 0.0) * (1.0 - side * m.slip)
        wanted = s.risk * money / (side * (price - out) + m.fee * (price + out)) if side * stop < side * price else 0.0
        memory[_CUTS] += wanted == 0.0 or wanted > s.most * money / gross
        return min(wanted, s.most * money / gross)
    if s.share[t] == s.share[t]:
        return s.share[t] * money / gross
    wanted = s.units if s.units > 0.0 else s.amount / gross
    if wanted > s.most * money / gross:
        memory[_CUTS] += 1.0
        return s.most * money / gross
    return wanted


@njit
def _level(g: Any, line: int, t: int, fill: float) -> float:
    """Level of a line of the guards for a fill; NaN where it has none."""
    if g.absolute[line, t] == g.absolute[line, t]:
        return g.absolute[line, t]
    if g.distance[line, t] == g.distance[line, t]:
        return fill + g.distance[line, t]
    return fill * g.factor[line, t]


@njit
def _first_stop(g: Any, t: int, price: float, side: float) -> float:
    """Stop of a fill, or its trail where that is nearer; NaN where it has neither."""
    stop = _level(g, _LONG_STOP if side > 0.0 else _SHORT_STOP, t, price)
    if g.bracket and side > 0.0 and not stop < price:
        stop = price * (1.0 - g.default_stop)
    trail = price - side * g.trail[t] if g.trail_is_price else price * (1.0 - side * g.trail[t])
    return trail if trail == trail and not side * stop >= side * trail else stop


@njit
def _signal_order(c: Any, m: Any, s: Any, g: Any, memory: Any, reasons: Any) -> Any:
    """Return the next order of this bar: the one decided at the last close, then stop, trail and target."""
    i = c.i
    held = c.last_position[0]
    if memory[_OPENED] != i:
        memory[_OPENED] = i
        if i > 0:
            t = i - 1
            direction = s.direction[t]
            if direction * held > 0.0:
                direction = 0
            leaves = (held > 0.0 and s.long_exit[t]) or (held < 0.0 and s.short_exit[t])
            if direction != 0 or leaves:
                side = direction if direction != 0 else (-1.0 if held > 0.0 else 1.0)
                price = m.open[i] * (1.0 + side * m.slip)
                units = 0.0
                if direction != 0:
                    barred = g.bracket and side < 0.0 and not g.absolute[_SHORT_STOP, t] > price
                    money = c.last_cash[0] + held * price - abs(held) * price * m.fee
                    units = 0.0 if barred else _size(s, m, g, money, price, side, t, memory)
                if units > 0.0:
                    stop, target = (_LONG_STOP, _LONG_TARGET) if side > 0.0 else (_SHORT_STOP, _SHORT_TARGET)
                    memory[_ENTRY] = memory[_BEST] = price
                    memory[_LOW] = _level(g, stop, t, price)
                    if g.bracket and side > 0.0 and not memory[_LOW] < price:
                        memory[_LOW] = price * (1.0 - g.default_stop)
                    memory[_HIGH] = _level(g, target, t, price)
                    memory[_FOLLOW] = g.trail[t]
                    memory[_RUNG] = 0.0
                if abs(held) + units > 0.0:
                    reasons[int(memory[_COUNT])] = _SIGNAL
                    memory[_COUNT] += 1.0
                    return 0, nb.order_nb(
                        size=side * (abs(held) + units), price=m.open[i], fees=m.fee, slippage=m.slip,
                        raise_reject=True,
                    )  # fmt: skip
    if held == 0.0 or memory[_CHECKED] == i:
        return -1, nb.order_nothing_nb()
    memory[_CHECKED] = i
    side = 1.0 if held > 0.0 else -1.0
    floor, why = memory[_LOW], _STOP
    if memory[_FOLLOW] == memory[_FOLLOW]:
        best = memory[_BEST]
        trail = best - side * memory[_FOLLOW] if g.trail_is_price else best * (1.0 - side * memory[_FOLLOW])
        if floor != floor or side * trail > side * floor:
            floor, why = trail, _TRAIL
    adverse, favourable = (m.low[i], m.high[i]) if side > 0.0 else (m.high[i], m.low[i])
    price, slip = np.nan, m.slip
    if side * adverse <= side * floor:
        price = m.open[i] if side * m.open[i] <= side * floor else floor
    elif side * favourable >= side * memory[_HIGH]:
        price = m.open[i] if side * m.open[i] >= side * memory[_HIGH] else memory[_HIGH]
        why, slip = _TARGET, 0.0
    if price == price:
        reasons[int(memory[_COUNT])] = why
        memory[_COUNT] += 1.0
        return 0, nb.order_nb(size=-held, price=price, fees=m.fee, slippage=slip, raise_reject=True)
    memory[_BEST] = max(memory[_BEST], favourable) if side > 0.0 else min(memory[_BEST], favourable)
    while side > 0.0 and memory[_RUNG] < g.ladder.shape[0]:
        k = int(memory[_RUNG])
        if not m.close[i] / memory[_ENTRY] - 1.0 > g.ladder[k, 0]:
            break
        memory[_LOW] = max(memory[_LOW], memory[_ENTRY] * (1.0 + g.ladder[k, 1]))
        memory[_HIGH] = max(memory[_HIGH], memory[_ENTRY] * (1.0 + g.ladder[k, 2]))
        memory[_RUNG] += 1.0
    return -1, nb.order_nothing_nb()


def run_signals(
    bars: Bars, signals: Signals, costs: Costs, sizing: Sizing, cash: float, shares: FloatArray
) -> tuple[Any, list[Fill], FloatArray, FloatArray, int]:
    """Portfolio, fills, equity and position a bar, and how many entries were cut."""
    n = len(bars)
    to_long = signals.long_entry & ~signals.long_exit
    to_short = signals.short_entry & ~signals.short_exit
    nowhere = np.full(n, np.nan)
    share = {"percent": np.full(n, sizing.value), "volatility": np.minimum(sizing.max_exposure, shares)}
    sides = _Sides(
        np.where(to_long == to_short, 0, np.where(to_long, 1, -1)),
        np.array(signals.long_exit), np.array(signals.short_exit), share.get(sizing.kind, nowhere),
        sizing.value if sizing.kind == "cash" else 0.0, sizing.value if sizing.kind == "units" else 0.0,
        sizing.max_exposure, sizing.value if sizing.kind == "risk" else 0.0,
    )  # fmt: skip
    memory, reasons = np.full(10, -1.0), np.zeros(2 * n + 2)
    memory[[_COUNT, _CUTS]] = 0.0
    pf = vbt.Portfolio.from_order_func(
        np.array(bars.close), _signal_order, _market(bars, costs), sides, _guards(signals, n), memory, reasons,
        flexible=True, max_orders=2 * n + 2, init_cash=cash, freq="1h",
    )  # fmt: skip
    fills = _fills(pf, reasons, np.full(len(reasons), -1.0))
    return pf, fills, _column(pf.value()), _column(pf.assets()), int(memory[_CUTS])


def _guards(signals: Signals, n: int) -> _Guards:
    """Protection of each side as the order function reads it."""
    factor, distance, absolute = (np.full((4, n), np.nan) for _ in range(3))
    bracket = signals.bracket
    if bracket is not None:
        absolute[_LONG_STOP], absolute[_SHORT_STOP] = bracket.long_level, bracket.short_level
        factor[_LONG_TARGET] = 1.0 + bracket.long_target
        return _Guards(
            factor, distance, absolute, np.full(n, np.nan), False, True, bracket.long_stop, np.array(bracket.ladder)
        )
    lines = {"stop": ((_LONG_STOP, -1.0), (_SHORT_STOP, 1.0)), "target": ((_LONG_TARGET, 1.0), (_SHORT_TARGET, -1.0))}
    for name, both in lines.items():
        values, unit = getattr(signals, name), getattr(signals, f"{name}_unit")
        for line, sign in both if values is not None else ():
            if unit == "level":
                absolute[line] = values
            elif unit == "price":
                distance[line] = sign * values
            else:
                factor[line] = 1.0 + sign * values
    trail = np.full(n, np.nan) if signals.trail is None else np.array(signals.trail)
    return _Guards(factor, distance, absolute, trail, signals.trail_unit == "price", False, 0.0, np.zeros((0, 3)))


def _market(bars: Bars, costs: Costs) -> _Market:
    low, high = np.minimum(bars.low, bars.open), np.maximum(bars.high, bars.open)
    return _Market(np.array(bars.open), high, low, np.array(bars.close), costs.fee, costs.slippage)


def _column(frame: Any) -> FloatArray:
    return np.ascontiguousarray(frame.to_numpy().ravel(), np.float64)


def _fills(pf: Any, reasons: Any, lots: Any) -> list[Fill]:
    """Fills of the portfolio's order records, which are in the order in which they were asked for."""
    fills = []
    for record, code, lot in zip(pf.orders.values, reasons, lots, strict=False):
        side, reason = (1.0 if record["side"] == OrderSide.Buy else -1.0), _REASONS[int(code)]
        fills.append(
            Fill(
                int(record["idx"]),
                side * float(record["size"]),
                float(record["price"]),
                float(record["fees"]),
                reason,
                slipped=reason not in ("target", "limit"),
                lot=int(lot),
            )
        )
    return fills


# -- the grid -------------------------------------------------------------------------------

_BAR, _ANCHOR, _SPEND, _EACH, _LEAVING, _N, _CUT = range(7)


@njit
def _grid_order(c: Any, m: Any, lines: Any, spacing: float, budget: Any, memory: Any, lots: Any, codes: Any) -> Any:
    """Return the next fill of the grid in this bar; where there is none, decide at its close.

    `lots` : one row per level: units held, whether its order works, whether it has acted in this bar. `codes` : reason
    and lot of each order. `budget` : share of equity, cash, units.
    """
    i, first = c.i, m.open[c.i]
    levels = lots.shape[0]
    if memory[_BAR] != i:
        memory[_BAR] = i
        lots[:, 2] = 0.0
    k = int(memory[_N])
    if memory[_LEAVING] == 1.0:
        memory[_LEAVING] = 2.0
        if lots[:, 0].sum() > 0.0:
            lots[:, 0] = 0.0
            codes[k, 0], codes[k, 1] = _SIGNAL, -1.0
            memory[_N] += 1.0
            return 0, nb.order_nb(size=-c.last_position[0], price=first, fees=m.fee, slippage=m.slip, raise_reject=True)
    best, nearest, best_price, best_buys, best_level = -1, np.inf, 0.0, False, 0.0
    for j in range(levels):
        if lots[j, 1] == 0.0 or lots[j, 2] != 0.0 or memory[_LEAVING] == 2.0:
            continue
        buys = lots[j, 0] == 0.0
        level = memory[_ANCHOR] * (1.0 - ((j + 1) if buys else j) * spacing)
        if (buys and m.low[i] > level) or (not buys and m.high[i] < level):
            continue
        price = min(level, first) if buys else max(level, first)
        away = abs(price - first)
        if away == nearest:
            closer = (
                (best_buys and not buys) if buys != best_buys else (level > best_level if buys else level < best_level)
            )
        else:
            closer = away < nearest
        if closer:
            best, nearest, best_price, best_buys, best_level = j, away, price, buys, level
    if best >= 0:
        lots[best, 2] = 1.0
        units = -lots[best, 0]
        if best_buys:
            gross = best_price * (1.0 + m.fee)
            units = memory[_SPEND] / gross if memory[_SPEND] > 0.0 else memory[_EACH]
            affordable = max(c.last_cash[0], 0.0) / gross
            if units > affordable:
                memory[_CUT] += units > affordable * (1.0 + 1e-9)
                units = affordable
        lots[best, 0] = units if best_buys else 0.0
        codes[k, 0], codes[k, 1] = _LIMIT, best
        memory[_N] += 1.0
        return 0, nb.order_nb(size=units, price=best_price, fees=m.fee, raise_reject=True)
    memory[_LEAVING] = 0.0
    close = m.close[i]
    if memory[_ANCHOR] > 0.0 and close < memory[_ANCHOR] * (1.0 - (levels + 1) * spacing):
        memory[_LEAVING], memory[_ANCHOR] = 1.0, 0.0
        lots[:, 1] = 0.0
    elif lots[:, 0].sum() == 0.0 and lines[3, i] != 0.0 and lines[1, i] <= close <= lines[2, i]:
        memory[_ANCHOR] = lines[0, i]
        memory[_SPEND] = (budget[0] * c.last_cash[0] + budget[1]) / levels
        memory[_EACH] = budget[2] / levels
        lots[:, 1] = 1.0
    return -1, nb.order_nothing_nb()


def run_grid(
    bars: Bars, orders: Any, costs: Costs, sizing: Sizing, cash: float
) -> tuple[Any, list[Fill], FloatArray, FloatArray, int]:
    """Trade the grid's rule; `orders` are what `GridTradingStrategy.signals` returned: mean, bands, spacing, levels."""
    n = len(bars)
    budget = np.array([sizing.value if sizing.kind == kind else 0.0 for kind in ("percent", "cash", "units")])
    lines = np.vstack([orders.columns, np.array(orders.long_entry, np.float64)])
    most = n * (orders.slots + 1)
    memory, lots, codes = np.zeros(7), np.zeros((orders.slots, 3)), np.full((most, 2), -1.0)
    memory[_BAR] = -1.0
    pf = vbt.Portfolio.from_order_func(
        np.array(bars.close), _grid_order, _market(bars, costs), lines, float(orders.numbers[0]), budget, memory, lots,
        codes, flexible=True, max_orders=most, init_cash=cash, freq="1h",
    )  # fmt: skip
    return pf, _fills(pf, codes[:, 0], codes[:, 1]), _column(pf.value()), _column(pf.assets()), int(memory[_CUT])
