"""Stops, trails, targets and ladders: where inside the bars a position is taken out."""

from __future__ import annotations

from typing import Any

import numpy as np

from maestro._core.compiled import njit
from maestro.engine.kernels import account as ac
from maestro.engine.kernels.account import STOPPED, TARGETED, TRAILED

FRACTION, PRICE_DISTANCE, LEVEL = range(3)
UNIT_CODES = {"fraction": FRACTION, "price": PRICE_DISTANCE, "level": LEVEL}
LADDER_TRIGGER, LADDER_STOP, LADDER_TARGET = range(3)
BLOCK = 16
"""Bars whose extremes are looked at together; single bars are read only where a block can breach a level."""


@njit(cache=True, nogil=True)
def block_extremes(low: Any, high: Any) -> tuple[Any, Any]:
    """Lowest low and highest high of each whole block of bars, from bar 0 on."""
    n = low.shape[0] // BLOCK
    lows = np.empty(n)
    highs = np.empty(n)
    for j in range(n):
        lowest, highest = low[j * BLOCK], high[j * BLOCK]
        for i in range(j * BLOCK + 1, (j + 1) * BLOCK):
            lowest = min(lowest, low[i])
            highest = max(highest, high[i])
        lows[j] = lowest
        highs[j] = highest
    return lows, highs


@njit(cache=True, nogil=True, borrows=True)
def _level(values: Any, bar: int, unit: int, fill: float, direction: int) -> float:
    """Absolute level `direction` (+1 above, -1 below) of the fill; NaN where there is none."""
    if values.shape[0] == 0:
        return np.nan
    value = values[bar]
    if unit == FRACTION:
        return fill * (1.0 + direction * value)
    if unit == PRICE_DISTANCE:
        return fill + direction * value
    return value


@njit(cache=True, nogil=True, borrows=True)
def levels_of(
    fill: float, side: int, bar: int, stop: Any, target: Any, trail: Any, units: Any, bracket: Any, long_level: Any
) -> tuple[float, float, float]:
    """Stop, target and trail of a position opened at `fill`, from the values of its signal bar.

    Levels are given times `side`, so that a long and a short are breached by the same comparisons; "none" is
    minus infinity for a stop, infinity for a target and 0 for a trail.
    """
    if bracket.shape[0]:
        high = np.nan
        if side > 0:
            low = fill * (1.0 - bracket[0])
            if long_level[bar] < fill:
                low = long_level[bar]
            high = fill * (1.0 + bracket[1])
        else:
            low = stop[bar]
    else:
        low = _level(stop, bar, units[0], fill, -side)
        high = _level(target, bar, units[1], fill, side)
    return (
        side * low if low == low else -np.inf,
        side * high if high == high else np.inf,
        trail[bar] if trail.shape[0] and trail[bar] == trail[bar] else 0.0,
    )


@njit(cache=True, nogil=True, borrows=True)
def _trail_level(best: float, trail: float, unit: int, side: int) -> float:
    if trail == 0.0:
        return -np.inf
    if unit == FRACTION:
        return best * (1.0 - side * trail)
    return best - trail


@njit(cache=True, nogil=True, borrows=True, error_model="numpy")
def risk_units(
    settings: Any, equity: float, price: float, side: int, low: float, trail: float, trail_unit: int
) -> tuple[float, bool]:
    """Units of an entry at `price` that lose the given share of equity at the stop, and whether they were cut.

    `low` and `trail` from `levels_of`. The loss of a unit is that from the entry to the slipped stop, with both fees.
    Without a stop on the losing side of the price there is no entry, which counts as cut.
    """
    if equity <= 0.0:
        return 0.0, False
    floor = max(low, _trail_level(side * price, trail, trail_unit, side))
    if not (floor > -np.inf and floor < side * price):
        return 0.0, True
    fee = settings[ac.FEE]
    out = max(side * floor, 0.0) * (1.0 - side * settings[ac.SLIP])
    units = settings[ac.SIZE_VALUE] * equity / (side * (price - out) + fee * (price + out))
    most = settings[ac.MAX_EXPOSURE] * equity / (price * (1.0 + fee))
    return min(units, most), units > most


@njit(cache=True, nogil=True, borrows=True, error_model="numpy")
def breach(
    side: int, fill: float, low: float, high: float, trail: float, begin: int, stop_before: int, opens: Any, close: Any,
    adverse: Any, favourable: Any, block_adverse: Any, block_favourable: Any, trail_unit: int, ladder: Any,
) -> tuple[int, int, float]:  # fmt: skip
    """Find the first bar in [begin, stop_before) that takes the position out.

    `low`, `high`, `trail` from `levels_of`; `adverse`, `favourable` are the lows and highs for a long, the highs
    and lows for a short. Returns (bar, reason, price before slippage); bar is -1 where the position survives.
    """
    best = side * fill
    rungs = ladder.shape[0] if side > 0 else 0
    rung = 0
    i = begin
    while i < stop_before:
        if i % BLOCK == 0 and i + BLOCK <= stop_before:
            j = i // BLOCK
            worst = side * block_adverse[j]
            top = side * block_favourable[j]
            safe = worst > low and top < high
            if trail != 0.0:
                safe = safe and worst > _trail_level(max(best, top), trail, trail_unit, side)
            if rung < rungs:
                safe = safe and not top / fill - 1.0 > ladder[rung, LADDER_TRIGGER]
            if safe:
                best = max(best, top)
                i += BLOCK
                continue
        end = min((i // BLOCK + 1) * BLOCK, stop_before)
        while i < end:
            floor = low
            reason = STOPPED
            if trail != 0.0:
                following = _trail_level(best, trail, trail_unit, side)
                if following > floor:
                    floor = following
                    reason = TRAILED
            if side * adverse[i] <= floor:
                first = side * opens[i]
                return i, reason, opens[i] if first <= floor else side * floor
            top = side * favourable[i]
            if top >= high:
                first = side * opens[i]
                return i, TARGETED, opens[i] if first >= high else side * high
            best = max(best, top)
            while rung < rungs and close[i] / fill - 1.0 > ladder[rung, LADDER_TRIGGER]:
                low = max(low, fill * (1.0 + ladder[rung, LADDER_STOP]))
                high = max(high, fill * (1.0 + ladder[rung, LADDER_TARGET]))
                rung += 1
            i += 1
    return -1, 0, 0.0
