"""Which bars an app shows: series of a list, files dropped in, their symbols, dates, and what is refused."""

from __future__ import annotations

import os
import re
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl
import pytest

import maestro as ms
from maestro._core.processes import host_id
from maestro.apps.market.state import MarketState
from maestro.apps.shared import series
from maestro.apps.shared.series import SeriesPicker
from maestro.apps.shared.state import SERIES
from maestro.errors import BarsError
from tests.support.processes import ended_process

FRAME = ms.synthetic_bars(200, seed=2).to_frame()


@pytest.fixture(autouse=True)
def own_home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("MAESTRO_STORE", str(tmp_path / "store"))


def picker_of(bars: ms.Bars | None = None, **settings: Any) -> SeriesPicker:
    """A picker that loads what its state names after each change, as the apps let it."""
    picker = SeriesPicker(MarketState(**settings), bars)
    picker.state.param.watch(lambda *_: picker.load(), list(SERIES))
    return picker


def csv(frame: pl.DataFrame) -> bytes:
    return frame.with_columns(pl.col("timestamp").dt.to_string("iso:strict")).write_csv().encode()


def drop(picker: SeriesPicker, name: str, content: bytes) -> None:
    picker.file.param.update(filename=name, value=content)


def test_a_series_of_the_list_is_loaded() -> None:
    picker = picker_of()
    assert picker.bars is not None
    assert (picker.bars.name, picker.problem) == ("SAMPLE:AAPL:1d", "")
    picker.name_box.value = "sample:IBM"
    assert (picker.state.data, picker.bars.name) == ("sample:IBM", "SAMPLE:IBM:1d")
    picker.state.data = "sample:MSFT"  # of a link
    assert (picker.name_box.value, picker.bars.name) == ("sample:MSFT", "SAMPLE:MSFT:1d")


def test_a_dropped_file_is_chosen_and_a_refused_one_changes_nothing() -> None:
    picker = picker_of()
    drop(picker, "mine.csv", csv(FRAME))
    assert picker.bars is not None
    assert (len(picker.bars), picker.problem) == (200, "")
    assert picker.name_box.options["File: mine.csv"] == picker.state.data
    before = picker.state.data
    drop(picker, "notes.txt", b"hello")
    assert picker.upload_problem.text.startswith("'notes.txt' is not a file of bars; give .csv")
    assert picker.state.data == before
    assert (len(picker.bars), picker.problem) == (200, "")
    picker.file._handle_msg({"status": "initializing"})
    assert picker.upload_problem.text == "", "the message belongs to the file that was refused"


def test_two_files_of_one_name_are_both_in_the_list() -> None:
    picker = picker_of()
    drop(picker, "mine.csv", csv(FRAME))
    drop(picker, "mine.csv", csv(FRAME[:100]))
    assert picker.bars is not None
    assert len(picker.bars) == 100
    options = picker.name_box.options
    assert "File: mine.csv" in options
    assert picker.state.data in options
    picker.name_box.value = options["File: mine.csv"]
    assert len(picker.bars) == 200


@pytest.mark.parametrize(
    "content",
    [b"\x00\xff\xfe" * 50, b"PAR1junk", b"hello\nworld\n", b"a," * 50_000, b"<html><script>alert(1)</script></html>",
     b"\x80\x04\x95cposix\nsystem\n", b"timestamp,open,high,low,close,volume\nx,1,2,3,4,5\n",
     b"timestamp,open,high,low,close,volume\n"],
)  # fmt: skip
@pytest.mark.parametrize("ending", [".csv", ".parquet", ".zip", ".csv.gz"])
def test_whatever_a_file_contains_there_is_a_message(content: bytes, ending: str) -> None:
    picker = picker_of()
    before = picker.bars
    drop(picker, f"bad{ending}", content)
    assert len(picker.upload_problem.text) > 15
    assert (picker.bars, picker.state.data, picker.problem) == (before, "sample:AAPL", "")


def test_an_empty_file_and_a_workbook_are_refused_with_what_to_do() -> None:
    picker = picker_of()
    picker.file._handle_msg({"status": "initializing"})
    picker.file._handle_msg({"status": "finished"})
    assert "the file is empty" in picker.upload_problem.text
    assert picker.bars is not None
    for name, output in (("a.csv", "'a.csv' is empty"), ("book.xlsx", "Save a sheet of a spreadsheet as CSV")):
        with pytest.raises(BarsError, match=output):
            series.keep_upload(name, b"" if name == "a.csv" else b"PK")
    assert picker.file.accept in (None, ""), "a browser refuses other endings without a word"


