"""Timeframes: text and length, ends of bars by the calendar, the timeframe that timestamps show."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import pytest

from maestro.data.timeframes import (
    DAY_US,
    HOUR_US,
    MONTH_US,
    SECOND_US,
    as_datetime,
    bar_ends,
    infer_timeframe,
    timeframe_months,
    timeframe_name,
    timeframe_us,
    whole_days,
)
from maestro.errors import BarsError
from maestro.typing import IntArray


def stamps(*texts: str) -> IntArray:
    return np.array(texts, "datetime64[us]").view(np.int64)


@pytest.mark.parametrize(
    ("text", "length", "months"),
    [("1s", SECOND_US, 0), ("1m", 60 * SECOND_US, 0), ("4h", 14_400_000_000, 0), ("1d", DAY_US, 0),
     ("2w", 14 * DAY_US, 0), ("1mo", MONTH_US, 1), ("1q", 3 * MONTH_US, 3), ("1y", 12 * MONTH_US, 12)],
)  # fmt: skip
def test_text_and_length_belong_together(text: str, length: int, months: int) -> None:
    assert timeframe_us(text) == length
    assert timeframe_months(text) == months
    assert timeframe_name(length) == text


@pytest.mark.parametrize(("text", "whole"), [("1d", True), ("24h", True), ("1w", True), ("1mo", True), ("1q", True),
                                             ("4h", False), ("36h", False)])  # fmt: skip
def test_a_date_says_when_a_bar_of_whole_days_begins(text: str, whole: bool) -> None:
    assert whole_days(text) is whole


def test_a_length_has_one_shortest_name() -> None:
    assert timeframe_name(timeframe_us("60m")) == "1h"
    assert timeframe_name(timeframe_us("7d")) == "1w"
    assert timeframe_us("1M") == timeframe_us("1mo")
    assert timeframe_name(90 * SECOND_US) == "90s"
    with pytest.raises(BarsError, match="bars of 1500 µs have no timeframe; the shortest is 1s"):
        timeframe_name(1500)


@pytest.mark.parametrize("text", ["", "h", "0h", "-1h", "1.5h", "1 h", "1hour", "1min", None, 60])
def test_what_is_not_a_timeframe_is_refused(text: object) -> None:
    with pytest.raises(BarsError, match="is not understood; give a number and s, m, h"):
        timeframe_us(text)  # type: ignore[arg-type]


def test_bars_of_months_end_by_the_calendar() -> None:
    ends = bar_ends(stamps("2023-01-01", "2023-02-01", "2024-02-01"), "1mo")
    assert ends.tolist() == stamps("2023-02-01", "2023-03-01", "2024-03-01").tolist()
    assert bar_ends(stamps("2024-01-31"), "1mo").tolist() == stamps("2024-03-01").tolist()
    assert bar_ends(stamps("2024-01-01"), "1q").tolist() == stamps("2024-04-01").tolist()
    assert bar_ends(stamps("2024-01-01"), "4h").tolist() == stamps("2024-01-01T04:00").tolist()


def test_a_timeframe_is_inferred_across_gaps_weekends_and_a_stray_stamp() -> None:
    hours = HOUR_US * np.arange(400, dtype=np.int64)
    assert infer_timeframe(hours) == "1h"
    assert infer_timeframe(hours[(hours < 50 * HOUR_US) | (hours > 90 * HOUR_US)]) == "1h"
    assert infer_timeframe(np.append(hours, hours[-1] + HOUR_US // 3)) == "1h"
    days = np.arange("2024-01-01", "2024-06-01", dtype="datetime64[D]")
    weekdays = days[np.is_busday(days)].astype("datetime64[us]").view(np.int64)
    assert infer_timeframe(weekdays) == "1d"
    months = np.arange("2020-01", "2024-01", dtype="datetime64[M]").astype("datetime64[us]").view(np.int64)
    assert infer_timeframe(months) == "1mo"
    assert infer_timeframe(months[::3]) == "1q"
    assert infer_timeframe(months[::12]) == "1y"


def test_one_stamp_shows_no_timeframe() -> None:
    with pytest.raises(BarsError, match="cannot be inferred from fewer than two bars"):
        infer_timeframe(stamps("2024-01-01"))


def test_a_stamp_as_a_datetime() -> None:
    assert as_datetime(-1) == datetime(1969, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC)
