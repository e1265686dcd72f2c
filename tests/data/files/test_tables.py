"""A data file of any format as a table: types of cells, repeated headers, what the format is called."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from maestro.data.files.tables import Table, read_table
from maestro.errors import BarsError

HEADER = "Date,Open,High,Low,Close,Volume\n"
ROWS = "2024-01-01,1,3,0.5,2,10\n2024-01-02,2,3,1,2.5,20\n"


def read(path: Path, text: str) -> Table:
    path.write_text(text)
    return read_table(path)


def test_plain_numbers_have_a_type_and_other_cells_are_text(tmp_path: Path) -> None:
    table = read(tmp_path / "a.csv", HEADER + ROWS)
    assert table.form == "CSV, comma-separated, with a header"
    assert (table.name, table.first_line, table.notes) == ("a.csv", 2, ())
    assert table.frame.schema == {"Date": pl.String, **dict.fromkeys(HEADER.strip().split(",")[1:], pl.Float64)}


def test_long_whole_numbers_stay_whole_and_leading_zeros_stay_text(tmp_path: Path) -> None:
    table = read(tmp_path / "a.csv", "1704067200000,000500,1,3,0.5,2\n1704067260000,000600,1,3,0.5,2\n")
    assert table.form == "CSV, comma-separated, without a header"
    assert list(table.frame.schema.values())[:3] == [pl.Int64, pl.String, pl.Float64]


def test_a_late_cell_of_text_makes_its_column_text(tmp_path: Path) -> None:
    table = read(tmp_path / "a.csv", HEADER + ROWS * 150 + "2024-01-03,2,3,1,n/a,20\n")
    assert table.frame["Close"].dtype == pl.String
    assert table.frame["Close"][-1] == "n/a"
    assert len(table.frame) == 301


def test_a_header_that_comes_again_is_left_out(tmp_path: Path) -> None:
    table = read(tmp_path / "a.csv", HEADER + ROWS + HEADER + ROWS)
    assert len(table.frame) == 4
    assert table.notes == ("the header comes again in 1 row, which are left out",)


@pytest.mark.parametrize(("write", "form"), [("write_parquet", "Parquet"), ("write_ipc", "Feather"),
                                             ("write_ipc_stream", "Arrow stream"), ("write_json", "JSON")])  # fmt: skip
def test_binary_formats_and_json(tmp_path: Path, write: str, form: str) -> None:
    frame = pl.DataFrame({"date": ["2024-01-01", "2024-01-02"], "open": [1.0, 2.0], "close": [2.0, 2.5], "x": [1, 2]})
    getattr(frame, write)(tmp_path / "data")
    table = read_table(tmp_path / "data")
    assert table.frame.equals(frame)
    assert table.form == form


def test_what_is_not_a_table_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BarsError, match="does not begin like a parquet file; is it complete"):
        read(tmp_path / "a.parquet", HEADER + ROWS)
    (tmp_path / "torn").write_bytes(b"PAR1 and nothing else")
    with pytest.raises(BarsError, match=r"torn cannot be read .*is the file complete"):
        read_table(tmp_path / "torn")
    (tmp_path / "bytes").write_bytes(bytes(range(4)) * 100)
    with pytest.raises(BarsError, match="is not text, Parquet, Feather, JSON or Excel"):
        read_table(tmp_path / "bytes")
