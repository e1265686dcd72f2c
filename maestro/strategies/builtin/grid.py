"""The grid: concurrent limit orders around a mean, each level bought and sold again inside the bars."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

import maestro.indicators as ind
from maestro._core.compiled import njit
from maestro.strategies import signals as book_of
from maestro.strategies.base import Overlay, Strategy
from maestro.strategies.parameters import Constraint, Float, Int, Params
from maestro.strategies.signals import Orders
from maestro.strategies.steps import ORDER_STEP

if TYPE_CHECKING:
    from maestro.bars import Bars

CLOSE = 3
MEAN, LOWER, UPPER = range(3)
ANCHOR, SPEND_EACH, UNITS_EACH, FIRST_HELD = range(4)
"""Memory of the step: the anchor (0: no grid), what a level spends or buys, and a flag a level that holds."""
_SIDE, _PRICE, _SPEND, _UNITS, _LOT, _FILLED = (
    book_of.SIDE, book_of.PRICE, book_of.SPEND, book_of.UNITS, book_of.LOT, book_of.FILLED,
)  # fmt: skip
_BUDGET, _BUDGET_UNITS, _LIVE = book_of.BUDGET, book_of.BUDGET_UNITS, book_of.LIVE


@njit(cache=True, nogil=True, borrows=True)
def _arm(book: Any, i: int, state: Any, spacing: float) -> None:
    """Lay level `i`'s order for the next bars: a sale one level up where it holds, else a buy."""
    held = state[FIRST_HELD + i] != 0.0
    steps = i if held else i + 1
    book[i, _SIDE] = -1.0 if held else 1.0
    book[i, _PRICE] = state[ANCHOR] * (1.0 - steps * spacing)
    book[i, _SPEND] = 0.0 if held else state[SPEND_EACH]
    book[i, _UNITS] = 0.0 if held else state[UNITS_EACH]
    book[i, _LOT] = i


@njit(ORDER_STEP, cache=True, nogil=True, borrows=True)
def grid_step(t: int, allowed: bool, bar: Any, columns: Any, numbers: Any, account: Any, state: Any, book: Any) -> int:
    """Decide at a close: give up, take note of the bar's fills, or lay the grid anew (see `Orders`)."""
    spacing = numbers[0]
    levels = book.shape[0]
    close = bar[CLOSE]
    if state[ANCHOR] > 0.0:
        if close < state[ANCHOR] * (1.0 - (levels + 1) * spacing):
            state[:] = 0.0
            return 1
        for i in range(levels):
            if book[i, _FILLED] > 0.0:
                state[FIRST_HELD + i] = 1.0 - state[FIRST_HELD + i]
                _arm(book, i, state, spacing)
    if allowed and account[_LIVE] == 0.0 and columns[LOWER, t] <= close <= columns[UPPER, t]:
        spend = account[_BUDGET] / levels
        units = account[_BUDGET_UNITS] / levels
        if spend > 0.0 or units > 0.0:
            state[:] = 0.0
            state[ANCHOR] = columns[MEAN, t]
            state[SPEND_EACH] = spend if spend > 0.0 else 0.0
            state[UNITS_EACH] = 0.0 if spend > 0.0 else units
            for i in range(levels):
                _arm(book, i, state, spacing)
    return 0


class GridTradingStrategy(Strategy):
    """A grid of resting limit orders around a mean, each level filled inside the bar and armed again.

    At every close without inventory that lies within the bands the grid is laid anew around the SMA, for the
    next bars: level i buys at anchor · (1 − i · grid_size), and what it bought is sold one level up. Each level
    spends a share of equity at the anchoring / num_grids, fee included. At a close below
    anchor · (1 − (num_grids + 1) · grid_size) everything is cancelled, and sold at the next open.
    """

    family = "derivatives"
    grid_size = Float(0.02, 0.005, 0.05, minimum=0.0001, maximum=0.5, doc="distance of the levels, share of the anchor")
    num_grids = Int(5, 2, 10, doc="number of levels")
    period = Int(20, 10, 40, minimum=2, doc="bars of the mean and the bands")
    num_std = Float(2.0, 1.5, 3.0, doc="half-width of the bands in standard deviations")
    constraints = (
        Constraint("(num_grids + 1) * grid_size < 1", lambda p: bool((p["num_grids"] + 1) * p["grid_size"] < 1.0)),
    )

    def warmup(self, params: Params) -> int:
        return int(params["period"] - 1)

    def signals(self, bars: Bars) -> Orders:
        bands = ind.bollinger(bars.close, self.period, self.num_std)
        allowed = np.ones(len(bars), np.bool_)
        allowed[: self.period - 1] = False
        return Orders(
            allowed,
            step=grid_step,
            columns=np.stack((bands.middle, bands.lower, bands.upper)),
            numbers=np.array([self.grid_size]),
            slots=self.num_grids,
            state=FIRST_HELD + self.num_grids,
        )

    def overlays(self, bars: Bars) -> list[Overlay]:
        bands = ind.bollinger(bars.close, self.period, self.num_std)
        return [Overlay("upper band", bands.upper), Overlay("mean", bands.middle), Overlay("lower band", bands.lower)]
