"""Rows of a stored series: checked, merged by timestamp, cut, compared, fingerprinted."""

from __future__ import annotations

import hashlib
import struct
from typing import Any

import numpy as np
import polars as pl
import pytest

from maestro.data.stores import SeriesKey
from maestro.data.stores.rows import (
    STAMP,
    AppendResult,
    as_stamps,
    check_rows,
    cut,
    differences,
    empty_rows,
    fingerprint_rows,
    merge,
    tidy,
    without,
)
from maestro.errors import BarsError

KEY = SeriesKey("TEST", "BTCUSD", series="funding")


def rows(*stamps: int, rate: float = 0.5) -> pl.DataFrame:
    column = pl.Series(stamps, dtype=pl.Int64).cast(STAMP)
    return pl.DataFrame(
        {"timestamp": column, "funding_rate": [rate] * len(stamps)}, schema_overrides={"funding_rate": pl.Float64}
    )


def stamps(frame: pl.DataFrame) -> list[int]:
    return frame["timestamp"].to_physical().to_list()


def test_rows_are_sorted_and_the_last_of_one_timestamp_counts() -> None:
    checked = check_rows(KEY, pl.concat([rows(20, 10), rows(10, rate=0.7)]))
    assert stamps(checked) == [10, 20]
    assert checked["funding_rate"].to_list() == [0.7, 0.5]
    assert check_rows(KEY, rows(1, rate=float("nan")))["funding_rate"].to_list() == [None]


@pytest.mark.parametrize(
    ("frame", "message"),
    [
        (rows(1).rename({"funding_rate": "rate"}), "the frame lacks funding_rate and has rate; stored are timestamp"),
        (rows(1, rate=float("inf")), "funding_rate is inf at row 0"),
        (rows(1).with_columns(pl.col("timestamp").dt.replace_time_zone(None)), "timestamp has type Datetime"),
        (rows(1).with_columns(funding_rate=pl.lit("x")), "has type String; give numbers"),
        (rows(1).with_columns(timestamp=pl.lit(None, STAMP)), "the timestamp is missing at row 0"),
    ],
)
def test_other_frames_are_refused(frame: pl.DataFrame, message: str) -> None:
    with pytest.raises(BarsError, match=message):
        check_rows(KEY, frame)


@pytest.mark.parametrize(
    ("old", "new", "result", "counts"),
    [
        (rows(), rows(1, 2), [1, 2], AppendResult(2)),
        (rows(1, 2), rows(3), [1, 2, 3], AppendResult(1)),
        (rows(3), rows(1, 2), [1, 2, 3], AppendResult(2)),
        (rows(1, 3), rows(2, 3), [1, 2, 3], AppendResult(1, 0, 1)),
        (rows(1, 3), rows(3, rate=0.7), [1, 3], AppendResult(0, 1, 0)),
        (rows(1, 2), rows(1), [1, 2], AppendResult(0, 0, 1)),
    ],
)
def test_new_rows_replace_old_ones_of_the_same_timestamp(
    old: pl.DataFrame, new: pl.DataFrame, result: list[int], counts: AppendResult
) -> None:
    merged, found = merge("funding", old, new)
    assert (stamps(merged), found) == (result, counts)
    if counts.changed:
        assert merged["funding_rate"].to_list() == [0.5, 0.7]


def test_a_range_has_its_start_and_not_its_end() -> None:
    frame = rows(1, 2, 3)
    assert stamps(cut(frame, 2, 3)) == [2]
    assert stamps(cut(frame, None, 3)) == [1, 2]
    assert stamps(cut(frame, 3, 1)) == []
    assert stamps(without(frame, 2, 3, None)) == [1, 3]
    assert stamps(without(frame, None, None, as_stamps([3, 1, 1]))) == [2]
    assert without(frame, 9, None, None) is frame


@pytest.mark.parametrize("given", [[3, 1, 3], np.array([3, 1]), rows(1, 3)["timestamp"]])
def test_stamps_to_delete_in_any_form(given: Any) -> None:
    assert as_stamps(given).tolist() == [1, 3]  # type: ignore[union-attr]
    assert as_stamps(None) is None


def test_missing_values_are_equal_to_missing_ones_only() -> None:
    one, other = rows(1, 2), rows(1, 2).with_columns(funding_rate=pl.Series([0.5, None]))
    assert differences(one, other, ["funding_rate"]).to_list() == [False, True]
    assert differences(other, other, ["funding_rate", "absent"]).to_list() == [False, False]


def test_a_fingerprint_is_the_same_on_every_machine() -> None:
    frame = rows(1, 2)
    assert fingerprint_rows("funding", frame) == fingerprint_rows("funding", frame.clone())
    assert fingerprint_rows("funding", frame) != fingerprint_rows("funding", rows(1, 3))
    zero = fingerprint_rows("funding", rows(1, rate=0.0))
    assert fingerprint_rows("funding", rows(1, rate=-0.0)) == zero
    content = b"rows1 funding 1" + struct.pack("<q", 1) + b"funding_rate" + struct.pack("<d", 0.0)
    assert zero == hashlib.sha256(content).hexdigest()


def test_optional_columns_without_a_value_are_left_out() -> None:
    bars = empty_rows("bars").with_columns(basis=pl.lit(None, pl.Float64))
    assert tidy("bars", bars).columns == empty_rows("bars").columns
