"""A column of timestamps in any form: dates, datetimes, text, numbers, zones, formats that the user gives."""

from __future__ import annotations

from datetime import UTC, date, datetime

import polars as pl
import pytest

from maestro.data.files.stamps import interpret_timestamps, looks_like_stamps, read_stamps
from maestro.errors import BarsError

NEW_YORK = "America/New_York"


def test_every_form_gives_the_same_moment() -> None:
    moment = datetime(2024, 1, 31, 12, tzinfo=UTC)
    for column in (
        pl.Series([datetime(2024, 1, 31, 12)]), pl.Series([moment]), pl.Series(["2024-01-31T12:00Z"]),
        pl.Series(["2024-01-31 13:00+01:00"]), pl.Series([1_706_702_400]), pl.Series(["1706702400000"]),
        pl.Series(["2024-01-31 07:00 America/New_York"]),
    ):  # fmt: skip
        assert read_stamps(column).to_list() == [moment]
    assert read_stamps(pl.Series([date(2024, 1, 31)])).to_list() == [datetime(2024, 1, 31, tzinfo=UTC)]


def test_naive_times_are_in_the_chosen_zone() -> None:
    stamps = interpret_timestamps(pl.Series(["2024-01-31 09:30", "2024-01-31 10:30"]), zone=NEW_YORK)
    assert [f"{stamp:%H:%M}" for stamp in stamps.utc] == ["14:30", "15:30"]
    assert (stamps.how, stamps.local) == (f"dates in {NEW_YORK}", False)


def test_midnights_of_a_zone_keep_their_calendar_date() -> None:
    days = pl.Series([f"2024-01-{day:02d} 00:00" for day in range(1, 21)])
    stamps = interpret_timestamps(days, zone=NEW_YORK)
    assert stamps.local
    assert stamps.utc.to_list() == [datetime(2024, 1, day, tzinfo=UTC) for day in range(1, 21)]


def test_a_format_that_the_user_gives() -> None:
    column = pl.Series(["02/01/2024 12:00", "03/01/2024 12:00"])
    stamps = interpret_timestamps(column, unit="%d/%m/%Y %H:%M")
    assert stamps.utc[0] == datetime(2024, 1, 2, 12, tzinfo=UTC)
    with pytest.raises(BarsError, match=r"'02/01/2024 12:00' at row 0 is not written as '%Y'"):
        interpret_timestamps(column, unit="%Y")
    assert interpret_timestamps(pl.Series(["45292"]), unit="excel").utc[0] == datetime(2024, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("column", "message"),
    [
        (pl.Series([datetime(2024, 1, 1), None]), "the timestamp is missing at row 1; 1 in all"),
        (pl.Series(["2024-01-01T00:00Z", "2024-01-01T01:00"]), "mix zones: row 0 is .* row 1 is"),
        (pl.Series(["soon", "later"]), "'soon' at row 0 is not understood"),
        (pl.Series(["2024-02-28", "2024-02-29", "2024-02-30"]), "'2024-02-30' at row 2 is not a date of the calendar"),
        (pl.Series(["2024-01-01 12:00 EST"]), "names its zone EST, which may mean several"),
        (pl.Series([True]), "has type Boolean; give dates"),
    ],
)
def test_what_cannot_be_read_is_refused(column: pl.Series, message: str) -> None:
    with pytest.raises(BarsError, match=message):
        read_stamps(column)


def test_years_are_checked_unless_any_year_is_allowed() -> None:
    column = pl.Series(["1850-01-01"])
    with pytest.raises(BarsError, match="in the year 1850"):
        interpret_timestamps(column)
    assert interpret_timestamps(column, any_year=True).utc[0].year == 1850


@pytest.mark.parametrize(
    ("values", "expected"),
    [(["2024-01-01"], True), (["01/02/2024"], True), ([1_704_067_200], True), ([20240101], True), ([1, 2, 3], False),
     (["BTC"], False), ([100.5, 101.5], False), ([None], False)],
)  # fmt: skip
def test_which_columns_look_like_timestamps(values: list[object], expected: bool) -> None:
    assert looks_like_stamps(pl.Series(values)) is expected
