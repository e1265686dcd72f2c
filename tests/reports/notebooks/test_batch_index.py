"""The index of a batch: text is escaped, and columns are those of all records."""

from __future__ import annotations

import re

import pytest

from maestro.reports.notebooks.batch import Record
from maestro.reports.notebooks.batch_index import _common, index_page
from tests.reports.notebooks.test_batch import HOSTILE


@pytest.mark.parametrize("text", HOSTILE)
def test_text_from_outside_is_text(text: str) -> None:
    record = Record(
        text, "k", {"word": text}, "failed", text, 1.0, [[text, text]], "2026-01-01T00:00:00+00:00", "p.html"
    )
    done = Record(text, "k", {"word": text}, "done", None, 1.0, [[text, text]], None, "p.html")
    page = index_page([record, done], text)
    plain = index_page([Record("n", "k", {"word": "w"}, "failed", "e", 1.0, [["h", "v"]], None, "p.html")] * 2, "n")
    tags = r"<(script|img|svg|a href=javascript|style|title)\b"
    assert len(re.findall(tags, page)) == len(re.findall(tags, plain))
    assert "49" not in re.findall(r"<h1>.*?</h1>", page, re.S)[0]


def record(name: str, **parameters: object) -> Record:
    return Record(name, "k", parameters, "done", None, 1.0, [["sharpe_ratio", 1.25]], None, "p.html")


def test_only_parameters_that_all_reports_share_are_common() -> None:
    assert _common([]) == []
    assert _common([record("a", x=1, y=2), record("b", x=1, y=3), record("c", x=1)]) == [("x", 1)]


def test_reports_are_counted_by_status() -> None:
    waiting = Record("c", "k", {}, "waiting", None, None, [], None, None)
    page = index_page([record("a"), record("b"), waiting], "n.ipynb")
    assert "2 done, 1 waiting" in page
    assert "failed" not in re.sub(r"<(style|script)\b.*?</\1>", "", page, flags=re.S).lower()
    assert "1.25" in page
