"""Which bars are missing: of markets that close, by their other weeks."""

from __future__ import annotations

import numpy as np
import pytest

from maestro.bars.calendar import infer_calendar
from maestro.bars.gaps import find_gaps
from maestro.data.timeframes import DAY_US, HOUR_US, infer_timeframe
from maestro.typing import IntArray
from tests.bars.test_calendar import MONDAY, forex, round_the_clock, session


def gaps(time: IntArray) -> tuple[list[tuple[int, int]], list[tuple[int, int]]]:
    timeframe = infer_timeframe(time)
    return find_gaps(time, timeframe, infer_calendar(time, timeframe))


@pytest.mark.parametrize(
    "time",
    [round_the_clock(500), session(120, 7, 60), session(300, 1, 1_440, 0), forex(12), session(60, 78, 5)],
    ids=("crypto", "stocks 1h", "stocks 1d", "forex", "stocks 5m"),
)
def test_nothing_is_missing_where_nothing_is(time: IntArray) -> None:
    assert gaps(time) == ([], [])


def test_an_hour_of_a_session_is_missing() -> None:
    time = session(120, 7, 60)
    row = 7 * 30 + 3
    assert gaps(np.delete(time, row)) == ([(int(time[row]), int(time[row]) + HOUR_US)], [])


def test_hours_of_weekday_minutes_are_missing() -> None:
    time = forex(6, 5)
    missing, closed = gaps(np.delete(time, slice(2_000, 2_600)))
    assert missing == [(int(time[2_000]), int(time[2_599]) + 300_000_000)]
    assert closed == []


def test_a_holiday_and_a_half_day_are_no_gaps() -> None:
    time = session(120, 7, 60)
    day = time // DAY_US
    holiday, half = int(day[7 * 20]), int(day[7 * 41])
    kept = time[(day != holiday) & ~((day == half) & (time % DAY_US >= 18 * HOUR_US))]
    missing, closed = gaps(kept)
    assert missing == []
    assert [int(a) // DAY_US for a, _ in closed] == [holiday, half]


def test_a_week_without_a_bar_is_a_gap() -> None:
    time = session(200, 7, 60)
    day = time // DAY_US
    first = MONDAY // DAY_US + 70
    missing, _ = gaps(time[(day < first) | (day >= first + 7)])
    assert len(missing) == 1
    daily = session(200, 1, 1_440, 0)
    assert len(gaps(daily[(daily // DAY_US < first) | (daily // DAY_US >= first + 7)])[0]) == 1


def test_summer_time_is_no_gap() -> None:
    winter, summer = session(56, 7, 60), session(56, 7, 60, 13 * 60 + 30, MONDAY + 56 * DAY_US)
    assert gaps(np.concatenate((winter, summer))) == ([], [])


def test_months_are_counted_by_the_calendar() -> None:
    months = np.arange("2015-01", "2020-01", dtype="datetime64[M]").astype("datetime64[us]").view(np.int64)
    assert gaps(months) == ([], [])
    assert len(gaps(np.delete(months, 20))[0]) == 1
