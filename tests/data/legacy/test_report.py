"""The report of a migration names what was not moved."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from maestro.data.legacy.report import MigrationReport, TableReport
from maestro.data.stores import MemoryStore
from tests.data.legacy.migrating import TABLE, bars, export, move
from tests.support.rethink.documents import documents


def test_documents_that_are_no_rows_are_named_in_the_report_and_a_file(tmp_path: Path) -> None:
    found = documents(bars(100))
    found[3]["close"], found[7]["timestamp"], found[9]["volume"] = None, "soon", 2**53 + 1
    found.append({**found[20], "id": "other", "open": 1})
    found.append({**found[30], "id": "same"})
    moved = move(export(tmp_path, found), MemoryStore(), tmp_path / "journal")
    (table,) = moved.tables
    assert moved.ok
    assert not moved.complete
    assert (table.documents, table.rows, table.identical, table.lost) == (102, 96, 1, 5)
    written = (Path(moved.folder) / "rejected" / f"{TABLE}.ndjson").read_text().splitlines()
    assert [json.loads(line)["reason"] for line in written] == [
        "it has no close",
        "the timestamp is not a moment",
        "volume is a whole number too large to be a float64 without loss",
        *["another document has its timestamp and other values"] * 2,
    ]
    assert json.loads(written[0])["document"] == found[3]
    text = (Path(moved.folder) / "report.md").read_text()
    assert "**5 documents are not rows and are not migrated" in text
    assert text == moved.to_markdown()
    assert json.loads((Path(moved.folder) / "report.json").read_text()) == json.loads(json.dumps(moved.to_dict()))


def report(**changed: Any) -> MigrationReport:
    return MigrationReport(
        id="m1", source="old", target="new", tables=[TableReport("trade_A_B_1h", "A:B:1h", **changed)]
    )


def test_a_complete_migration_is_reported_as_complete() -> None:
    found = report(status="done", documents=3, rows=3, inserted=3, first="2020", last="2021", largest_difference=0.0)
    assert found.ok
    assert found.complete
    text = found.to_markdown()
    assert "1 tables, 3 documents. Every document is in the target." in text
    assert "| trade_A_B_1h | A:B:1h | 3 | 3 | 0 | 0 | 3 | 0 | 0 | equal |" in text
    assert found.to_dict()["whole"] is True


def test_what_was_rejected_or_failed_stands_out() -> None:
    rejected = report(status="done", documents=3, rows=1, rejected={"no time": 2}, examples={"no time": ["{}"]})
    assert rejected.ok
    assert not rejected.complete
    assert "**2 documents are not rows and are not migrated" in rejected.to_markdown()
    assert "- rejected, 2 times: no time\n  - `{}`" in rejected.to_markdown()
    failed = report(error="torn")
    assert not failed.ok
    assert "**1 failed: see below.**" in failed.to_markdown()
    assert "- error: torn" in failed.to_markdown()