def test_a_file_above_the_limit_is_refused_by_browser_and_server(monkeypatch: pytest.MonkeyPatch) -> None:
    picker = picker_of()
    picker.file._handle_msg({"status": "error", "error": 'File "<b>.csv" (72 MB) exceeds maximum file size of 64 MB'})
    assert "exceeds maximum file size of 64 MB. Larger files: maestro data import" in picker.upload_problem.text
    monkeypatch.setattr(series, "UPLOAD_LIMIT", 2**20)
    picker.file._handle_msg({"status": "initializing"})
    chunk = {
        "status": "upload_event",
        "name": "a.csv",
        "mime_type": "text/csv",
        "total_chunks": 9,
        "data": b"x" * 2**19,
    }
    for number in (1, 2):
        picker.file._handle_msg({**chunk, "chunk": number})
        assert picker.upload_problem.text == ""
    picker.file._handle_msg({**chunk, "chunk": 3})
    assert "more than 1 MB were sent" in picker.upload_problem.text
    assert picker.problem == ""
    assert not picker.file._file_buffer


def test_a_file_of_several_symbols_offers_them() -> None:
    frames = [FRAME.with_columns(symbol=pl.lit(name)) for name in ("AAA", "BBB")]
    picker = picker_of()
    drop(picker, "two.csv", csv(pl.concat(frames)))
    assert picker.problem == "two.csv holds 2 symbols; choose one in the box Symbol."
    assert picker.symbol.visible
    picker.symbol.value = "BBB"
    assert picker.problem == ""
    assert picker.state.data.endswith("two.csv#BBB")
    assert picker.bars is not None
    assert len(picker.bars) == 200
    again = picker_of(data=picker.state.data)
    assert (again.symbol.visible, again.symbol.value) == (True, "BBB")
    assert sorted(again.symbol.options) == ["AAA", "BBB"]
    picker.name_box.value = "sample:IBM"
    assert not picker.symbol.visible


def test_errors_do_not_name_the_folder_of_uploads(tmp_path: Path) -> None:
    picker = picker_of()
    drop(picker, "torn.csv", b"timestamp,open\n1,x\n")
    assert "torn.csv" in picker.upload_problem.text
    assert str(tmp_path) not in picker.upload_problem.text


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"data": "sample:GONE"}, "GONE"),
        ({"data": "/no/such/file.parquet"}, "there is no file"),
        ({"data": ""}, ""),
        ({"start": "soon"}, "soon"),
        ({"start": "2030"}, "no bar"),
        ({"start": "2010", "end": "2005"}, "2005"),
    ],
)
def test_a_series_that_cannot_be_loaded_has_a_reason(settings: dict[str, Any], message: str) -> None:
    picker = picker_of(**settings)
    assert picker.bars is None
    assert len(picker.problem) > 15
    assert message in picker.problem
    picker.state.param.update(data="sample:IBM", start=None, end=None)
    assert (picker.bars is not None, picker.problem) == (True, "")


def test_a_series_that_vanished_is_reported(tmp_path: Path) -> None:
    path = tmp_path / "soon.csv"
    path.write_bytes(csv(FRAME))
    picker = picker_of(data=str(path))
    assert picker.problem == ""
    path.unlink()
    picker.state.start = "2020-01-03"
    assert picker.bars is None
    assert "there is no file" in picker.problem


@pytest.mark.parametrize(
    ("error", "problem"),
    [
        (PermissionError(13, "Permission denied"), "sample:AAPL cannot be read: Permission denied."),
        (ZeroDivisionError("x"), "sample:AAPL cannot be read as bars (ZeroDivisionError: x); is it one of them?"),
    ],
)
def test_any_error_of_a_reader_is_a_message(error: Exception, problem: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: Any, **__: Any) -> ms.Bars:
        raise error

    monkeypatch.setattr(series, "load", fails)
    picker = picker_of()
    assert (picker.bars, picker.problem) == (None, problem)


