"""Daily stamps at another hour than midnight UTC become dates, where the weekdays decide which."""

from __future__ import annotations

import numpy as np
import pytest

from maestro.bars.dates import calendar_dates
from maestro.data.timeframes import HOUR_US
from maestro.typing import IntArray

DAYS = np.arange("2024-01-01", "2024-03-01", dtype="datetime64[D]")
WEEKDAYS: IntArray = DAYS[np.is_busday(DAYS)].astype("datetime64[us]").view(np.int64)
ROUND_THE_CLOCK: IntArray = DAYS.astype("datetime64[us]").view(np.int64)


def test_a_stamp_of_the_session_is_of_the_same_date() -> None:
    dates, note = calendar_dates(WEEKDAYS + 14 * HOUR_US + HOUR_US // 2, "1d")
    assert dates.tolist() == WEEKDAYS.tolist()
    assert note == "daily stamps at 14:30 UTC were taken as the same date"


def test_a_stamp_of_the_evening_before_is_of_the_next_date() -> None:
    dates, note = calendar_dates(WEEKDAYS - 2 * HOUR_US, "1d")  # 22:00 from Sunday to Thursday
    assert dates.tolist() == WEEKDAYS.tolist()
    assert note == "daily stamps at 22:00 UTC were taken as the date that follows"


def test_summer_and_winter_time_are_one_market() -> None:
    hours = np.where(np.arange(len(WEEKDAYS)) < 20, 14, 13) * HOUR_US
    dates, note = calendar_dates(WEEKDAYS + hours, "1d")
    assert dates.tolist() == WEEKDAYS.tolist()
    assert "13:00 and 14:00" in note


@pytest.mark.parametrize(
    ("time", "timeframe"),
    [
        (WEEKDAYS, "1d"),  # midnight
        (ROUND_THE_CLOCK + 8 * HOUR_US, "1d"),  # a market that never closes
        (WEEKDAYS + 14 * HOUR_US, "1h"),
        (WEEKDAYS + np.arange(len(WEEKDAYS)) % 4 * HOUR_US, "1d"),  # too many times of day
        (WEEKDAYS + np.arange(len(WEEKDAYS)) % 2 * 5 * HOUR_US, "1d"),  # too far apart
    ],
)
def test_other_stamps_stay(time: IntArray, timeframe: str) -> None:
    dates, note = calendar_dates(time, timeframe)
    assert dates is time
    assert note == ""
