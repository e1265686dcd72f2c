"""The Market app without a browser: regimes, dropped files, its settings, and texts from outside that stay text."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

import maestro as ms
from maestro.apps.market import App, session
from maestro.apps.shared.page import Message, card
from tests.apps.runs.test_session import HOSTILE


@pytest.fixture(autouse=True)
def own_home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("MAESTRO_STORE", str(tmp_path / "store"))


def csv(frame: pl.DataFrame) -> bytes:
    return frame.with_columns(pl.col("timestamp").dt.to_string("iso:strict")).write_csv().encode()


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
    assert "'notes.txt' is not a file of bars" in app.picker.upload_problem.text
    drop("torn.csv", b"timestamp,open\n1,x\n")
    assert "has no rows of dates and numbers" in app.picker.upload_problem.text
    assert app.view.message.text == ""
    assert f"{len(holed):,} bars" in app.view.facts.object, "what was shown stays"
    app.picker.name_box.value = "sample:IBM"
    assert app.view.message.text == ""
    assert "SAMPLE:IBM:1d" in app.view.facts.object


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
