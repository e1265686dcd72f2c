"""Bars of a longer timeframe as columns: what `Bars.resample` and `Bars.higher` share."""

from __future__ import annotations

from typing import Any

import numpy as np

from maestro.data.timeframes import DAY_US, timeframe_us
from maestro.errors import BarsError
from maestro.typing import FloatArray, IntArray


def resampled_columns(bars: Any, timeframe: str) -> tuple[dict[str, Any], list[str], IntArray]:
    """Columns of the whole bars of a longer timeframe, what was dropped, and the number of each bar's longer bar.

    Parameters
    ----------
    bars : Bars
    timeframe : str
        A whole multiple of the bars' own.

    Returns
    -------
    columns : dict of arrays, without a row where no longer bar is covered whole
    notes : list of str
    bucket : int64[n]
        Equal for bars of one longer bar.

    Raises
    ------
    BarsError
        The timeframe is not a longer one, or not a whole multiple.
    """
    old, new = timeframe_us(bars.timeframe), timeframe_us(timeframe)
    if new % old or new == old:
        raise BarsError(
            f"cannot make {timeframe} bars of {bars.timeframe} bars; give a longer timeframe that is a multiple."
        )
    origin = 4 * DAY_US if new % (7 * DAY_US) == 0 else 0  # 1970-01-05 was a Monday
    bucket = (bars.time - origin) // new
    first = np.flatnonzero(np.diff(bucket, prepend=bucket[0] - 1))
    last = np.append(first[1:], len(bars)) - 1
    opens = bucket[first] * new + origin
    keep = np.ones(len(first), np.bool_)
    notes = []
    if bars.time[0] > opens[0]:
        keep[0] = False
        notes.append(f"{last[0] + 1} {bars.timeframe} bars of an unfinished first {timeframe} bar dropped")
    if bars.time[-1] + old < opens[-1] + new and keep[-1]:
        keep[-1] = False
        notes.append(f"{len(bars) - first[-1]} {bars.timeframe} bars of an unfinished last {timeframe} bar dropped")
    columns: dict[str, Any] = {
        "time": opens,
        "open": bars.open[first],
        "high": np.maximum.reduceat(bars.high, first),
        "low": np.minimum.reduceat(bars.low, first),
        "close": bars.close[last],
        "volume": np.add.reduceat(bars.volume, first),
    }
    if bars.funding_rate is not None:
        settled = ~np.isnan(bars.funding_rate)
        count = np.where(settled, 1.0 if bars.funding_count is None else bars.funding_count, 0.0)
        # A settlement inside a long bar is paid by who carries a position into the next one's open.
        paid_at = np.searchsorted(opens, bars.time)
        total = np.bincount(paid_at, count, len(opens) + 1)[:-1]
        rates = np.bincount(paid_at, np.where(settled, bars.funding_rate, 0.0), len(opens) + 1)[:-1]
        columns["funding_rate"] = np.where(total > 0, rates, np.nan)
        columns["funding_count"] = total
    for name in ("open_interest", "basis"):
        values = getattr(bars, name)
        if values is not None:
            columns[name] = values[_last_known(values, first, last)]
    columns = {name: np.ascontiguousarray(values[keep]) for name, values in columns.items()}
    for values in columns.values():
        values.flags.writeable = False
    return columns, notes, bucket


def _last_known(values: FloatArray, first: IntArray, last: IntArray) -> IntArray:
    """Row of the last number in each bucket; its last row where there is none."""
    known = np.where(np.isnan(values), -1, np.arange(len(values)))
    newest = np.maximum.reduceat(known, first)
    return np.where(newest >= 0, newest, last)
