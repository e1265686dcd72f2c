"""Dumps and exports of the old database: every form is read, and damage is named."""

from __future__ import annotations

import gzip
import json
import os
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

from maestro.data.legacy import open_legacy
from maestro.data.legacy.source import Table
from maestro.errors import SourceError
from tests.data.legacy.old import bars, read, same
from tests.data.legacy.test_rethink import everything
from tests.support.rethink.documents import as_csv, as_json, as_ndjson, documents, moment, write_dump
from tests.support.rethink.server import OldServer

START = 1_514_764_800_000_000  # 2018-01-01


def test_a_dump_is_read_without_unpacking(tmp_path: Path) -> None:
    rows = documents(bars(3_000))
    path = write_dump(
        tmp_path / "old.tar.gz", {"a": {"trade_X_Y_1h": rows, "empty": []}, "b": {"trade_X_Y_1h": rows[:5]}}
    )
    source = open_legacy(path)
    assert [str(table) for table in source.tables()] == ["a.trade_X_Y_1h", "a.empty", "b.trade_X_Y_1h"]
    assert [everything(source, table) for table in source.tables()] == [rows, [], rows[:5]]
    source.close()
    assert [file.name for file in tmp_path.iterdir()] == ["old.tar.gz"]


def test_what_the_real_rethinkdb_dump_wrote_is_read(tmp_path: Path) -> None:
    rows = sorted(documents(bars(2_500)), key=lambda one: one["id"])
    values = {"open": 0.1 + 0.2, "high": 5e-324, "low": 1e22, "close": 4.35, "volume": 9007199254740993}
    edge = {"id": "zz", "timestamp": moment(START + 1_000), **values}
    path = tmp_path / "real.tar.gz"
    with OldServer({"old": {"trade_X_Y_1h": [*rows, edge], "users": [{"id": 1}]}}, password="pass") as server:
        secret = tmp_path / "password"
        secret.write_text("pass")
        arguments = ["-c", f"127.0.0.1:{server.port}", "--password-file", str(secret), "-f", str(path)]
        done = subprocess.run(
            [sys.executable, "-W", "ignore", "-m", "rethinkdb._dump", *arguments],
            capture_output=True, text=True, timeout=120, env={**os.environ, "TMPDIR": str(tmp_path)}, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr + done.stdout
    source = open_legacy(path)
    assert [str(table) for table in sorted(source.tables())] == ["old.trade_X_Y_1h", "old.users"]
    assert everything(source, Table("old", "trade_X_Y_1h")) == [*rows, edge]
    source.close()


@pytest.mark.parametrize("form", ["json", "ndjson", "csv", "json.gz", "csv.gz", "one line", "indented", "crlf"])
def test_exports_of_every_form(tmp_path: Path, form: str) -> None:
    rows = bars(500)
    found = documents(rows)
    ending, text = {
        "json": ("json", as_json(found)),
        "json.gz": ("json.gz", as_json(found)),
        "ndjson": ("ndjson", as_ndjson(found)),
        "csv": ("csv", as_csv(found)),
        "csv.gz": ("csv.gz", "\ufeff" + as_csv(found)),
        "one line": ("json", json.dumps(found)),
        "indented": ("json", "\ufeff" + json.dumps(found, indent=3)),
        "crlf": ("jsonl", as_ndjson(found).replace("\n", "\r\n") + "\r\n"),
    }[form]
    content = gzip.compress(text.encode()) if ending.endswith("gz") else text.encode()
    (tmp_path / "old").mkdir()
    path = tmp_path / "old" / f"trade_X_Y_1h.{ending}"
    path.write_bytes(content)
    (tmp_path / "old" / "trade_X_Y_1h.info").write_text("{}")
    for place, name in ((path, "trade_X_Y_1h"), (tmp_path, "old.trade_X_Y_1h")):
        source = open_legacy(place)
        (table,) = source.tables()
        assert str(table) == name
        got = everything(source, table)
        source.close()
        assert len(got) == 500
        assert same(read(got)[0].rows, rows)


def test_documents_across_the_pieces_that_are_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("maestro.data.legacy.exports._CHUNK", 61)
    found = [{**one, "note": 'Zürich, 東京 ] } \\ "'} for one in documents(bars(50))]
    for text in (as_json(found), as_ndjson(found), json.dumps(found, ensure_ascii=False)):
        path = tmp_path / "trade_X_Y_1h.json"
        path.write_text(text, encoding="utf-8")
        source = open_legacy(path)
        assert everything(source, source.tables()[0]) == found


def test_what_is_torn_is_named(tmp_path: Path) -> None:
    found = documents(bars(2_000))
    whole = write_dump(tmp_path / "whole.tar.gz", {"old": {"trade_X_Y_1h": found}}).read_bytes()
    torn = tmp_path / "torn.tar.gz"
    for length in (0, 10, len(whole) // 2, len(whole) - 20):
        torn.write_bytes(whole[:length])
        with pytest.raises(SourceError, match=r"torn.tar.gz.* cannot be read to its end .*Take another copy"):
            open_legacy(torn)
    flipped = bytearray(whole)
    flipped[len(whole) // 2] ^= 1
    torn.write_bytes(flipped)
    with pytest.raises(SourceError, match=r"torn.tar.gz.* cannot be read to its end"):
        open_legacy(torn)
    text = as_json(found)
    cases = {
        text[: len(text) // 2]: "cannot be read to its end",
        text[: text.rindex('{"id"') - 2]: "its list is not closed",
        text[:-3]: "its list is not closed",
        text + text: "goes on after its end",
        text.replace('"close"', "close", 1): "cannot be read to its end",
        "<html>": "cannot be read to its end",
    }
    path = tmp_path / "trade_X_Y_1h.json"
    for broken, message in cases.items():
        path.write_text(broken)
        source = open_legacy(path)
        with pytest.raises(SourceError, match=message):
            everything(source, source.tables()[0])
    (tmp_path / "x.json.gz").write_bytes(gzip.compress(text.encode())[:-30])
    source = open_legacy(tmp_path / "x.json.gz")
    with pytest.raises(SourceError, match=r"x.json.gz cannot be read to its end"):
        everything(source, source.tables()[0])


def test_an_archive_with_a_table_twice_and_a_folder_without_any(tmp_path: Path) -> None:
    path = tmp_path / "two.tar.gz"
    file = tmp_path / "trade_X_Y_1h.json"
    file.write_text("[]")
    with tarfile.open(path, "w:gz") as archive:
        archive.add(file, "dump/old/trade_X_Y_1h.json")
        archive.add(file, "dump2/old/trade_X_Y_1h.json")
    with pytest.raises(SourceError, match=r"holds table old.trade_X_Y_1h twice"):
        open_legacy(path)
    (tmp_path / "empty").mkdir()
    with pytest.raises(SourceError, match=r"holds no .json, .ndjson or .csv"):
        open_legacy(tmp_path / "empty")
