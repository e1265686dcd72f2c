"""The Market app without a browser: panes, defects, dropped files, and texts from outside that stay text."""

from __future__ import annotations

import os
import re
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

import maestro as ms
from maestro._core.processes import host_id
from maestro.apps.market import App, session
from maestro.apps.shared import series
from maestro.apps.shared.page import Message, card
from maestro.errors import BarsError
from tests.apps.runs.test_session import HOSTILE
from tests.support.processes import ended_process


@pytest.fixture(autouse=True)
def own_home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("MAESTRO_STORE", str(tmp_path / "store"))


@pytest.fixture
def holed() -> ms.Bars:
    """Bars with two holes, funding and open interest."""
    frame = ms.synthetic_bars(2_000, seed=2).to_frame()
    frame = frame.with_columns(
        funding_rate=pl.when(pl.int_range(pl.len()) % 8 == 0).then(0.0001), open_interest=pl.lit(5.0), basis=pl.lit(0.1)
    )
    holed = pl.concat([frame[:300], frame[400:900], frame[930:]])
    return ms.Bars.from_frame(holed, provider="TEST", symbol="HOLED", timeframe="1h")


def csv(frame: pl.DataFrame) -> bytes:
    return frame.with_columns(pl.col("timestamp").dt.to_string("iso:strict")).write_csv().encode()


def test_there_is_a_pane_for_everything_the_bars_carry(holed: ms.Bars) -> None:
    assert [pane.name for pane in session.panes(holed)] == ["volume", "funding", "open interest", "basis"]
    assert [pane.name for pane in session.panes(ms.load_sample("AAPL"))] == ["volume"]
    for pane in session.panes(holed):
        assert [len(line.values) for line in pane.lines] == [len(holed)]


def test_regimes_are_a_pane_that_can_be_switched_on() -> None:
    names: dict[str, Any] = {}
    app = App()
    assert app.view._market is not None
    assert [pane.name for pane in app.view._market.panes] == ["volume"]
    app.regimes.switch.value = True
    assert app.settings()["regimes"] is True
    exec(app.state.python(), names)
    first, second = app.view._market.panes
    assert (first.name, second.name) == ("regimes", "volume")
    for k, line in enumerate(first.lines):
        np.testing.assert_array_equal(line.values, names["regimes"].probabilities[:, k])
    app.state.param.update(start="2010-06", end="2010-06-20")
    assert "Regimes: the bars from" in app.view.message.text
    assert [pane.name for pane in app.view._market.panes] == ["volume"]
    app.state.regimes = False
    assert app.view.message.text == ""


