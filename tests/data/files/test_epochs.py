"""Numbers as timestamps: the unit of an epoch by its size, compact dates, day numbers of Excel."""

from __future__ import annotations

from datetime import datetime

import polars as pl
import pytest

from maestro.data.files.epochs import numbers_in, read_numbers
from maestro.data.files.stamp_errors import row_name
from maestro.errors import BarsError

SECONDS = [1_704_067_200, 1_704_070_800]  # 2024-01-01 00:00 and 01:00
MOMENTS = [datetime(2024, 1, 1), datetime(2024, 1, 1, 1)]


def moments(column: pl.Series) -> list[datetime]:
    return [stamp.replace(tzinfo=None) for stamp in column]


@pytest.mark.parametrize(("factor", "unit"), [(1, "s (10"), (10**3, "ms (13"), (10**6, "µs (16"), (10**9, "ns (19")])
def test_the_unit_of_an_epoch_is_recognised_by_its_digits(factor: int, unit: str) -> None:
    counted = read_numbers(pl.Series([second * factor for second in SECONDS]), row_name, checked=True)
    assert moments(counted.stamps) == MOMENTS
    assert counted.how == f"epoch in {unit} digits)"
    assert not counted.naive


@pytest.mark.parametrize(
    ("numbers", "first"),
    [
        ([20240131, 20240201], datetime(2024, 1, 31)),
        ([202401, 202402], datetime(2024, 1, 1)),
        ([20240131160000, 20240131170000], datetime(2024, 1, 31, 16)),
        ([2024013116, 2024013117], datetime(2024, 1, 31, 16)),
        ([45322.0, 45322.5], datetime(2024, 1, 31)),  # days of Excel
    ],
)
def test_dates_that_are_numbers(numbers: list[float], first: datetime) -> None:
    counted = read_numbers(pl.Series(numbers), row_name, checked=True)
    assert moments(counted.stamps)[0] == first
    assert counted.naive


def test_units_that_change_are_read_by_their_digits() -> None:
    counted = read_numbers(pl.Series([SECONDS[0] * 1_000, SECONDS[1] * 1_000_000]), row_name, checked=True)
    assert moments(counted.stamps) == MOMENTS
    assert "change their unit" in counted.notes[0]


def test_what_is_not_a_timestamp_is_refused() -> None:
    with pytest.raises(BarsError, match=r"the timestamp 1 at row 0 is too small for an epoch"):
        read_numbers(pl.Series([1, 2, 3]), row_name, checked=True)
    with pytest.raises(BarsError, match=r"the timestamp is nan at row 1; give finite"):
        read_numbers(pl.Series([1.7e9, float("nan")]), row_name, checked=True)
    with pytest.raises(BarsError, match="mix units: from 1 to 1704067200000"):
        read_numbers(pl.Series([1, SECONDS[0] * 1_000]), row_name, checked=False)


@pytest.mark.parametrize(
    ("column", "unit"),
    [(pl.Series([1_704_067_200]), "s"), (pl.Series(["1704067200000"]), "ms"), (pl.Series([1_704_067_200.0]), "s"),
     (pl.Series([1_704_067_200 * 10**9]), "ns"), (pl.Series(["45292"]), "excel")],
)  # fmt: skip
def test_numbers_in_a_unit(column: pl.Series, unit: str) -> None:
    assert moments(numbers_in(column, unit)) == MOMENTS[:1]
