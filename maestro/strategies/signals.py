"""What a strategy passes to the engine: four boolean arrays, protective levels, or its own orders."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, get_args

import numpy as np

from maestro.errors import StrategyError
from maestro.typing import BoolArray, FloatArray, Unit

# Columns of the book and of the account that an order step reads and writes (see `Orders`).
SIDE, PRICE, SPEND, UNITS, LOT, FILLED, FILL_PRICE = range(7)
BOOK_WIDTH = 7
CASH, POSITION, EQUITY, BUDGET, BUDGET_UNITS, FEE, LIVE = range(7)
ACCOUNT_WIDTH = 7

_BOOL = np.dtype(np.bool_)
_UNITS: tuple[str, ...] = get_args(Unit)
_NAMES = ("long_entry", "long_exit", "short_entry", "short_exit")


@lru_cache(maxsize=64)
def _never(n: int) -> BoolArray:
    never = np.zeros(n, _BOOL)
    never.flags.writeable = False  # many signals share it
    return never


def _early(flags: BoolArray, warmup: int) -> bool:
    """Whether a flag before `warmup` is set, in a fifth of the time of `ndarray.any`."""
    return b"\1" in flags[:warmup].tobytes()


def _flags(name: str, values: Any, n: int) -> BoolArray:
    if type(values) is np.ndarray and values.dtype == _BOOL and values.shape == (n,) and values.flags.c_contiguous:
        return values
    if values is None:
        return _never(n)
    _refuse_masked(name, values)
    array = np.asarray(values)
    if array.dtype != _BOOL:
        raise StrategyError(f"Signals.{name} has dtype {array.dtype}; give booleans, one per bar.")
    if array.ndim != 1 or array.shape[0] != n:
        raise StrategyError(f"Signals.{name} has shape {array.shape}; give one value for each of the {n} bars.")
    return np.ascontiguousarray(array)


def _refuse_masked(name: str, values: Any) -> None:
    """Refuse a masked array: what stands under a mask is not a decision."""
    if isinstance(values, np.ma.MaskedArray):
        raise StrategyError(f"Signals.{name} is a masked array; fill it first: .filled(False) or .filled(nan).")


def _levels(name: str, values: Any, unit: str, n: int, units: tuple[str, ...]) -> FloatArray:
    if unit not in units:
        raise StrategyError(f"Signals.{name}_unit is {unit!r}; allowed: {', '.join(units)}.")
    # A stop that far below the fill is below zero: it protects nothing.
    highest = 1.0 if unit == "fraction" and name != "target" else math.inf
    if type(values) in (int, float) and 0.0 < values < highest:
        return np.full(n, float(values))
    _refuse_masked(name, values)
    if np.asarray(values).dtype == _BOOL:
        raise StrategyError(f"Signals.{name} is {values!r}, a boolean; give a number like 0.05 for 5 %.")
    try:
        array = np.asarray(values, np.float64)
    except (TypeError, ValueError):
        raise StrategyError(
            f"Signals.{name} holds no numbers; give one number, or one for each of the {n} bars."
        ) from None
    if array.ndim == 0:
        array = np.full(n, array)
    if array.shape != (n,):
        raise StrategyError(
            f"Signals.{name} has shape {array.shape}; give one number, or one for each of the {n} bars."
        )
    if (array <= 0).any() or np.isinf(array).any():
        bad = int(np.flatnonzero((array <= 0) | np.isinf(array))[0])
        raise StrategyError(f"Signals.{name} is {array[bad]} at bar {bad}; give values above 0, NaN for none.")
    if (array >= highest).any():
        bad = int(np.flatnonzero(array >= highest)[0])
        raise StrategyError(
            f"Signals.{name} is {array[bad]:g} at bar {bad}, which is {array[bad]:.0%} of the price; give a fraction "
            f'below 1, like 0.05 for 5 %, or a distance in price with {name}_unit="price".'
        )
    return np.ascontiguousarray(array)


@dataclass(frozen=True, slots=True)
class Bracket:
    """Protective levels that depend on the fill (slipped entry price), raised by a ladder at closes.

    Long: stop at ``fill * (1 - long_stop)``, or at ``long_level`` of the signal bar where that is a number
    below the fill; target at ``fill * (1 + long_target)``. At each close, ladder rows (trigger, stop, target;
    ascending fractions of the fill) whose trigger is exceeded by ``close / fill - 1`` move stop and target to
    ``fill * (1 + stop)`` and ``fill * (1 + target)``, in force from the next bar, never lowered.
    Short: fixed stop at ``short_level`` of the signal bar; where that is not above the fill the short is not
    opened (a long is closed all the same, reason ``signal``).
    """

    long_stop: float
    long_target: float
    long_level: FloatArray
    short_level: FloatArray
    ladder: FloatArray


class Signals:
    """Decisions at the close of every bar.

    Parameters
    ----------
    long_entry, long_exit, short_entry, short_exit : bool arrays, one value per bar; None is never
    stop, target, trail : number or float array, one per bar; NaN or None is none
        The value of the signal bar counts, fixed for the life of the trade.
    stop_unit, target_unit, trail_unit : {"fraction", "price", "level"}
        Fraction of the slipped entry price (of the best price for a trail), distance in price, or an
        absolute price (not for a trail).
    """

    __slots__ = (
        "bracket", "long_entry", "long_exit", "notes", "short_entry", "short_exit",
        "stop", "stop_unit", "target", "target_unit", "trail", "trail_unit",
    )  # fmt: skip

    def __init__(
        self,
        long_entry: Any = None,
        long_exit: Any = None,
        short_entry: Any = None,
        short_exit: Any = None,
        *,
        stop: Any = None,
        target: Any = None,
        trail: Any = None,
        stop_unit: Unit = "fraction",
        target_unit: Unit = "fraction",
        trail_unit: Unit = "fraction",
        bracket: Bracket | None = None,
        notes: tuple[str, ...] = (),
    ) -> None:
        first = long_entry
        if first is None:
            first = next((x for x in (short_entry, long_exit, short_exit) if x is not None), None)
            if first is None:
                raise StrategyError("Signals without any array; give at least long_entry or short_entry.")
        try:
            n = len(first)
        except TypeError:
            raise StrategyError(f"Signals of {first!r}; give arrays of booleans, one value per bar.") from None
        self.long_entry = _flags("long_entry", long_entry, n)
        self.long_exit = _flags("long_exit", long_exit, n)
        mirrored = short_entry is long_exit and short_exit is long_entry  # `flip`: the same arrays, checked once
        self.short_entry = self.long_exit if mirrored else _flags("short_entry", short_entry, n)
        self.short_exit = self.long_entry if mirrored else _flags("short_exit", short_exit, n)
        self.stop = None if stop is None else _levels("stop", stop, stop_unit, n, _UNITS)
        self.target = None if target is None else _levels("target", target, target_unit, n, _UNITS)
        self.trail = None if trail is None else _levels("trail", trail, trail_unit, n, _UNITS[:2])
        self.stop_unit, self.target_unit, self.trail_unit = stop_unit, target_unit, trail_unit
        if bracket is not None and not (stop is None and target is None and trail is None):
            raise StrategyError("Signals with a bracket and a stop, target or trail; give one or the other.")
        self.bracket = bracket
        self.notes = notes
        """What a reader of the result must know, e.g. that a proxy stood in for a series."""

    @classmethod
    def flip(cls, long_entry: Any, long_exit: Any, **kwargs: Any) -> Signals:
        """Signals whose short side is the mirror: short entry = long exit, short exit = long entry."""
        return cls(long_entry, long_exit, long_exit, long_entry, **kwargs)

    def __len__(self) -> int:
        return self.long_entry.shape[0]

    def suppress(self, warmup: int) -> Signals:
        """Return signals without any before bar `warmup`; itself where there is none."""
        if not (_early(self.long_entry, warmup) or _early(self.long_exit, warmup)):
            mirrored = self.short_entry is self.long_exit and self.short_exit is self.long_entry
            if mirrored or not (_early(self.short_entry, warmup) or _early(self.short_exit, warmup)):
                return self
        dirty = [name for name in _NAMES if getattr(self, name)[:warmup].any()]
        copy = object.__new__(type(self))
        for slot in (s for base in type(self).__mro__ for s in getattr(base, "__slots__", ())):
            setattr(copy, slot, getattr(self, slot))
        for name in dirty:
            array = getattr(self, name).copy()
            array[:warmup] = False
            setattr(copy, name, array)
        return copy


class Orders(Signals):
    """A strategy's own resting limit orders, decided by a compiled step at every close.

    ``long_entry`` marks the closes at which the strategy may lay its orders (never before its warm-up, never
    outside a test window). `step` is a Numba function of the signature below; it sees the fills of the bar in
    the book and changes the book, in force from the next bar::

        step(t, allowed, bar, columns, params, account, state, book) -> action

    - t : int64, the bar; allowed : bool, ``long_entry[t]``
    - bar : float64[5], open, high, low, close, volume of bar t
    - columns : float64[k, n], the strategy's series, read at t and before
    - params : float64[m], its numbers; state : float64[s], its memory, zeros at the start
    - account : float64[ACCOUNT_WIDTH], CASH, POSITION (units), EQUITY at the close, BUDGET (cash a full entry
      would spend, fee included; NaN where sized in units), BUDGET_UNITS (NaN where sized in cash), FEE
      (fraction a side), LIVE (number of open lots)
    - book : float64[slots, BOOK_WIDTH], one row per order: SIDE (+1 buy, -1 sell, 0 none), PRICE (limit), SPEND
      (cash to spend, fee included; 0: by UNITS), UNITS, LOT (a buy opens the lot of that number, a sale with
      a number >= 0 closes it whole, -1: first in, first out), FILLED (units filled in this bar, else 0) and
      FILL_PRICE. A filled row has SIDE 0.
    - action : int64, 0 go on; 1 the book is emptied and everything is sold at the next open, where nothing
      else fills (slipped market order, reason ``signal``).
    """

    __slots__ = ("columns", "numbers", "slots", "state", "step")

    def __init__(
        self,
        allowed: Any,
        *,
        step: Callable[..., int],
        columns: FloatArray,
        numbers: FloatArray,
        slots: int,
        state: int,
        notes: tuple[str, ...] = (),
    ) -> None:
        super().__init__(long_entry=allowed, notes=notes)
        self.step = step
        self.columns = np.ascontiguousarray(columns, np.float64)
        self.numbers = np.ascontiguousarray(numbers, np.float64)
        self.slots = slots
        self.state = state
