"""Funding, open interest and basis on bars as they were known at each bar, never from the future."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import polars as pl

from maestro.data.frames import read_stamps, to_polars
from maestro.data.timeframes import DAY_US, SECOND_US, as_datetime, infer_timeframe, timeframe_us
from maestro.errors import BarsError
from maestro.typing import FloatArray, IntArray

_COLUMN = {"funding": "funding_rate", "open_interest": "open_interest", "basis": "basis"}
_HELD = 3
"""Distances of its own for which a value is held; an older one says nothing of today."""


def join_series(
    bars: Any,
    timeframe: str | None = None,
    *,
    funding: Any = None,
    open_interest: Any = None,
    basis: Any = None,
    lag: Mapping[str, str] | None = None,
) -> pl.DataFrame:
    """Join series of other stamps and intervals onto bars.

    Stamps are first cut to the second: settlements are recorded up to 17 ms late. Then

    - ``funding_rate`` of a bar is the sum of the settlements after the previous bar's open, up to and including its
      own; null is no settlement. ``funding_count`` is how many there were. Settlements before the first bar (by more
      than a bar) or after the last open belong to no bar.
    - ``open_interest`` and ``basis`` are the newest values known at the bar's close, those stamped with the close
      included. A slower series is held, for three of its own distances at most; then the bar has null.

    A value is known at its stamp, which is how exchanges stamp snapshots. A series whose stamps are all midnights, a
    day or more apart, has the figures of whole days: such a figure counts from the next day's bars on (on bars of a
    day, from the next bar). `lag` says otherwise.

    Parameters
    ----------
    bars : frame with ``timestamp``, the open of each bar, ascending; other columns are kept
    timeframe : str, optional
        Length of a bar; the commonest distance where it is not given.
    funding : frame with ``timestamp`` and ``funding_rate`` [fraction of notional, positive: longs pay]
    open_interest, basis : frames with ``timestamp`` and the column of that name
        In any order; nulls are left out.
    lag : mapping, optional
        How long after its stamp a value is known, ``{"basis": "1h"}`` where the stamps are the opens of hours whose
        closes the basis compares, ``{"open_interest": "0"}`` for midnights that are snapshots.

    Returns
    -------
    polars frame
        The bars' rows, with a column for each series that is given, in place of one that was there.

    Raises
    ------
    BarsError
        A frame without the needed columns, bars out of order, or two different values of one stamp.

    Examples
    --------
    Settlements at 00:00:00.017 and 08:00 on bars of four hours fall on those that open at 00:00 and 08:00; on bars
    of a day the second falls on the next day's bar, because who holds at its open has paid it by then.
    """
    frame = to_polars(bars)
    if "timestamp" not in frame.columns or frame.is_empty():
        raise BarsError(f"bars to join onto need rows and a timestamp; they have {', '.join(frame.columns) or 'none'}.")
    opens = read_stamps(frame["timestamp"]).to_physical().to_numpy()
    if (np.diff(opens) <= 0).any():
        raise BarsError("the bars are not in strictly increasing order of time; sort them before joining.")
    length = timeframe_us(timeframe or infer_timeframe(opens))
    lags = {name: _length(text) for name, text in (lag or {}).items()}
    if wrong := lags.keys() - _COLUMN.keys():
        raise BarsError(f"lag names {', '.join(sorted(wrong))}; there are {', '.join(_COLUMN)}.")
    columns = []
    if funding is not None:
        stamps, values, whole_days = _series("funding", funding)
        known = stamps + lags.get("funding", DAY_US if whole_days else 0)
        columns += _settled(opens, length, known, values)
    for name, given in (("open_interest", open_interest), ("basis", basis)):
        if given is not None:
            stamps, values, whole_days = _series(name, given)
            # A figure of a day is out when the day is over, and so a moment later than the bar that closes with it.
            known = stamps + lags.get(name, DAY_US + 1 if whole_days else 0)
            columns.append(pl.Series(name, _held(opens + length, length, known, values)).fill_nan(None))
    return frame.with_columns(columns)


def uncovered(opens: IntArray, length: int, series: str, frame: pl.DataFrame) -> str:
    """What bars lack of a series, in words; empty where it reaches from the first bar to the last.

    Parameters
    ----------
    opens : int64 array [µs]
    length : int [µs], of a bar
    series : {"funding", "open_interest", "basis"}
    frame : polars frame of that series, as a store gives it
    """
    if frame.is_empty():
        return f"no {series} is known for these bars"
    stamps = np.sort(read_stamps(frame["timestamp"]).to_physical().to_numpy())
    usual = int(np.median(np.diff(stamps))) if len(stamps) > 1 else length
    slack = usual + length
    if stamps[0] <= opens[0] + slack and opens[-1] <= stamps[-1] + slack:
        return ""
    return f"{series} is known from {as_datetime(stamps[0]):%Y-%m-%d} to {as_datetime(stamps[-1]):%Y-%m-%d} only"


def _length(text: str) -> int:
    return 0 if text in ("0", "0s") else timeframe_us(text)


def _series(name: str, given: Any) -> tuple[IntArray, FloatArray, bool]:
    """Stamps cut to the second, values without nulls, in order; and whether they are figures of whole days."""
    frame, column = to_polars(given), _COLUMN[name]
    if missing := [one for one in ("timestamp", column) if one not in frame.columns]:
        raise BarsError(
            f"{name} lacks column {', '.join(missing)}; it has {', '.join(frame.columns)}. "
            f"Rename them to timestamp and {column}."
        )
    frame = frame.filter(frame[column].cast(pl.Float64).fill_nan(None).is_not_null())
    if frame.is_empty():
        return np.zeros(0, np.int64), np.zeros(0), False
    stamps = read_stamps(frame["timestamp"]).to_physical().to_numpy() // SECOND_US * SECOND_US
    order = np.argsort(stamps, kind="stable")
    stamps, values = stamps[order], frame[column].cast(pl.Float64).to_numpy()[order]
    again = np.diff(stamps, prepend=stamps[0] - 1) == 0
    if again.any():  # the same from two downloads, one of which had cut its stamps
        differs = np.flatnonzero(again & (np.diff(values, prepend=values[0]) != 0))
        if len(differs):
            twice = as_datetime(stamps[differs[0]])
            raise BarsError(f"{name} has two different values at {twice} (cut to the second); keep one of a stamp.")
        stamps, values = stamps[~again], values[~again]
    steps = np.diff(stamps)
    midnights = not (stamps % DAY_US).any() and (steps >= DAY_US).all()
    return stamps, values, bool(midnights and (len(steps) or name != "funding"))


def _settled(opens: IntArray, length: int, stamps: IntArray, rates: FloatArray) -> list[pl.Series]:
    """Sum and number of the settlements in (previous open, own open] of each bar."""
    bar = np.searchsorted(opens, stamps)
    own = (stamps > opens[0] - length) & (bar < len(opens))
    count = np.bincount(bar[own], minlength=len(opens))
    total = np.bincount(bar[own], rates[own], len(opens))
    rate = pl.Series("funding_rate", np.where(count > 0, total, np.nan)).fill_nan(None)
    return [rate, pl.Series("funding_count", count.astype(np.float64))]


def _held(closes: IntArray, length: int, known: IntArray, values: FloatArray) -> FloatArray:
    """Newest value known at each close; NaN before the first, and where the newest is too old."""
    result = np.full(len(closes), np.nan)
    if not len(known):
        return result
    newest = np.searchsorted(known, closes, side="right") - 1
    there = newest >= 0
    if len(known) > 1:
        there &= closes - known[newest] <= _HELD * max(int(np.median(np.diff(known))), length)
    result[there] = values[newest[there]]
    return result
