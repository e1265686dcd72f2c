"""Frames of a source: canonical types, the requested range, the grid of a timeframe."""

from __future__ import annotations

import polars as pl
import pytest

from maestro.data.sources.protocol import align_up, check_page, empty_frame, make_frame
from maestro.data.timeframes import DAY_US, HOUR_US, WEEK_US


def test_a_frame_has_the_columns_of_its_series() -> None:
    frame = make_frame("funding", [1, 2], [["0.0001", "-0.0002"]])
    assert frame.schema == empty_frame("funding").schema
    assert frame["funding_rate"].to_list() == [0.0001, -0.0002]
    assert list(empty_frame("bars").columns) == ["timestamp", "open", "high", "low", "close", "volume"]


def test_rows_outside_the_request_or_out_of_order_are_refused() -> None:
    frame = make_frame("funding", [10, 20], [[0.1, 0.2]])
    assert check_page(frame, 10, 21) is frame
    for start, end in ((11, 30), (0, 20)):
        with pytest.raises(ValueError, match="rows"):
            check_page(frame, start, end)
    with pytest.raises(ValueError, match="rows"):
        check_page(frame.reverse(), 0, 30)


@pytest.mark.parametrize(
    ("stamp", "step", "aligned"),
    [(0, HOUR_US, 0), (1, HOUR_US, HOUR_US), (HOUR_US, HOUR_US, HOUR_US), (-1, DAY_US, 0)],
)
def test_a_stamp_is_moved_up_to_the_grid(stamp: int, step: int, aligned: int) -> None:
    assert align_up(stamp, step) == aligned


def test_weeks_begin_on_mondays() -> None:
    monday = align_up(0, WEEK_US)
    assert pl.Series([monday]).cast(pl.Datetime("us")).dt.weekday().to_list() == [1]
    assert 0 <= monday < WEEK_US