def test_dates_are_picked_and_shown() -> None:
    picker = picker_of(start="2005", end="2006-06")
    assert (picker.start.value, picker.end.value) == (date(2005, 1, 1), date(2006, 6, 1))
    assert picker.state.start == "2005"
    picker.start.value = date(2005, 3, 1)
    assert picker.state.start == "2005-03-01"
    assert picker.bars is not None
    assert picker.bars.start.date() == date(2005, 3, 1)
    picker.end.value = None
    assert picker.state.end is None
    assert picker_of(start="soon").start.value is None


def test_an_unreadable_store_is_reported_and_samples_remain(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken() -> Any:
        raise OSError("<b>no such disk</b>")

    monkeypatch.setattr("maestro.data.stores.configured_store", broken)
    picker = picker_of()
    assert "sample:IBM" in picker.name_box.options
    assert "The store cannot be read: <b>no such disk" in picker.lacking
    assert "&lt;b&gt;no such disk" in picker.__panel__()[-1].object


# -- uploads and bars that are kept -----------------------------------------------------------------


def test_parts_of_uploads_of_killed_servers_are_cleared() -> None:
    kept = series.keep_upload("bars.csv", b"1")
    parts = [kept.with_name(f".bars.csv.{host_id()}-{pid}-0123abcd.part") for pid in (ended_process(), os.getpid())]
    for part in parts:
        part.write_bytes(b"half")
    series.clear_uploads()
    assert sorted(kept.parent.iterdir()) == sorted([kept, parts[1]])


def test_files_too_large_and_names_that_lead_elsewhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    kept = series.keep_upload("../../.bashrc/..\\x/<b>&.CSV", b"1")
    assert kept.is_relative_to(tmp_path / ".cache" / "maestro" / "uploads")
    assert re.fullmatch(r"[0-9a-f]{16}/[A-Za-z0-9_.-]+\.csv", "/".join(kept.parts[-2:]))
    assert series.keep_upload("....csv", b"1").name == "file.csv"
    assert kept.stat().st_mode & 0o111 == 0, "nothing of it can be executed"
    monkeypatch.setattr(series, "UPLOADS_KEPT", 32)  # the two files above have 2 bytes
    made = []
    for number, letter in enumerate(b"abcd"):
        made.append(series.keep_upload("a.csv", bytes([letter]) * 10))
        os.utime(made[-1], (number + 1, number + 1))
    assert [path.exists() for path in made] == [False, True, True, True], "the one unused for longest made room"
    assert series.keep_upload("a.csv", b"b" * 10) == made[1], "used again"
    series.keep_upload("a.csv", b"e" * 10)
    assert [path.exists() for path in made] == [False, True, False, True]
    monkeypatch.setattr(series, "UPLOAD_LIMIT", 10)
    with pytest.raises(BarsError, match="maestro data import"):
        series.keep_upload("a.csv", b"x" * 11)
    assert picker_of().file.max_file_size == 10


@pytest.mark.parametrize(
    ("bars", "data"),
    [
        (ms.load("sample:IBM", start="2005"), "sample:IBM"),
        (ms.load_sample("IBM")[100:900], "SAMPLE_IBM_1d.parquet"),
        (ms.Bars.from_frame(FRAME, symbol="../<b>", periods_per_year=99), "b_1h.parquet"),
    ],
)
def test_settings_load_the_bars_that_were_handed_over(bars: ms.Bars, data: str) -> None:
    settings = series.settings_of(bars)
    again = ms.load(str(settings["data"]), start=settings["start"], end=settings["end"])
    assert again.fingerprint == bars.fingerprint
    assert again.periods_per_year == bars.periods_per_year
    assert str(settings["data"]).endswith(data)
    assert series.settings_of(bars) == settings


def test_the_same_rows_of_another_year_are_other_bars() -> None:
    frame = ms.synthetic_bars(400, timeframe="1d").to_frame()
    for days in (365, 252):
        bars = ms.Bars.from_frame(frame, symbol="X", periods_per_year=days)
        assert ms.load(str(series.settings_of(bars)["data"])).periods_per_year == days


def test_bars_that_were_handed_over_stay_and_need_no_controls() -> None:
    bars = ms.load("sample:AAPL", end="2005", periods_per_year=365)
    picker = picker_of(bars, periods_per_year=100.0)
    assert (picker.state.periods_per_year, picker.bars) == (None, bars)
    picker.state.data = "sample:IBM"
    assert picker.load() is bars
    assert picker.__panel__().object == ""
