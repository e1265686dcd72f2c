"""A table becomes the rows of one symbol: columns, numbers, timestamps, and what was decided."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import polars as pl
import pytest

from maestro.data.files.options import ReadOptions
from maestro.data.files.understanding import interpret, symbols_of
from maestro.errors import BarsError

COLUMNS: dict[str, list[Any]] = {
    "Date": ["2024-01-01", "2024-01-02", "2024-01-03"],
    "Open": ["1,0", "2,0", "2,5"],
    "High": ["3,0", "3,0", "3,0"],
    "Low": ["0,5", "1,0", "1,0"],
    "Close": ["2,0", "2,5", "2,0"],
    "Volume": [10, None, 30],
}


def table(**changed: list[Any]) -> pl.DataFrame:
    return pl.DataFrame({**COLUMNS, **changed})


def test_columns_numbers_and_timestamps_are_understood() -> None:
    known = interpret(table(), separator=";")
    assert known.frame.columns == ["timestamp", "open", "high", "low", "close", "volume"]
    assert known.frame.row(1) == (datetime(2024, 1, 2, tzinfo=UTC), 2.0, 3.0, 1.0, 2.5, 0.0)
    assert known.notes == ("the volume is missing in 1 row (the first at row 1, 2024-01-02); 0 stands in its place",)
    assert known.how["columns"].startswith("timestamp ← Date, open ← Open")


def test_a_line_without_numbers_below_the_rows_is_left_out() -> None:
    rows = pl.concat([table(), pl.DataFrame({"Date": ["Source: vendor"]})], how="diagonal")
    known = interpret(rows, separator=";")
    assert len(known.frame) == 3
    assert any("1 row without any price left out (row 3: Source: vendor)" in note for note in known.notes)


def test_year_month_and_day_in_three_columns() -> None:
    parts = table(year=[2024] * 3, month=[1, 1, 1], day=[4, 5, 6]).drop("Date")
    assert interpret(parts, separator=";").frame["timestamp"][0] == datetime(2024, 1, 4, tzinfo=UTC)


def test_one_of_several_symbols_is_taken() -> None:
    two = pl.concat([table(Symbol=["A"] * 3), table(Symbol=["B"] * 3)])
    assert symbols_of(two, ReadOptions()) == ("Symbol", ["A", "B"])
    known = interpret(two, ReadOptions(symbol="b"), separator=";")
    assert (len(known.frame), known.symbol) == (3, "B")
    with pytest.raises(BarsError, match="the frame holds 2 symbols in column Symbol"):
        interpret(two, where="the frame", separator=";")
    unnamed = two.rename({"Symbol": "x"})
    with pytest.raises(BarsError, match="holds 2 series in column x"):
        interpret(unnamed, where="the frame", separator=";")


def test_messages_name_lines_of_a_file() -> None:
    with pytest.raises(BarsError, match=r"column close holds text at line 4: 'soon'"):
        interpret(table(Close=["2,0", "2,5", "soon"]), first_line=2, separator=";")
    with pytest.raises(BarsError, match=r"prices.csv is empty; bars need at least one row"):
        interpret(table().head(0), where="prices.csv")
