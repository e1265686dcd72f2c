"""Dates written as text: order, separators, month names, AM and PM, zones, and dates that can mean two days."""

from __future__ import annotations

from datetime import datetime, timedelta

import polars as pl
import pytest

from maestro.data.files.dates import read_dates
from maestro.errors import BarsError

NOON = datetime(2024, 1, 31, 12)


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2024-01-31", datetime(2024, 1, 31)), ("2024-01-31T12:00", NOON), ("2024-01-31 12:00:00.000", NOON),
        ("31.01.2024 12:00", NOON), ("1/31/2024 12:00 PM", NOON), ("31 Jan 2024 12:00:00", NOON),
        ("Jan 31, 2024", datetime(2024, 1, 31)), ("31-Jan-24", datetime(2024, 1, 31)),
        ("Wed, 31 January 2024 12:00", NOON), ("20240131 120000", NOON), ("2024.01.31 12:00", NOON),
        ("2024年1月31日", datetime(2024, 1, 31)), ("2024-Q3", datetime(2024, 7, 1)), ("2024/1", datetime(2024, 1, 1)),
        ("January 2024", datetime(2024, 1, 1)), ("31st Sept. 2023", None), ("30th Sept. 2023", datetime(2023, 9, 30)),
        ("2024-01-31 12", None), ("12 AM", None), ("soon", None),
    ],
)  # fmt: skip
def test_a_date_is_read(text: str, moment: datetime | None) -> None:
    assert read_dates(pl.Series([text])).wall.to_list() == [moment]


@pytest.mark.parametrize(
    ("text", "minutes"),
    [("2024-01-31T12:00Z", 0), ("2024-01-31 12:00 UTC", 0), ("2024-01-31T12:00:00+05:30", 330),
     ("2024-01-31 12:00 -0500", -300), ("2024-01-31 12:00 GMT+2", 120)],
)  # fmt: skip
def test_an_offset_is_taken_apart(text: str, minutes: int) -> None:
    written = read_dates(pl.Series([text]))
    assert written.wall.to_list() == [NOON]
    assert written.offset is not None
    assert written.offset.to_list() == [minutes]


def test_a_zone_by_name_and_letters_that_the_caller_drops() -> None:
    written = read_dates(pl.Series(["2024-01-31 12:00 America/New_York"]))
    assert (written.region, written.wall.to_list()) == ("America/New_York", [NOON])
    assert read_dates(pl.Series(["2024-01-31 12:00 EST"])).wall.null_count() == 1
    assert read_dates(pl.Series(["2024-01-31 12:00 EST"]), drop_letters=True).wall.to_list() == [NOON]


def test_day_and_month_are_decided_by_any_row_or_by_the_order() -> None:
    decided = read_dates(pl.Series(["01/02/2024", "13/02/2024"]))
    assert decided.wall.to_list() == [datetime(2024, 2, 1), datetime(2024, 2, 13)]
    assert decided.order == "day-month-year"
    ordered = read_dates(pl.Series(["10/01/2024", "11/01/2024", "12/01/2024", "01/02/2024"]))
    assert ordered.wall.to_list() == [datetime(2024, 1, day) for day in (10, 11, 12)] + [datetime(2024, 2, 1)]
    assert ordered.note.startswith("dates like 10/01/2024 are read as day-month-year")
    with pytest.raises(BarsError, match=r"dates like 01/02/2024 can be day-month-year or month-day-year.*unit="):
        read_dates(pl.Series(["01/02/2024", "02/03/2024"]))
    assert read_dates(pl.Series(["01.02.2024"])).wall.to_list() == [datetime(2024, 2, 1)]


def test_a_long_column_is_read_by_its_different_dates_and_times() -> None:
    moments = [datetime(2024, 1, 1) + timedelta(minutes=n) for n in range(12_000)]
    text = pl.Series([f"{moment:%d.%m.%Y %H:%M}" for moment in moments])
    assert read_dates(text).wall.to_list() == moments
    dates = pl.Series([f"{moment:%d.%m.%Y}" for moment in moments])
    assert read_dates(dates).wall.to_list() == [datetime(m.year, m.month, m.day) for m in moments]
