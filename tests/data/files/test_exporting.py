"""Files that are written: the format by the extension, all or nothing, the same bytes each time."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest

from maestro.data.files.exporting import FORMS, write_file
from maestro.errors import SettingsError

FRAME = pl.DataFrame({"timestamp": [datetime(2024, 1, 1, 12, tzinfo=UTC)], "close": [0.1 + 0.2]})


def test_a_csv_has_iso_stamps_and_all_digits(tmp_path: Path) -> None:
    write_file(FRAME, tmp_path / "a.csv")
    assert (tmp_path / "a.csv").read_text() == "timestamp,close\n2024-01-01T12:00:00Z,0.30000000000000004\n"


def test_parts_of_a_second_are_written_where_there_are_any(tmp_path: Path) -> None:
    write_file(FRAME.with_columns(pl.col("timestamp") + pl.duration(milliseconds=5)), tmp_path / "a.csv")
    assert "12:00:00.005000Z" in (tmp_path / "a.csv").read_text()


@pytest.mark.parametrize("form", FORMS)
def test_the_same_rows_are_the_same_bytes(tmp_path: Path, form: str) -> None:
    for name in ("one", "other"):
        write_file(FRAME, tmp_path / f"{name}{form}")
    assert (tmp_path / f"one{form}").read_bytes() == (tmp_path / f"other{form}").read_bytes()


def test_what_cannot_be_written_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    write_file(FRAME, path)
    with pytest.raises(SettingsError, match="is there already; choose another name, or overwrite it with --force"):
        write_file(FRAME, path)
    write_file(FRAME.head(0), path, force=True)
    assert path.read_text() == "timestamp,close\n"
    with pytest.raises(SettingsError, match="there is no folder"):
        write_file(FRAME, tmp_path / "nowhere" / "a.csv")
    with pytest.raises(SettingsError, match=r"end it with .csv, .csv.gz, .parquet"):
        write_file(FRAME, tmp_path / "a.xlsx")
    assert [one.name for one in tmp_path.iterdir()] == ["a.csv"]
