"""`maestro data migrate` from the shell: the whole way, into a server, exit codes and JSON."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from maestro.cli import main
from maestro.data.legacy.journal import migrations
from maestro.data.stores import ParquetStore, QuestDBStore, SeriesKey
from tests.data.legacy.test_migration import (
    KEY,
    TABLE,
    bars,
    bits,
    export,
)
from tests.support.questdb import PASSWORD, USER
from tests.support.rethink.documents import documents
from tests.support.rethink.server import OldServer


def shell(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as ended:
        main(["data", "migrate", *arguments])
    out, err = capsys.readouterr()
    return int(ended.value.code or 0), out, err


def test_the_whole_way_from_the_shell(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("MAESTRO_STATE_DIR", str(tmp_path / "state"))
    monkeypatch.setenv("COLUMNS", "160")
    rows = bars(500)
    store = ParquetStore(tmp_path / "store")
    target = f"parquet:{tmp_path / 'store'}"
    with OldServer({"old": {TABLE: documents(rows), "users": [{"id": 1}]}}, password="secret") as server:
        code, out, err = shell(capsys, "--from", server.url, "--to", target, "--dry-run")
        assert (code, store.series()) == (0, [])
        assert "dry run: nothing was written" in out
        assert "left out: old.users: its name does not begin with trade_" in out
        code, out, err = shell(capsys, "--from", server.url, "--to", target, "--report", str(tmp_path / "report.md"))
        assert code == 0
        assert "every row is equal (" in out
        assert "secret" not in out + err
        assert f"checking old.{TABLE}" in err
    assert bits(store.read(KEY)) == bits(rows)
    (migration,) = migrations(tmp_path / "state" / "migrations")
    assert (tmp_path / "report.md").read_text().startswith(f"# Migration {migration.id}")
    code, out, _ = shell(capsys, "--list", "--json")
    assert [(one["id"], one["status"]) for one in json.loads(out)] == [(migration.id, "complete")]
    code, out, _ = shell(capsys, "--list")
    assert migration.id in out
    code, out, _ = shell(capsys, "--rollback", migration.id, "--quiet")
    assert code == 0
    assert "500" in out
    assert "yes" in out
    assert store.series() == []
    code, out, _ = shell(capsys, "--rollback", migration.id, "--json")
    assert json.loads(out)["series"][0]["before"] == 500


@pytest.mark.questdb
def test_into_a_server_from_the_shell(
    questdb: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("MAESTRO_STATE_DIR", str(tmp_path / "state"))
    monkeypatch.setenv("MAESTRO_CACHE_PATH", str(tmp_path / "cache"))
    monkeypatch.setenv("MAESTRO_QUESTDB_USER", USER)
    monkeypatch.setenv("MAESTRO_QUESTDB_PASSWORD", PASSWORD)
    rows = bars(800)
    target = questdb.url.replace("http://", "questdb://")
    key = SeriesKey("SHELL", "Y", "1h")
    code, out, err = shell(
        capsys, "--from", str(export(tmp_path, rows, "trade_SHELL_Y_1h")), "--to", target, "-q", "--json"
    )
    document = json.loads(out)
    assert (code, document["whole"], document["tables"][0]["inserted"]) == (0, True, 800), err
    store = QuestDBStore(questdb.url, user=USER, password=PASSWORD)
    assert bits(store.read(key)) == bits(rows)
    code, out, err = shell(capsys, "--rollback", document["id"], "-q", "--json")
    assert (code, json.loads(out)["series"][0]["as_before"]) == (0, True), err
    assert store.read(key).is_empty()
    store.close()


def test_exit_codes_and_json_from_the_shell(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("MAESTRO_STATE_DIR", str(tmp_path / "state"))
    target = f"parquet:{tmp_path / 'store'}"
    found = documents(bars(20))
    del found[4]["low"]
    place = str(export(tmp_path, found, "candles"))
    named = ("--from", place, "--to", target, "--table", "candles=X:Y:1h", "--quiet")
    code, out, _ = shell(capsys, *named, "--json")
    document = json.loads(out)
    assert (code, document["ok"], document["whole"], document["tables"][0]["rejected"]) == (
        1,
        True,
        False,
        {"it has no low": 1},
    )
    code, out, _ = shell(capsys, *named)
    assert code == 1
    assert "rejected, 1 times: it has no low" in out
    assert "every row is equal; 1 documents stay behind" in out
    for arguments, message in (
        ((), "give one of: --from PLACE to move"),
        (("--from", place, "--rollback", "x"), "give one of"),
        (("--from", "nowhere.json"), "there is no file or folder nowhere.json"),
        (("--from", place, "--to", target), "has no table trade_PROVIDER_SYMBOL_TIMEFRAME"),
        (("--from", place, "--report", "r.html"), "another ending than .md or .json"),
        (("--from", place, "--name", "candles"), "'candles' is not understood; write TABLE=PROVIDER:SYMBOL:1h"),
        (("--from", place, "--stamps", "middle"), "--stamps 'middle' is unknown"),
        (("--rollback", "never"), "there is no migration 'never'"),
    ):
        code, _, err = shell(capsys, *arguments)
        assert (code, message in err) == (2, True), (arguments, err)
