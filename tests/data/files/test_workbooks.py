"""Sheets of an Excel workbook as tab-separated text."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from maestro.data.files.workbooks import sheets_of
from maestro.errors import BarsError

xlsxwriter = pytest.importorskip("xlsxwriter")


def test_each_sheet_with_rows_is_a_text() -> None:
    data = io.BytesIO()
    with xlsxwriter.Workbook(data, {"in_memory": True}) as book:
        bars, notes = book.add_worksheet("bars"), book.add_worksheet("notes")
        for place, row in enumerate([("Date", "Close"), ("2024-01-01", 1.5), ("2024\n01-02", 2)]):
            bars.write_row(place, 0, row)
        notes.write(0, 0, "one cell")
    assert sheets_of(data.getvalue(), Path("a.xlsx")) == {
        "bars": "Date\tClose\n2024-01-01\t1.5\n2024 01-02\t2\n",
    }


def test_a_damaged_workbook_is_refused() -> None:
    with pytest.raises(BarsError, match=r"a.xlsx cannot be read .*is the file complete"):
        sheets_of(b"PK\x03\x04 and nothing else", Path("a.xlsx"))
