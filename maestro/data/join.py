"""Join funding, open interest and basis to bars as known at each bar, without look-ahead."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import polars as pl

from maestro.data.files.frames import to_polars
from maestro.data.files.stamps import read_stamps
from maestro.data.timeframes import DAY_US, SECOND_US, as_datetime, infer_timeframe, timeframe_us
from maestro.errors import BarsError
from maestro.typing import FloatArray, IntArray

_COLUMN = {"funding": "funding_rate", "open_interest": "open_interest", "basis": "basis"}
_STALE = 3
"""Distances of its own after which a value that is still held is worth a note."""


def join_series(
    bars: Any,
    timeframe: str | None = None,
    *,
    funding: Any = None,
    open_interest: Any = None,
    basis: Any = None,
    lag: Mapping[str, str] | None = None,
) -> pl.DataFrame:
    """Join series with other timestamps and intervals to bars.

    Timestamps are first truncated to the second: settlements are recorded up to 17 ms late. Equal values in one second
    are one, from two downloads; settlements that differ within a second are added up. Then

    - ``funding_rate`` of a bar is the sum of the settlements after the previous bar's open, up to and including its
      own; null is no settlement. ``funding_count`` is how many there were. Settlements before the first bar (by more
      than a bar) or after the last open belong to no bar.
    - ``open_interest`` and ``basis`` are the newest values known at the bar's close, those stamped with the close
      included. A slower series is held until its next value; `uncovered` says where that takes unusually long.

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
        A frame without the needed columns, bars out of order, or two different values at the very same stamp.

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
            columns.append(pl.Series(name, _held(opens + length, known, values)).fill_nan(None))
    return frame.with_columns(columns)


def uncovered(opens: IntArray, length: int, series: str, frame: pl.DataFrame) -> str:
    """The part of the bars that a series does not cover, in words; empty if it covers all of them.

    Parameters
    ----------
    opens : int64 array [µs]
    length : int [µs], of a bar
    series : {"funding", "open_interest", "basis"}
    frame : polars frame of that series, as a store gives it
    """
    if frame.is_empty():
        return f"no {series} is known for these bars"
    values = frame[_COLUMN[series]].cast(pl.Float64).fill_nan(None)
    stamps = np.sort(read_stamps(frame["timestamp"].filter(values.is_not_null())).to_physical().to_numpy())
    if not len(stamps):
        return f"no {series} is known for these bars"
    steps = np.diff(stamps, append=max(int(opens[-1]) + length, int(stamps[-1])))
    usual = int(np.median(steps[:-1])) if len(stamps) > 1 else length
    lacks = []
    slack = usual + length
    if stamps[0] > opens[0] + slack or opens[-1] > stamps[-1] + slack:
        lacks.append(f"is known from {as_datetime(stamps[0]):%Y-%m-%d} to {as_datetime(stamps[-1]):%Y-%m-%d} only")
    longest = int(steps[:-1].argmax()) if len(stamps) > 1 else 0
    inside = opens[0] < stamps[longest] < opens[-1]
    if series != "funding" and inside and steps[longest] > max(_STALE * usual, length):
        days = steps[longest] / DAY_US
        lacks.append(
            f"has no value for {days:,.1f} days from {as_datetime(stamps[longest]):%Y-%m-%d}; the last is held"
        )
    return f"{series} {', and '.join(lacks)}" if lacks else ""


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
    table = pl.DataFrame({"at": read_stamps(frame["timestamp"]).to_physical(), "value": frame[column].cast(pl.Float64)})
    table = table.unique(["at", "value"], maintain_order=True).sort("at", maintain_order=True)
    if (twice := table["at"].is_duplicated()).any():
        raise BarsError(
            f"{name} has two different values at {as_datetime(int(table['at'].filter(twice)[0]))}; keep one."
        )
    table = table.with_columns(at=pl.col("at") // SECOND_US * SECOND_US)
    if name == "funding":
        table = table.unique(["at", "value"], maintain_order=True)
    else:  # of snapshots in one second the last counts
        table = table.unique("at", keep="last", maintain_order=True)
    stamps, values = table["at"].to_numpy(), table["value"].to_numpy()
    moments = np.unique(stamps)
    midnights = not (moments % DAY_US).any() and (np.diff(moments) >= DAY_US).all()
    return stamps, values, bool(midnights and (len(moments) > 1 or name != "funding"))


def _settled(opens: IntArray, length: int, stamps: IntArray, rates: FloatArray) -> list[pl.Series]:
    """Sum and number of the settlements in (previous open, own open] of each bar."""
    bar = np.searchsorted(opens, stamps)
    own = (stamps > opens[0] - length) & (bar < len(opens))
    count = np.bincount(bar[own], minlength=len(opens))
    total = np.bincount(bar[own], rates[own], len(opens))
    rate = pl.Series("funding_rate", np.where(count > 0, total, np.nan)).fill_nan(None)
    return [rate, pl.Series("funding_count", count.astype(np.float64))]


def _held(closes: IntArray, known: IntArray, values: FloatArray) -> FloatArray:
    """Newest value known at each close; NaN before the first."""
    newest = np.searchsorted(known, closes, side="right") - 1
    return np.where(newest >= 0, np.append(values, np.nan)[newest], np.nan)