def test_defects_are_marked_where_they_are_and_gone_to_in_turn(holed: ms.Bars) -> None:
    app = App(holed)
    market = session.look(holed)
    gaps = [place for place in market.places if market.findings[place.row].check == "gap"]
    assert len(gaps) == 2
    assert [span["from"] for span in app.view.chart.spans] == [place.start // 1_000_000 for place in market.places]
    went = []
    app.view.chart.param.watch(lambda event: went.append(event.new), "window")
    for press in (app.view.on, app.view.on, app.view.back):
        press.clicks += 1
    windows = [window for window in went if window]
    assert windows[0] == windows[2] != windows[1]
    for window, place in zip(windows, (market.places[0], market.places[1]), strict=False):
        assert window[0] * 1_000_000 < place.start <= place.end < window[1] * 1_000_000
    assert "1 of" in app.view.here.object


def test_a_click_on_a_row_goes_round_its_own_places(holed: ms.Bars) -> None:
    app = App(holed)
    market = session.look(holed)
    row = next(place.row for place in market.places if market.findings[place.row].check == "gap")
    seen = []
    for _ in range(3):
        app.view._clicked(row)
        seen.append(app.view._place)
    assert seen[0] == seen[2] != seen[1]


def test_clean_bars_are_reported_as_clean() -> None:
    app = App(ms.synthetic_bars(500, seed=1))
    assert app.view.clean.visible
    assert not app.view.defects.box.visible
    assert not app.view.steps.visible


def test_a_dropped_file_is_shown_and_a_bad_one_leaves_it(holed: ms.Bars) -> None:
    app = App()
    assert "SAMPLE:AAPL:1d" in app.view.facts.object

    def drop(name: str, content: bytes) -> None:
        app.picker.file.param.update(filename=name, value=content)

    drop("mine.csv", csv(holed.to_frame()))
    assert app.view.message.text == ""
    assert f"{len(holed):,} bars" in app.view.facts.object
    assert "File: mine.csv" in app.picker.name_box.options
    drop("notes.txt", b"hello")
    assert "'notes.txt' is not a file of bars" in app.view.message.text
    drop("torn.csv", b"timestamp,open\n1,x\n")
    assert "has no rows of dates and numbers" in app.view.message.text
    assert f"{len(holed):,} bars" in app.view.facts.object, "what was shown stays"
    app.picker.name_box.value = "sample:IBM"
    assert app.view.message.text == ""
    assert "SAMPLE:IBM:1d" in app.view.facts.object


@pytest.mark.parametrize(
    "content",
    [b"\x00\xff\xfe" * 50, b"PAR1junk", b"hello\nworld\n", b"a," * 50_000, b"<html><script>alert(1)</script></html>",
     b"\x80\x04\x95cposix\nsystem\n", b"timestamp,open,high,low,close,volume\nx,1,2,3,4,5\n"],
)  # fmt: skip
@pytest.mark.parametrize("ending", [".csv", ".parquet", ".zip", ".csv.gz"])
def test_whatever_a_file_contains_there_is_a_message(content: bytes, ending: str) -> None:
    app = App()
    app.picker.file.param.update(filename=f"bad{ending}", value=content)
    assert len(app.view.message.text) > 15
    assert "SAMPLE:AAPL:1d" in app.view.facts.object


def test_an_empty_file_and_a_workbook_are_refused_with_what_to_do() -> None:
    app = App()
    app.picker.file._handle_msg({"status": "initializing"})
    app.picker.file._handle_msg({"status": "finished"})
    assert "the file is empty" in app.view.message.text
    for name, output in (("a.csv", "'a.csv' is empty"), ("book.xlsx", "Save a sheet of a spreadsheet as CSV")):
        with pytest.raises(BarsError, match=output):
            series.keep_upload(name, b"" if name == "a.csv" else b"PK")
    assert app.picker.file.accept in (None, ""), "a browser refuses other endings without a word"


def test_a_file_of_several_symbols_offers_them(holed: ms.Bars) -> None:
    frames = [holed.to_frame().with_columns(symbol=pl.lit(name)) for name in ("AAA", "BBB")]
    app = App()
    app.picker.file.param.update(filename="two.csv", value=csv(pl.concat(frames)))
    assert app.view.message.text == "two.csv holds 2 symbols; choose one in the box Symbol."
    assert app.picker.symbol.visible
    app.picker.symbol.value = "BBB"
    assert app.view.message.text == ""
    assert app.state.data.endswith("two.csv#BBB")
    assert f"{len(holed):,} bars" in app.view.facts.object
    again = App(query={"data": app.state.data})
    assert (again.picker.symbol.visible, again.picker.symbol.value) == (True, "BBB")
    assert sorted(again.picker.symbol.options) == ["AAA", "BBB"]
    app.picker.name_box.value = "sample:IBM"
    assert not app.picker.symbol.visible


def test_errors_do_not_name_the_folder_of_uploads(holed: ms.Bars, tmp_path: Path) -> None:
    app = App()
    app.picker.file.param.update(filename="torn.csv", value=b"timestamp,open\n1,x\n")
    assert "torn.csv" in app.view.message.text
    assert str(tmp_path) not in app.view.message.text


def test_dates_are_picked_and_shown() -> None:
    app = App(start="2005", end="2006-06")
    assert (app.picker.start.value, app.picker.end.value) == (date(2005, 1, 1), date(2006, 6, 1))
    assert app.state.start == "2005"
    app.picker.start.value = date(2005, 3, 1)
    assert app.state.start == "2005-03-01"
    assert app.picker.bars is not None
    assert app.picker.bars.start.date() == date(2005, 3, 1)
    app.picker.end.value = None
    assert app.state.end is None
    assert App(start="soon").picker.start.value is None


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
    assert App().picker.file.max_file_size == 10


def test_a_file_above_the_limit_is_refused_by_browser_and_server(monkeypatch: pytest.MonkeyPatch) -> None:
    app = App()
    app.picker.file._handle_msg(
        {"status": "error", "error": 'File "<b>.csv" (72 MB) exceeds maximum file size of 64 MB'}
    )
    assert "exceeds maximum file size of 64 MB. Larger files: maestro data import" in app.view.message.text
    monkeypatch.setattr(series, "UPLOAD_LIMIT", 2**20)
    app.picker.file._handle_msg({"status": "initializing"})
    chunk = {
        "status": "upload_event",
        "name": "a.csv",
        "mime_type": "text/csv",
        "total_chunks": 9,
        "data": b"x" * 2**19,
    }
    for number in (1, 2):
        app.picker.file._handle_msg({**chunk, "chunk": number})
        assert "more than" not in app.view.message.text
    app.picker.file._handle_msg({**chunk, "chunk": 3})
    assert "more than 1 MB were sent" in app.view.message.text
    assert not app.picker.file._file_buffer


def test_a_series_that_vanished_is_reported(tmp_path: Path, holed: ms.Bars) -> None:
    path = tmp_path / "soon.csv"
    path.write_bytes(csv(holed.to_frame()))
    app = App(data=str(path))
    assert app.view.message.text == ""
    path.unlink()
    app.state.start = "2020-01-10"
    assert "there is no file" in app.view.message.text
    assert "TEST" in app.view.facts.object or "soon" in app.view.facts.object


def test_settings_of_the_screen() -> None:
    app = App(query={"data": "sample:IBM", "start": "2005"})
    assert app.settings() == {
        "data": "sample:IBM",
        "start": "2005",
        "end": None,
        "periods_per_year": None,
        "regimes": False,
        "indicators": [],
    }
    assert App(query={"colour": "red"}).view.message.text == "the link has 'colour', which is not a setting here"


def tags(html: str) -> set[str]:
    return set(re.findall(r"<\s*(/?[a-zA-Z!][a-zA-Z0-9]*)", html))


def test_texts_from_outside_stay_text() -> None:
    assert len(set(HOSTILE)) >= 50
    plain = {f"{slash}{tag}" for slash in ("", "/") for tag in ("h2", "dl", "div", "dt", "dd", "p", "pre", "b")}
    frame = ms.synthetic_bars(60, seed=1).to_frame()
    app = App(ms.synthetic_bars(60, seed=1))
    for text in HOSTILE:
        bars = ms.Bars.from_frame(frame, provider="TEST", symbol=text, timeframe="1h")
        bars.notes = (text,)
        app.view.update(session.look(bars))
        linked = App(query={"data": text, text: text})
        message = Message()
        message.say(text)
        shown: list[Any] = [
            app.view.facts.object, message._line.object, linked.view.message._line.object,
            card(text).objects[0][0].object if hasattr(card(text), "objects") else "",
        ]  # fmt: skip
        for html in shown:
            assert tags(html) <= plain, (text, html)
            assert not re.search(r"<[^>]*\son[a-z]+=", html), (text, html)
        assert linked.view.message.text


def test_a_hole_in_the_panes_is_a_hole(holed: ms.Bars) -> None:
    funding = session.panes(holed)[1].lines[0].message()["data"]["value"]
    assert holed.funding_rate is not None
    np.testing.assert_array_equal(np.isnan(funding), np.isnan(holed.funding_rate))
    assert 0 < np.isnan(funding).sum() < len(holed)


def test_an_unreadable_store_is_reported_and_samples_remain(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken() -> Any:
        raise OSError("<b>no such disk</b>")

    monkeypatch.setattr("maestro.data.stores.configured_store", broken)
    picker = App().picker
    assert "sample:IBM" in picker.name_box.options
    assert "The store cannot be read: <b>no such disk" in picker.lacking
    assert "&lt;b&gt;no such disk" in picker.__panel__()[-1].object
