"""Bars of a longer timeframe and of another symbol for a rule: cut with its bars, aligned without looking ahead."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from maestro.bars.resampling import resampled_columns
from maestro.data.timeframes import bar_ends
from maestro.errors import BarsError, nearest

if TYPE_CHECKING:
    from maestro.bars.aligned import AlignedBars
    from maestro.bars.bars import Bars

_COLUMNS = ("open", "high", "low", "close", "volume")


def aligned_higher(bars: Bars, timeframe: str) -> AlignedBars:
    """Closed bars of a longer timeframe; see `Bars.higher`."""
    from maestro.bars.aligned import AlignedBars  # compiled code, which loading bars does not need

    columns, _, bucket = resampled_columns(bars, timeframe)
    base = {name: getattr(bars, name) for name in _COLUMNS}
    closes_at, own = bar_ends(columns["time"], timeframe), bar_ends(bars.time, bars.timeframe)
    return AlignedBars(timeframe, columns, closes_at, base, own, bucket)


def named_other(bars: Bars, other: Any, name: str | None) -> str:
    """Name of another symbol beside bars.

    Raises
    ------
    BarsError
        Not bars, without a name, or a name that is taken.
    """
    if not isinstance(other, type(bars)):
        raise BarsError(f"the other symbol is a {type(other).__name__}; give ms.Bars.")
    found = other.symbol if name is None else name
    if not found or not isinstance(found, str):
        raise BarsError("the other symbol has no name; give one: bars.with_other(other, name='BTC').")
    if found in bars.others:
        raise BarsError(f"there is another symbol {found!r} already; give this one a name of its own with name=.")
    return found


def cut_others(others: Mapping[str, Bars], time: Any, timeframe: str) -> dict[str, Bars]:
    """Bars of other symbols that are known at the close of the last of some bars, from the open of the first on."""
    if not others or not len(time):
        return {}
    last = bar_ends(time[-1:], timeframe)[0]
    found = {}
    for name, other in others.items():
        begin = int(np.searchsorted(other.time, time[0]))
        end = int(np.searchsorted(bar_ends(other.time, other.timeframe), last, side="right"))
        columns = {key: getattr(other, key)[begin : max(begin, end)] for key in ("time", *_COLUMNS)}
        found[name] = other.like(columns, f"[{begin}:{end}]")
    return found


def aligned_other(bars: Bars, name: str | None) -> AlignedBars:
    """Another symbol's closed bars for a rule on these bars.

    Raises
    ------
    BarsError
        There is none of that name, or there are several and none is named.
    """
    from maestro.bars.aligned import AlignedBars

    others = bars.others
    if name is None and len(others) == 1:
        (name,) = others
    if name not in others:
        there = ", ".join(others) or "none"
        why = "several: name one" if name is None and others else f"no other symbol {name!r}" if name else "none"
        raise BarsError(
            f"{bars.name or 'these bars'} have {why}; there are: {there}. Join it with "
            f"bars.with_other(other).{nearest(str(name), others)}"
        )
    other = others[name]
    columns = {key: getattr(other, key) for key in ("time", *_COLUMNS)}
    closes_at, own = bar_ends(other.time, other.timeframe), bar_ends(bars.time, bars.timeframe)
    return AlignedBars(other.timeframe, columns, closes_at, {}, own, np.empty(0, np.int64))
