"""Missing bars: distances between timestamps compared with the market's calendar and its other weeks."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from maestro.bars.calendar import MarketCalendar, weekday_of
from maestro.data.timeframes import DAY_US, HOUR_US, WEEK_US, timeframe_months, timeframe_us
from maestro.typing import IntArray

CLOSED_DAYS = 5
"""Trading days in a row that an exchange may miss by holidays; so many are a gap."""
_SPARSE_GAP = 6 * HOUR_US
"""Where bars without a trade are left out, a distance from this length on is a gap."""
_HOLIDAY = 30 * HOUR_US
"""Longest holiday of a market that trades around the clock on weekdays."""
_MOST_SLOTS = 2_000_000
"""Missing bars that are looked at one by one; of more, whole distances are reported."""

Span = tuple[int, int]


class Gaps(NamedTuple):
    """Missing stretches, as spans [from, to) in µs since 1970.

    Attributes
    ----------
    missing : list of Span
        Bars that the market has at these times in other weeks.
    closed : list of Span
        Whole trading days, or the end of a session: holidays and half days.
    """

    missing: list[Span]
    closed: list[Span]


def find_gaps(time: IntArray, timeframe: str, calendar: MarketCalendar) -> Gaps:
    """Find missing bars.

    A market that never closes misses every bar between two that are further apart than the timeframe. Daily bars miss
    trading days; fewer than `CLOSED_DAYS` in a row are holidays. Of intraday sessions a bar is missing where
    the market has it a week earlier and a week later; a whole day, or the end of a session, is a holiday or a half day.
    """
    if len(time) < 2:
        return Gaps([], [])
    length = timeframe_us(timeframe)
    months = timeframe_months(timeframe)
    if months:
        return _month_gaps(time, months)
    wide = np.flatnonzero(np.diff(time) > length)
    if not len(wide):
        return Gaps([], [])
    if calendar.kind == "sparse":
        wide = wide[np.diff(time)[wide] >= max(_SPARSE_GAP, 10 * length)]
    if length > DAY_US:  # the first day of trading in a week may be its second
        steps = np.diff(time)[wide]
        return Gaps(_between(time, wide[2 * steps > 3 * length], length), [])
    closes = len(calendar.weekdays) < 7
    if not closes:
        return Gaps(_between(time, wide, length), [])
    return _day_gaps(time, wide, length, calendar) if length == DAY_US else _session_gaps(time, wide, length, calendar)


def _between(time: IntArray, rows: IntArray, length: int) -> list[Span]:
    return [*zip((time[rows] + length).tolist(), time[rows + 1].tolist(), strict=True)]


def _month_gaps(time: IntArray, months: int) -> Gaps:
    count = time.view("datetime64[us]").astype("datetime64[M]").view(np.int64)
    rows = np.flatnonzero(np.diff(count) > months)
    spans = [(int(time[r]) + months * 31 * DAY_US, int(time[r + 1])) for r in rows]
    return Gaps([(a, max(b, a + DAY_US)) for a, b in spans], [])


def _mask(calendar: MarketCalendar) -> list[bool]:
    return [day in calendar.weekdays for day in range(7)]


def _day_gaps(time: IntArray, wide: IntArray, length: int, calendar: MarketCalendar) -> Gaps:
    first, last = ((time[wide + k] // DAY_US).astype("datetime64[D]") for k in (0, 1))
    days = np.busday_count(first + 1, last, weekmask=_mask(calendar))
    return Gaps(_between(time, wide[days >= CLOSED_DAYS], length), [])


def _session_gaps(time: IntArray, wide: IntArray, length: int, calendar: MarketCalendar) -> Gaps:
    """Missing bars of sessions, by the same hour of the weeks before and after."""
    counts = (np.diff(time)[wide] - 1) // length
    short = np.diff(time)[wide] < 4 * WEEK_US
    if int(counts[short].sum()) > _MOST_SLOTS:
        return Gaps(_between(time, wide, length), [])
    long_ones = _between(time, wide[~short], length)
    rows, counts = wide[short], counts[short]
    slots = np.repeat(time[rows] + length, counts) + length * (
        np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
    )
    usual = _has(time, slots - WEEK_US) & _has(time, slots + WEEK_US)
    inside = (slots - WEEK_US >= time[0]) & (slots + WEEK_US <= time[-1])
    # At both ends of the data one neighbour must do.
    alone = ~inside & (_has(time, slots - WEEK_US) | _has(time, slots + WEEK_US))
    slots = slots[usual | alone]
    missing: list[Span] = []
    closed: list[Span] = []
    have = {int(day) for day in np.unique(time // DAY_US)}
    for begin, stop in _runs(slots, length):
        first, last = begin // DAY_US, (stop - 1) // DAY_US
        whole = not any(day in have for day in range(first, last + 1))
        tail = first == last and not _any_between(time, stop, (first + 1) * DAY_US)
        night = first < last and stop - begin <= _HOLIDAY  # around the clock, a holiday runs from evening to evening
        (closed if whole or tail or night else missing).append((begin, stop))
    closed, long_closures = _split_long(_merge_days(closed), calendar)
    return Gaps(sorted([*missing, *long_ones, *long_closures]), closed)


def _has(time: IntArray, stamps: IntArray) -> IntArray:
    place = np.minimum(np.searchsorted(time, stamps), len(time) - 1)
    found: IntArray = time[place] == stamps
    return found


def _runs(slots: IntArray, length: int) -> list[Span]:
    if not len(slots):
        return []
    edges = np.flatnonzero(np.diff(slots) != length) + 1
    parts = np.split(slots, edges)
    return [(int(part[0]), int(part[-1]) + length) for part in parts]


def _any_between(time: IntArray, begin: int, stop: int) -> bool:
    place = int(np.searchsorted(time, begin))
    return place < len(time) and int(time[place]) < stop


def _merge_days(spans: list[Span]) -> list[Span]:
    """Join closed spans of following days into one."""
    joined: list[Span] = []
    for begin, stop in spans:
        if joined and begin - joined[-1][1] < DAY_US:
            joined[-1] = (joined[-1][0], stop)
        else:
            joined.append((begin, stop))
    return joined


def _split_long(spans: list[Span], calendar: MarketCalendar) -> tuple[list[Span], list[Span]]:
    """Closures that holidays explain, and longer ones."""
    closed: list[Span] = []
    missing: list[Span] = []
    for begin, stop in spans:
        days = np.arange(begin // DAY_US, (stop - 1) // DAY_US + 1) * DAY_US
        trading = int(np.isin(weekday_of(days), calendar.weekdays).sum())
        (missing if trading >= CLOSED_DAYS else closed).append((begin, stop))
    return closed, missing
