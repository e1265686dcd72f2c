"""Bars as the documents that the old database holds, and as the files that were exported from it."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import tarfile
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import polars as pl

FIELDS = ("open", "high", "low", "close", "volume")
Document = dict[str, Any]


def moment(stamp_us: int) -> Document:
    """A moment as RethinkDB stores it: seconds, with whole ones as whole numbers, and a zone."""
    seconds = stamp_us / 1e6
    return {
        "$reql_type$": "TIME",
        "epoch_time": int(seconds) if seconds.is_integer() else seconds,
        "timezone": "+00:00",
    }


def documents(rows: pl.DataFrame, stamp: Callable[[int], Any] = moment) -> list[Document]:
    """One document a row; whole numbers lose their point, as on RethinkDB's wire; ids are in no order of time."""
    stamps = rows["timestamp"].dt.epoch("us").to_list()
    made = []
    for at, values in zip(stamps, rows.select(FIELDS).iter_rows(), strict=True):
        numbers = [int(one) if one.is_integer() and abs(one) < 2**53 else one for one in values]
        identity = hashlib.md5(str(at).encode()).hexdigest()
        made.append({"id": identity, "timestamp": stamp(at), **dict(zip(FIELDS, numbers, strict=True))})
    return made


def write_dump(path: Path, databases: dict[str, dict[str, list[Document]]]) -> Path:
    """An archive as ``rethinkdb dump`` writes it."""
    with tarfile.open(path, "w:gz", compresslevel=1) as archive:
        for database, tables in databases.items():
            for table, rows in tables.items():
                info = {"db": {"name": database}, "name": table, "primary_key": "id", "indexes": []}
                for ending, text in (("info", json.dumps(info) + "\n"), ("json", as_json(rows))):
                    content = text.encode()
                    member = tarfile.TarInfo(f"rethinkdb_dump_2021-03-04T05:06:07/{database}/{table}.{ending}")
                    member.size = len(content)
                    archive.addfile(member, io.BytesIO(content))
    return path


def as_json(rows: Iterable[Document]) -> str:
    """Text of a JSON export: a list, a document a line."""
    return "[" + ",".join("\n" + json.dumps(row) for row in rows) + "\n]\n"


def as_ndjson(rows: Iterable[Document]) -> str:
    """Text of an NDJSON export."""
    return "\n".join(json.dumps(row) for row in rows)


def as_csv(rows: Iterable[Document]) -> str:
    """Text of a CSV export: numbers and text as they are, anything else as JSON, what is absent as nothing."""
    text = io.StringIO()
    writer = csv.writer(text)
    names = ["id", "timestamp", *FIELDS]
    writer.writerow(names)
    for row in rows:
        cells = [row.get(name) for name in names]
        writer.writerow([one if one is None or isinstance(one, str) else str(one) if not isinstance(one, dict)
                         else json.dumps(one) for one in cells])  # fmt: skip
    return text.getvalue()
