"""The index page of a batch of reports: status, key figures and links in a table that sorts; one file, no network."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from maestro._core.formatting import known, label, number, plural
from maestro.reports.html.embedding import page_parts
from maestro.reports.html.environment import render_page
from maestro.reports.notebooks.display import written

if TYPE_CHECKING:
    from maestro.reports.notebooks.batch import Record


def index_page(records: Sequence[Record], notebook: str) -> str:
    """HTML text of the index; all text in it is escaped.

    Parameters
    ----------
    records : what became of each report
    notebook : str
        Name of the notebook they were made from.
    """
    names = list(dict.fromkeys(name for record in records for name, _ in record.headline))
    counts = {status: sum(r.status == status for r in records) for status in ("done", "failed", "waiting")}
    common = _common(records)
    return render_page(
        "batch.html",
        **page_parts("batch.css", scripts=("batch.js",)),
        notebook=notebook,
        counts=", ".join(f"{count} {status}" for status, count in counts.items() if count),
        total=plural(len(records), "report"),
        common=common,
        heads=[label(name) for name in names],
        rows=[_row(record, names, number_) for number_, record in enumerate(records, 1)],
    )


def _row(record: Record, names: Sequence[str], place: int) -> dict[str, Any]:
    found = dict(record.headline)
    cells = []
    for name in names:
        value = found.get(name)
        shown = "" if value is None and record.status != "done" else written(name, value) if name in found else ""
        cells.append(("–" if name in found and value is None else shown, value if known(value) else shown))
    return {
        "place": place, "record": record, "cells": cells, "seconds": number(record.seconds, 1),
        "parameters": ", ".join(f"{key} = {value}" for key, value in record.parameters.items()),
    }  # fmt: skip


def _common(records: Sequence[Record]) -> list[tuple[str, Any]]:
    """Parameters that all reports were given alike."""
    if not records:
        return []
    first = records[0].parameters
    return [(k, v) for k, v in first.items() if all(k in r.parameters and r.parameters[k] == v for r in records)]
