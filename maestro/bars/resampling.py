"""Bars of a longer timeframe as columns: what `Bars.resample` and `Bars.higher` share."""

from __future__ import annotations

from typing import Any

import numpy as np

from maestro.bars.calendar import MarketCalendar, infer_calendar
from maestro.data.timeframes import DAY_US, WEEK_US, YEAR_US, bar_ends, timeframe_months, timeframe_us
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
    months, own_months = timeframe_months(timeframe), timeframe_months(bars.timeframe)
    fits = months % own_months == 0 if own_months else bool(months) or new % old == 0
    if new <= old or not fits or (months and old > DAY_US and not own_months):
        raise BarsError(
            f"cannot make {timeframe} bars of {bars.timeframe} bars; give a longer timeframe that is a multiple."
        )
    bucket, opens, ends = _buckets(bars.time, timeframe)
    first = np.flatnonzero(np.diff(bucket, prepend=bucket[0] - 1))
    opens, ends = opens[first], ends[first]
    last = np.append(first[1:], len(bars)) - 1
    keep = np.ones(len(first), np.bool_)
    notes = []
    if bars.time[0] > opens[0] and not _closed(bars, int(opens[0]), int(bars.time[0]), 0):
        keep[0] = False
        notes.append(f"{last[0] + 1} {bars.timeframe} bars of an unfinished first {timeframe} bar dropped")
    end = int(bar_ends(bars.time[-1:], bars.timeframe)[0])
    if end < ends[-1] and keep[-1] and not _closed(bars, end, int(ends[-1]), -1):
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


def _buckets(time: IntArray, timeframe: str) -> tuple[IntArray, IntArray, IntArray]:
    """Number, open and end of the longer bar of each stamp, on the UTC clock."""
    months = timeframe_months(timeframe)
    if months:
        bucket: IntArray = time.view("datetime64[us]").astype("datetime64[M]").view(np.int64) // months
        opens: IntArray = (bucket * months).view("datetime64[M]").astype("datetime64[us]").view(np.int64)
        return bucket, opens, bar_ends(opens, timeframe)
    length = timeframe_us(timeframe)
    origin = 4 * DAY_US if length % WEEK_US == 0 else 0  # 1970-01-05 was a Monday
    bucket = (time - origin) // length
    opens = bucket * length + origin
    return bucket, opens, opens + length


def _closed(bars: Any, begin: int, stop: int, edge: int) -> bool:
    """Whether the market was closed from one moment to another, by its calendar, at the first (0) or last (-1) bar."""
    calendar: MarketCalendar = bars.calendar
    if len(calendar.weekdays) == 7 or not calendar.certain:
        return False
    day = int(bars.time[edge]) // DAY_US
    others = np.arange(begin // DAY_US, (stop - 1) // DAY_US + 1)
    if calendar.is_open(others[others != day] * DAY_US).any():
        return False
    if timeframe_us(bars.timeframe) >= DAY_US:
        return True
    # Inside the day of the bar: closed where that day has all the bars of a usual session.
    count = int(np.searchsorted(bars.time, (day + 1) * DAY_US) - np.searchsorted(bars.time, day * DAY_US))
    same = _usual_count(bars.time, day)
    return count >= (calendar.bars_per_day if np.isnan(same) else same)


def _usual_count(time: IntArray, day: int) -> float:
    """Median number of bars on the other days of the same weekday; NaN where there is none."""
    first, last = int(time[0]) // DAY_US, int(time[-1]) // DAY_US
    days = np.arange(first + 1, last)
    days = days[(days - day) % 7 == 0][-20:]
    counts = np.searchsorted(time, (days + 1) * DAY_US) - np.searchsorted(time, days * DAY_US)
    return float(np.median(counts)) if len(counts) else float("nan")


def resampled_calendar(parent: MarketCalendar, timeframe: str, time: IntArray, longer: str) -> MarketCalendar:
    """Calendar of resampled bars: 52 weeks, 12 months; days and hours by the calendar of the shorter bars.

    Parameters
    ----------
    parent, timeframe : of the shorter bars
    time, longer : opens and timeframe of the longer bars
    """
    months, new = timeframe_months(longer), timeframe_us(longer)
    everyday = tuple(range(7))
    if months:
        return MarketCalendar("months", everyday, 0.0, 12.0 / months)
    always = len(parent.weekdays) == 7
    if new % WEEK_US == 0:
        weeks = new // WEEK_US
        return MarketCalendar("weeks", everyday, 0.0, (365.0 / 7.0 if always else 52.0) / weeks)
    found = infer_calendar(time, longer)
    if always:
        whole = MarketCalendar("24/7", everyday, DAY_US / new, YEAR_US / new, parent.certain)
        return whole if parent.kind in ("24/7", "given") or new >= DAY_US else found
    if new >= DAY_US:
        days = 52.0 * len(found.weekdays) if parent.kind == "24/5" and found.certain else parent.days_per_year
        return MarketCalendar("weekdays", found.weekdays if found.certain else parent.weekdays, DAY_US / new,
                              days * DAY_US / new, parent.certain)  # fmt: skip
    if parent.kind == "24/5":
        return MarketCalendar("24/5", parent.weekdays, DAY_US / new, parent.days_per_year * DAY_US / new)
    per_day = found.bars_per_day if found.certain else -(-parent.bars_per_day * timeframe_us(timeframe) // new)
    return MarketCalendar("sessions", parent.weekdays, per_day, parent.days_per_year * per_day, parent.certain)
