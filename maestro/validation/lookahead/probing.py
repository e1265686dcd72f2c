"""Run a strategy on private copies of the bars: its signals, changes to its input, and differences between two runs."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from maestro._core.quiet import ignored
from maestro._core.usercode import loads_fresh
from maestro.bars import Bars
from maestro.engine import Costs, Simulator, Sizing
from maestro.engine.kernels.account import ORDER_BAR
from maestro.errors import StrategyError
from maestro.indicators import using
from maestro.strategies.base import Strategy
from maestro.strategies.signals import Orders, Signals
from maestro.typing import BoolArray, FloatArray

COLUMNS = ("open", "high", "low", "close", "volume", "funding_rate", "funding_count", "open_interest", "basis")
FLAGS = ("long_entry", "long_exit", "short_entry", "short_exit")
LEVELS = ("stop", "target", "trail")
ROUNDING = 1e-9
"""Relative difference of a level that is taken for rounding: another length may add up in another order."""


@dataclass
class Answer:
    """Output of a strategy on some bars.

    Attributes
    ----------
    flags : the four signals, one value per bar
    levels : protective levels, one value per bar; compared at entries only
    series : columns that an order step reads, one value per bar; compared at every bar
    constants : values that hold for all bars, units and fractions of a bracket
    raw : the signals themselves
    changed : str or None, how the strategy changed its bars
    """

    flags: dict[str, BoolArray]
    levels: dict[str, FloatArray] = field(default_factory=dict)
    series: dict[str, FloatArray] = field(default_factory=dict)
    constants: dict[str, Any] = field(default_factory=dict)
    raw: Signals | None = None
    changed: str | None = None

    @property
    def entries(self) -> BoolArray:
        """Bars at which a position may be opened."""
        return self.flags["long_entry"] | self.flags["short_entry"]


class Difference(NamedTuple):
    """A signal that differs between two answers: the bars, and both values at the first of them."""

    signal: str
    bars: tuple[int, ...]
    first: tuple[Any, Any]


class Refused(Exception):
    """The strategy raised; `name` and `words` describe the error. It is a finding, not an error of Maestro."""

    def __init__(self, error: Exception) -> None:
        self.name, self.words = type(error).__name__, str(error)
        super().__init__(f"{self.name}: {self.words}")


def private(bars: Bars, start: int = 0, stop: int | None = None, **replaced: Any) -> Bars:
    """Copy a window into new arrays, so that changes do not reach the caller's bars.

    `replaced` has whole columns (`time` too) to use instead of the bars' own, before the cut.
    """
    columns: dict[str, Any] = {}
    for name in ("time", *COLUMNS):
        values = replaced.get(name, getattr(bars, name))
        if values is not None:
            columns[name] = np.array(values[start:stop])
            columns[name].flags.writeable = False
    return bars.like(columns)


def ask(strategy: Strategy, given: Bars) -> Answer:
    """Signals on a private copy of the bars, with the warm-up suppressed, as the engine would trade them.

    Raises
    ------
    Refused
        The strategy raised, or broke its contract.
    """
    before = {name: np.array(values) for name in ("time", *COLUMNS) if (values := getattr(given, name)) is not None}
    try:
        with ignored(), using(None), np.errstate(all="ignore"):
            raw = strategy.signals(given)
        if not isinstance(raw, Signals) or len(raw) != len(before["time"]):
            shown = f"{len(raw)} values" if isinstance(raw, Signals) else type(raw).__name__
            raise StrategyError(f"signals() returned {shown} for {len(before['time'])} bars; return ms.Signals.")
    except Exception as error:  # a strategy is the user's code: any error is reported as a finding
        raise Refused(error) from error
    # Copies: a strategy may return its own arrays, or views of the bars, and change them in its next call.
    traded = raw.suppress(strategy.warmup(strategy.params))
    answer = Answer({name: np.array(getattr(traded, name)) for name in FLAGS}, raw=raw, changed=_changed(before, given))
    for name in LEVELS:
        values = getattr(raw, name)
        if values is not None:
            answer.levels[name] = np.array(values)
            answer.constants[f"{name}_unit"] = getattr(raw, f"{name}_unit")
    if raw.bracket is not None:
        answer.levels["long_level"] = np.array(raw.bracket.long_level)
        answer.levels["short_level"] = np.array(raw.bracket.short_level)
        for name in ("long_stop", "long_target", "ladder"):
            answer.constants[name] = np.array(getattr(raw.bracket, name), np.float64)
    if isinstance(raw, Orders):
        answer.series = {f"columns[{k}]": np.array(row) for k, row in enumerate(raw.columns)}
        answer.constants |= {"numbers": np.array(raw.numbers), "slots": raw.slots, "state": raw.state}
    return answer


def _changed(before: dict[str, Any], given: Bars) -> str | None:
    for name in ("time", *COLUMNS):
        values, was = getattr(given, name), before.get(name)
        if was is None and values is None:
            continue
        if was is None or values is None or np.shape(values) != was.shape:
            return f"bars.{name} was replaced"
        other = np.flatnonzero(~((values == was) | ((values != values) & (was != was))))
        if len(other):
            return f"bars.{name} was changed at {len(other)} bars, first at bar {other[0]}"
    return None


def differences(
    whole: Answer, part: Answer, *, offset: int = 0, begin: int = 0, stop: int | None = None
) -> list[Difference]:
    """Compare the answer to a part of the bars, which begins at bar `offset`, with the answer to all of them.

    Bars `begin` to `stop` of the part are compared (all if not given). Flags must be equal; levels where either
    answer has an entry, and columns of order steps, but for rounding. Bars in the result are those of the part.
    """
    n = len(part.flags["long_entry"]) if stop is None else stop
    found = []

    def compare(name: str, a: Any, b: Any, unequal: BoolArray) -> None:
        at = np.flatnonzero(unequal) + begin
        if len(at):
            i = int(at[0]) - begin
            found.append(Difference(name, tuple(at.tolist()), (a[i].item(), b[i].item())))

    here, there = slice(begin, n), slice(offset + begin, offset + n)
    for name in FLAGS:
        expected, other = whole.flags[name][there], part.flags[name][here]
        compare(name, expected, other, expected != other)
    traded = whole.entries[there] | part.entries[here]
    for kind, counts in (("levels", traded), ("series", True)):
        mine, others = getattr(whole, kind), getattr(part, kind)
        none = np.full(n - begin, np.nan)
        for name in sorted(mine.keys() | others.keys()):
            a = mine[name][there] if name in mine else none
            b = others[name][here] if name in others else none
            compare(name, a, b, _apart(a, b) & counts)
    for name in sorted(whole.constants.keys() | part.constants.keys()):
        one, two = whole.constants.get(name), part.constants.get(name)
        if not np.array_equal(np.asarray(one), np.asarray(two)) and traded.any():
            found.append(Difference(name, (int(np.flatnonzero(traded)[0]) + begin,), (_plain(one), _plain(two))))
    return found


def _apart(a: FloatArray, b: FloatArray) -> BoolArray:
    with np.errstate(invalid="ignore"):
        close = np.abs(a - b) <= ROUNDING * np.maximum(np.abs(a), np.abs(b))
    return ~(close | (a == b) | (np.isnan(a) & np.isnan(b)))


def _plain(value: Any) -> Any:
    return value.tolist() if isinstance(value, np.ndarray) else value


def fills(answer: Answer, bars: Bars, last: int) -> FloatArray:
    """Fills up to and including bar `last` of a strategy with its own orders; columns bar, side, size, price, fee."""
    assert answer.raw is not None
    simulator = Simulator(bars, costs=Costs(), sizing=Sizing.percent(1.0))
    book = simulator.record(answer.raw).orders
    return book[book[:, ORDER_BAR] <= last]


def fresh_copies(strategy: Strategy) -> Callable[[], Strategy]:
    """Return a function that makes the strategy with the current state of its module, unaffected by later calls.

    A class that cannot be copied with its module's variables (a built-in one has none) is returned as it is.
    """
    cls = type(strategy)
    if cls.__module__.startswith("maestro.strategies."):
        return lambda: cls(**strategy.params)
    _clear_caches(cls)
    import cloudpickle

    module = sys.modules.get(cls.__module__)
    # A module that is imported is copied by value only for as long as this takes.
    named = (
        module is not None
        and cls.__module__ != "__main__"
        and cls.__module__ not in cloudpickle.list_registry_pickle_by_value()
    )
    try:
        if named:
            cloudpickle.register_pickle_by_value(module)
        kept = cloudpickle.dumps(strategy)
        loads_fresh(kept)
    except Exception:  # the module holds something that cannot be pickled: the checks then share one state
        return lambda: cls(**strategy.params)
    finally:
        if named:
            cloudpickle.unregister_pickle_by_value(module)
    return lambda: loads_fresh(kept)  # type: ignore[no-any-return]


def _clear_caches(cls: type[Strategy]) -> None:
    """Empty `functools` caches of the class and its module: their content may come from other bars."""
    module = sys.modules.get(cls.__module__)
    for value in [*vars(cls).values(), *(vars(module).values() if module else ())]:
        if callable(getattr(value, "cache_clear", None)) and hasattr(value, "cache_info"):
            value.cache_clear()
