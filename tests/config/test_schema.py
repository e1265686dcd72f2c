"""What a setting accepts as text, and how its value is shown."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import pytest

from maestro.config.schema import Doc, Entry, entries, read_value
from maestro.errors import SettingsError


@dataclass(frozen=True, slots=True)
class Inner:
    wait: Annotated[float | None, Doc("longest wait", "time", low=1, high=1_000_000, empty="for ever")] = None
    room: Annotated[int, Doc("room", "size")] = 1024


@dataclass(frozen=True, slots=True)
class Outer:
    inner: Inner
    folder: Annotated[Path, Doc("a folder")] = Path("here")
    on: Annotated[bool, Doc("a switch")] = True
    share: Annotated[float, Doc("a share")] = 0.5
    url: Annotated[str, Doc("an address", "url")] = "http://x"
    store: Annotated[str, Doc("a store", "store")] = ""


ENTRIES: dict[str, Entry] = dict(entries(Outer))


def test_entries_have_dotted_names_types_and_defaults() -> None:
    assert list(ENTRIES) == ["inner.wait", "inner.room", "folder", "on", "share", "url", "store"]
    wait = ENTRIES["inner.wait"]
    assert (wait.kind, wait.optional, wait.default, wait.doc.text) == (float, True, None, "longest wait")
    assert (ENTRIES["on"].kind, ENTRIES["on"].optional, ENTRIES["on"].default) == (bool, False, True)


@pytest.mark.parametrize(
    ("name", "raw", "value"),
    [
        ("inner.wait", "90s", 90.0), ("inner.wait", "1.5h", 5400.0), ("inner.wait", 7, 7.0),
        ("inner.wait", "For ever", None), ("inner.wait", "never", None), ("inner.wait", None, None),
        ("inner.room", "256MB", 256 * 2**20), ("inner.room", "12", 12), ("on", "off", False), ("on", 1, True),
        ("folder", "data", Path("/base/data")), ("folder", "/data", Path("/data")), ("url", "https://x/", "https://x"),
        ("store", "rows", "/base/rows"), ("store", "parquet:rows", "/base/rows"), ("store", "questdb", "questdb"),
        ("store", "questdb://h:1", "questdb://h:1"),
    ],
)  # fmt: skip
def test_text_is_read_as_a_value(name: str, raw: Any, value: Any) -> None:
    assert read_value(name, ENTRIES[name], raw, "line 1", Path("/base")) == value


@pytest.mark.parametrize(
    ("name", "raw", "message"),
    [
        ("inner.wait", "soon", r"line 1: inner.wait is 'soon'; give seconds, or a time such as 90s"),
        ("inner.wait", "0s", r"give a number of at least 1 and below 1e\+06"),
        ("inner.wait", "1000000", r"below 1e\+06"),
        ("inner.room", "5TB", "give bytes, or a size such as 256MB"),
        ("inner.room", True, "give bytes"),
        ("on", "perhaps", "give true or false"),
        ("share", "nan", "give a number"),
        ("share", "inf", "give a number"),
        ("url", "ftp://x", "give a URL that begins with http"),
        ("folder", [1], "give a path"),
    ],
)
def test_what_is_not_a_value_is_refused(name: str, raw: Any, message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        read_value(name, ENTRIES[name], raw, "line 1", Path("/base"))


@pytest.mark.parametrize(
    ("name", "value", "text"),
    [
        ("inner.wait", None, "for ever"), ("inner.wait", 5400.0, "90m"), ("inner.wait", 604_800.0, "1w"),
        ("inner.room", 2 * 2**30, "2GB"), ("inner.room", 1000, "1000B"), ("on", False, "no"), ("share", 0.25, "0.25"),
    ],
)  # fmt: skip
def test_a_shown_value_is_read_again(name: str, value: Any, text: str) -> None:
    assert ENTRIES[name].show(value) == text
    assert read_value(name, ENTRIES[name], text, "", Path("/")) == value
