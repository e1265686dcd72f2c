"""The trading calendar of a market, inferred from its timestamps, and the number of bars per year."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np

from maestro.data.timeframes import DAY_US, HOUR_US, WEEK_US, YEAR_US, timeframe_months, timeframe_us
from maestro.typing import BoolArray, IntArray

Kind: TypeAlias = Literal["24/7", "24/5", "weekdays", "sessions", "sparse", "weeks", "months", "given"]

DAYS_PER_YEAR = {5: 252.0, 7: 365.0}
"""Days with bars in a year, by active weekdays; 252 leaves out the holidays of a stock exchange. Others: 52 weeks."""
_ALWAYS = 5 * 52.0
"""Days per year of a market that trades around the clock on five days (foreign exchange)."""
_ACTIVE = 0.5
"""A weekday on which a market trades has at least this share of the bars of its busiest weekday."""
_FULL = 0.97
"""Share of the hours of a day from which on a market is open around the clock."""
_DENSE = 0.9
"""Share of the bars of a market without a break below which its bars are called sparse."""
_TOUCHED = 0.1
"""A weekday on which sessions begin or end has at least this share of the bars of the busiest one."""
_NIGHT = 3 * HOUR_US
"""A pause from this length on parts two sessions; a lunch break or the pause of futures is shorter."""
_FIRST_MONDAY = 4 * DAY_US  # 1970-01-05


@dataclass(frozen=True)
class MarketCalendar:
    """When a market trades.

    Attributes
    ----------
    kind : str
        ``24/7``; ``24/5`` (around the clock on weekdays); ``weekdays`` (daily bars); ``sessions`` (intraday bars on
        weekdays); ``sparse`` (24/7, bars without a trade left out); ``weeks``, ``months`` (bars as long as that);
        ``given`` (the caller gave the number of bars per year).
    weekdays : tuple of int
        Days of the week with bars, Monday is 0, in UTC.
    bars_per_day : float
        On a day with bars; 0 for weeks and months.
    periods_per_year : float
    certain : bool
        False where the stamps are too few to tell, and 24/7 is assumed.
    """

    kind: Kind
    weekdays: tuple[int, ...]
    bars_per_day: float
    periods_per_year: float
    certain: bool = True

    @property
    def days_per_year(self) -> float:
        """Days with bars in a year."""
        if self.kind in ("24/7", "sparse"):
            return 365.0
        if self.kind == "24/5":
            return _ALWAYS
        if self.bars_per_day > 0:
            return self.periods_per_year / self.bars_per_day
        return self.periods_per_year

    @property
    def text(self) -> str:
        """In words: ``1,764 bars a year: sessions of 7 bars on 252 weekdays``."""
        year = f"{_number(self.periods_per_year)} bars a year"  # part of the notes, hence of run ids
        days = _number(self.days_per_year)
        words = {
            "24/7": "24 hours, 7 days a week" if self.bars_per_day > 1 else "7 days a week",
            "24/5": "24 hours, 5 days a week",
            "weekdays": f"{days} trading days",
            "sessions": f"sessions of {_number(self.bars_per_day)} bars on {days} trading days",
            "sparse": "7 days a week, bars without a trade left out",
            "weeks": "weeks",
            "months": "months",
            "given": "as given",
        }[self.kind]
        unsure = "" if self.certain else "; the bars are too few to tell, so this is assumed"
        return f"{year}: {words}{unsure}"

    def is_open(self, stamps: IntArray) -> BoolArray:
        """Whether stamps [µs] lie on a weekday of the market (UTC)."""
        found: BoolArray = np.isin(weekday_of(stamps), self.weekdays)
        return found


def given_calendar(periods_per_year: float, inferred: MarketCalendar) -> MarketCalendar:
    """The calendar of bars whose number per year was given; weekdays as inferred."""
    per_day = inferred.bars_per_day
    return MarketCalendar("given", inferred.weekdays, per_day, float(periods_per_year))


def weekday_of(stamps: IntArray) -> IntArray:
    """Day of the week of stamps [µs], UTC, Monday is 0."""
    days: IntArray = (stamps // DAY_US + 3) % 7
    return days


def infer_calendar(time: IntArray, timeframe: str) -> MarketCalendar:
    """Infer from stamps when a market trades.

    Weekdays with hardly a bar are closed days. Bars per day come from whole weeks, so that holidays, half days and
    sessions that cross midnight UTC do not count twice. Fewer than about two weeks cannot show a closed weekend;
    24/7 is assumed there, and `certain` is False.

    Parameters
    ----------
    time : int64[n], opens [µs since 1970, UTC], increasing
    timeframe : str
    """
    months = timeframe_months(timeframe)
    length = timeframe_us(timeframe)
    everyday = tuple(range(7))
    if months:
        return MarketCalendar("months", everyday, 0.0, 12.0 / months)
    if length % WEEK_US == 0:
        return MarketCalendar("weeks", everyday, 0.0, 52.0 / (length // WEEK_US))
    full = YEAR_US / length
    per_day = max(DAY_US / length, 1.0) if length < DAY_US else DAY_US / length
    unsure = MarketCalendar("24/7", everyday, per_day, full, certain=False)
    counts, weekday = _by_day(time)
    inner = slice(None) if length >= DAY_US else slice(1, -1)  # a first or last day may be cut
    every, counts, weekday = counts, counts[inner], weekday[inner]
    seen = np.array([counts[weekday == d].mean() if (weekday == d).any() else np.nan for d in everyday])
    if np.isnan(seen[5:]).any() or not counts.any():  # no whole weekend lies inside, or nothing but one
        return unsure if length >= DAY_US else _within_a_week(time, every, length, unsure)
    # One weekend alone may have lost bars: a weekday is closed where several weeks say so, or hardly a bar is there.
    often = np.bincount(weekday, minlength=7) > 1
    quiet = seen < np.where(often, _ACTIVE, _ACTIVE / 2) * np.nanmax(seen)
    if quiet.sum() == 1 and not often[quiet].any():
        quiet[:] = False
    active = tuple(int(d) for d in np.flatnonzero(~quiet))
    if len(active) == 7:
        if length >= DAY_US or np.median(counts) >= _DENSE * per_day:
            return MarketCalendar("24/7", everyday, per_day, full)
        share = float(counts[counts > 0].mean())
        return MarketCalendar("sparse", everyday, share, share * 365.0)
    if length >= DAY_US:
        return MarketCalendar("weekdays", active, per_day, _days(len(active)) * per_day)
    touched = tuple(int(d) for d in np.flatnonzero(seen >= _TOUCHED * np.nanmax(seen)))
    return _intraday(time, length, active, touched)


def _days(weekdays: int) -> float:
    return DAYS_PER_YEAR.get(weekdays, 52.0 * weekdays)


def _by_day(time: IntArray) -> tuple[IntArray, IntArray]:
    """Bars on each day (UTC) from the first to the last, and its day of the week."""
    first, last = int(time[0]) // DAY_US, int(time[-1]) // DAY_US
    edges = np.arange(first, last + 2) * DAY_US
    counts: IntArray = np.diff(np.searchsorted(time, edges))
    return counts, (np.arange(first, last + 1) + 3) % 7


def _intraday(time: IntArray, length: int, active: tuple[int, ...], touched: tuple[int, ...]) -> MarketCalendar:
    """Calendar of intraday bars of a market that closes: around the clock on weekdays, or in sessions."""
    night = np.diff(time) >= max(_NIGHT, 3 * length)
    starts = time[1:][night]
    weekly, sessions = _whole_weeks(time, time), _whole_weeks(starts, time)
    week = float(np.median(weekly)) if len(weekly) else len(time) / max((time[-1] - time[0]) / WEEK_US, 1.0)
    each = round(float(np.median(sessions))) if len(sessions) else len(active)
    usual = 0.0
    if each < 4:  # open overnight: days of the week, not sessions
        share = week / len(active)
        if share >= _FULL * DAY_US / length:
            return MarketCalendar("24/5", active, DAY_US / length, 52.0 * len(active) * DAY_US / length)
        each = len(active)
    elif each > len(touched):  # a long break at noon is not a night
        each = len(touched)
    else:
        usual = _usual_session(night, weekday_of(starts))
    share = usual or week / each
    if abs(share - round(share)) < 0.05 * share:
        share = float(round(share))
    return MarketCalendar("sessions", touched, share, _days(each) * share)


def _usual_session(night: BoolArray, weekday: IntArray) -> float:
    """Median of the bars per session if sessions are that long on every weekday, else 0.

    `weekday` is that of each session's start. A quarter of the sessions of a weekday decides, and weekdays on which
    few sessions begin do not count, so that holidays and lost bars do not matter.
    """
    lengths = np.diff(np.flatnonzero(night))
    usual = float(np.median(lengths)) if len(lengths) else 0.0
    days, counts = np.unique(weekday[:-1], return_counts=True)
    often = days[4 * counts >= counts.max()] if len(days) else days
    every = all(np.mean(lengths[weekday[:-1] == day] == usual) >= 0.25 for day in often)
    return usual if every else 0.0


def _within_a_week(time: IntArray, counts: IntArray, length: int, unsure: MarketCalendar) -> MarketCalendar:
    """Calendar of a few days: sessions where every night is empty, else unknown."""
    nights = int((np.diff(time) >= max(4 * HOUR_US, 3 * length)).sum())
    usual = float(np.median(counts[counts > 0]))
    if len(counts) < 2 or nights < len(counts) - 1 or usual >= _DENSE * DAY_US / length:
        return unsure
    days = DAYS_PER_YEAR[5]
    return MarketCalendar("sessions", (0, 1, 2, 3, 4), usual, days * usual, certain=False)


def _whole_weeks(stamps: IntArray, time: IntArray) -> IntArray:
    """Stamps in each week (Monday to Sunday, UTC) between the first and the last one of `time` that have bars."""
    first, last = ((int(t) - _FIRST_MONDAY) // WEEK_US for t in (time[0], time[-1]))
    edges = np.arange(first + 1, last + 1) * WEEK_US + _FIRST_MONDAY
    there = np.diff(np.searchsorted(time, edges)) > 0
    counts: IntArray = np.diff(np.searchsorted(stamps, edges))
    return counts[there]


def _number(value: float) -> str:
    return f"{value:,.0f}" if abs(value - round(value)) < 1e-6 else f"{value:,.2f}"
