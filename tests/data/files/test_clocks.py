"""Local clocks: summer time, zones in the names of columns, times of day."""

from __future__ import annotations

from datetime import datetime, time

import polars as pl
import pytest

from maestro.data.files.clocks import localize, time_of_day, zone_in_name
from maestro.errors import BarsError

NEW_YORK = "America/New_York"


def wall(*texts: str) -> pl.Series:
    return pl.Series([datetime.fromisoformat(text) for text in texts], dtype=pl.Datetime("us"))


def utc(column: pl.Series) -> list[str]:
    return [f"{stamp:%H:%M}" for stamp in column]


def test_summer_and_winter_have_their_offsets() -> None:
    assert utc(localize(wall("2024-01-15 09:30", "2024-07-15 09:30"), NEW_YORK)) == ["14:30", "13:30"]


def test_the_second_showing_of_a_repeated_hour_is_the_later_one() -> None:
    shown = wall("2024-11-03 00:30", "2024-11-03 01:30", "2024-11-03 01:30", "2024-11-03 02:30")
    assert utc(localize(shown, NEW_YORK)) == ["04:30", "05:30", "06:30", "07:30"]


def test_an_hour_that_clocks_skip_is_refused() -> None:
    with pytest.raises(BarsError, match=r"2024-03-10 02:30:00 at row 1 does not exist in America/New_York.*zone='UTC'"):
        localize(wall("2024-03-10 01:30", "2024-03-10 02:30"), NEW_YORK)


@pytest.mark.parametrize(
    ("name", "zone", "noted"),
    [
        ("Time (EET)", "EET", True), ("Date(America/New_York)", NEW_YORK, True), ("Gmt time", "", False),
        ("Time UTC", "", False), ("Local time", "", True), ("Time (EST)", "", True), ("close_USD", "", False),
        ("timestamp", "", False),
    ],
)  # fmt: skip
def test_a_zone_in_the_name_of_a_column(name: str, zone: str, noted: bool) -> None:
    found, note = zone_in_name(name)
    assert found == zone
    assert bool(note) == noted


@pytest.mark.parametrize(
    ("texts", "hours"),
    [
        (["09:30", "16:00"], [9.5, 16]), (["9:30:00 PM", "12:00:00 AM"], [21.5, 0]), (["93000", "160000"], [9.5, 16]),
        (["930", "1600"], [9.5, 16]), (["9", "16"], [9, 16]), (["00:00:00.5"], [0.5 / 3600]),
        ([930, 1600], [9.5, 16]), ([time(9, 30)], [9.5]),
    ],
)  # fmt: skip
def test_times_of_day(texts: list[object], hours: list[float]) -> None:
    found = time_of_day(pl.Series(texts))
    assert found is not None
    assert found.to_list() == [round(hour * 3_600_000_000) for hour in hours]


@pytest.mark.parametrize("texts", [["soon"], ["25:00"], ["09:75"], [None], ["1234567"]])
def test_what_is_not_a_time_of_day(texts: list[object]) -> None:
    assert time_of_day(pl.Series(texts, dtype=pl.String)) is None


def test_a_long_column_is_read_by_its_different_values() -> None:
    column = pl.Series(["09:30", "16:00"] * 6_000)
    assert time_of_day(column).to_list() == [34_200_000_000, 57_600_000_000] * 6_000  # type: ignore[union-attr]
