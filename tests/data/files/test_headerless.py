"""Columns of a table without a header are recognised by their values."""

from __future__ import annotations

from itertools import permutations

import polars as pl
import pytest

import maestro as ms
from maestro.data.files.headerless import columns_by_value, is_numbered
from maestro.data.files.numbers import Style
from maestro.errors import BarsError

BARS = ms.synthetic_bars(200, seed=1).to_frame()  # each bar opens at the close before
PRICES = ("open", "high", "low", "close")


def numbered(*names: str) -> pl.DataFrame:
    stamp = BARS["timestamp"].dt.epoch("ms").alias("timestamp")
    frame = BARS.with_columns(stamp).select(names)
    return frame.rename({name: str(place + 1) for place, name in enumerate(names)})


@pytest.mark.parametrize("order", [PRICES, ("open", "close", "high", "low"), ("close", "high", "low", "open")])
def test_prices_are_found_in_the_usual_orders(order: tuple[str, ...]) -> None:
    assert order in set(permutations(PRICES))
    columns, time, notes = columns_by_value(numbered("timestamp", *order, "volume"), Style())
    assert columns == {
        "timestamp": "1", **{name: str(place + 2) for place, name in enumerate(order)}, "volume": "6",
    }  # fmt: skip
    assert time == ""
    assert notes == [
        f"there is no header; the columns are taken by their values as timestamp, {', '.join(order)}, volume"
    ]


def test_without_a_date_or_prices_the_columns_must_be_named() -> None:
    with pytest.raises(BarsError, match="no column that holds dates or epochs first; name the columns by their number"):
        columns_by_value(numbered("open", "high", "low", "close", "volume"), Style())
    falling = pl.DataFrame({"1": [20240101, 20240102], "2": [1.0, 9.0], "3": [2.0, 8.0], "4": [3.0, 1.0], "5": [4, 0]})
    with pytest.raises(BarsError, match="no order of open, high, low and close fits columns 2 to 5"):
        columns_by_value(falling, Style())


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (["0", "1", "2", "3", "4"], True), (["1", "2", "3", "4", "5"], True), ([f"column_{n}" for n in range(6)], True),
        (["1", "2", "3"], False), (["1", "3", "2", "4", "5"], False), (["time", "2", "3", "4", "5"], False),
    ],
)  # fmt: skip
def test_names_that_are_only_numbers(names: list[str], expected: bool) -> None:
    assert is_numbered(names) is expected
