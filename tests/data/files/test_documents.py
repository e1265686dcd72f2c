"""Rows in JSON documents of different shapes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from maestro.data.files.documents import table_of_json
from maestro.errors import BarsError

PATH = Path("a.json")
ROWS = [[1, 10.0, 12.0, 9.0, 11.0], [2, 11.0, 13.0, 10.0, 12.0]]
NAMES = ["t", "open", "high", "low", "close"]
RECORDS = [dict(zip(NAMES, row, strict=True)) for row in ROWS]
COLUMNS = {name: [row[place] for row in ROWS] for place, name in enumerate(NAMES)}
INNER = {name: {"a": COLUMNS[name][0], "b": COLUMNS[name][1]} for name in NAMES}


@pytest.mark.parametrize(
    ("document", "names"),
    [
        (ROWS, ["1", "2", "3", "4", "5"]),
        ([NAMES, *ROWS], NAMES),
        (RECORDS, NAMES),
        ({"result": {"list": RECORDS}, "code": 0}, NAMES),
        (COLUMNS, NAMES),
        ({"columns": NAMES, "data": ROWS}, NAMES),
        ({"columns": NAMES[1:], "data": [row[1:] for row in ROWS], "index": [1, 2]}, ["index", *NAMES[1:]]),
        ({"2024-01-01": RECORDS[0], "2024-01-02": RECORDS[1]}, ["index", *NAMES]),
        (INNER, ["index", *NAMES]),
        ({"timestamp": [1, 2], "indicators": {"quote": [{name: COLUMNS[name] for name in NAMES[1:]}]}},
         ["timestamp", *NAMES[1:]]),
        ([{"time": 1, "mid": {"o": 1, "c": 2}}, {"time": 2, "mid": {"o": 2, "c": 3}}] * 3, ["time", "mid.o", "mid.c"]),
    ],
)  # fmt: skip
def test_rows_are_found_in_every_shape(document: Any, names: list[str]) -> None:
    frame, named = table_of_json(json.dumps(document), PATH)
    assert frame.columns == names
    assert named is (names[0] != "1")
    assert len(frame) == (6 if "mid.o" in names else 2)
    if "close" in names:
        assert frame["close"].to_list() == [11.0, 12.0]


def test_lines_of_json() -> None:
    frame, _ = table_of_json("\n".join(json.dumps(record) for record in RECORDS), PATH)
    assert frame.rows() == [tuple(row) for row in ROWS]


def test_what_has_no_rows_is_refused() -> None:
    with pytest.raises(BarsError, match=r"a.json looks like JSON, but cannot be read"):
        table_of_json("[1, 2", PATH)
    for text in ("[]", "{}", "5", '{"error": "rate limit"}', "[[]]"):
        with pytest.raises(BarsError, match=r"a.json is JSON without rows of bars"):
            table_of_json(text, PATH)
