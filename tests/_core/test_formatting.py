"""How moments and durations are written; numbers are tested with the tables that show them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

from maestro._core.formatting import duration, minute


def test_a_minute_is_written_in_utc_from_a_moment_or_from_microseconds() -> None:
    moment = datetime(2020, 1, 31, 8, 0, 59, tzinfo=timezone(timedelta(hours=1)))
    assert minute(moment) == "2020-01-31 07:00"
    assert minute(1_580_454_059_000_000) == "2020-01-31 07:00"
    assert minute(-1) == "1969-12-31 23:59"
    assert minute(datetime(2020, 1, 1, tzinfo=UTC)) == "2020-01-01 00:00"


def test_durations_have_a_readable_unit() -> None:
    assert [duration(seconds) for seconds in (3.2, 240, 9_000)] == ["3 s", "4 min", "2.5 h"]
    assert [duration(3_600 * hours) for hours in (99, 240, 23_999, 87_660, 6.25e9)] == [
        "99.0 h", "10 days", "1,000 days", "10 years", "712,982 years",
    ]  # fmt: skip
