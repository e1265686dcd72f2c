"""Rows in order of time, one per timestamp, stamped with the bar's open."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import polars as pl
import pytest

from maestro.data.files.arranging import arrange
from maestro.data.files.options import ReadOptions
from maestro.data.files.rules import Rows
from maestro.data.files.understanding import Interpretation
from maestro.errors import BarsError

START = datetime(2024, 1, 1, tzinfo=UTC)


def known(*hours: float, close: list[float] | None = None) -> Interpretation:
    stamps = pl.Series([START + timedelta(hours=hour) for hour in hours], dtype=pl.Datetime("us", "UTC"))
    return Interpretation(pl.DataFrame({"timestamp": stamps, "close": close or list(hours)}), Rows(first_line=2))


def hours(found: Interpretation) -> list[float]:
    return [(stamp - START) / timedelta(hours=1) for stamp in found.frame["timestamp"]]


def test_rows_newest_first_are_reversed_and_others_sorted() -> None:
    kept = arrange(known(0, 1, 2), ReadOptions())
    assert (kept.notes, kept.how["stamps"]) == ((), "dates; the bar's open; ascending")
    turned = arrange(known(2, 1, 0), ReadOptions())
    assert hours(turned) == [0, 1, 2]
    assert turned.notes == ("the rows are stored newest first; they were reversed",)
    assert [turned.rows.number(row) for row in range(3)] == [4, 3, 2]
    mixed = arrange(known(0, 2, 1), ReadOptions())
    assert hours(mixed) == [0, 1, 2]
    assert mixed.notes == ("the rows are not in order of time (in 1 place); they were sorted",)


def test_equal_rows_are_one() -> None:
    found = arrange(known(0, 1, 1, 2), ReadOptions())
    assert hours(found) == [0, 1, 2]
    assert found.notes == ("1 row equal to another one dropped",)


def test_rows_that_differ_need_a_choice() -> None:
    doubled = known(0, 1, 1, 2, close=[1.0, 2.0, 3.0, 4.0])
    with pytest.raises(BarsError, match=r"1 stamp has duplicate rows that differ, .* at lines 3 and 4; choose the one"):
        arrange(doubled, ReadOptions())
    assert arrange(doubled, ReadOptions(duplicates="first")).frame["close"].to_list() == [1.0, 2.0, 4.0]
    assert arrange(doubled, ReadOptions(duplicates="last")).frame["close"].to_list() == [1.0, 3.0, 4.0]


def test_closes_are_moved_to_opens() -> None:
    second = 1 / 3600
    assert hours(arrange(known(1, 2, 3), ReadOptions(stamps="close"))) == [0, 1, 2]
    assert hours(arrange(known(1 - second, 2 - second, 3 - second), ReadOptions(stamps="close"))) == [0, 1, 2]
    days = [24 * day + 21 for day in range(5)]  # closes at 21:00 belong to their date
    assert hours(arrange(known(*days), ReadOptions(stamps="close"))) == [24 * day for day in range(5)]
