"""Staged copies fit together: whole runs and series only, whole lines of ledgers, and the jobs of one moment."""

from __future__ import annotations

import contextlib
import errno
import os
import sqlite3
import stat
from pathlib import Path
from typing import Any

import pytest

from maestro.config import load_settings
from maestro.errors import ServiceError, StoreError
from maestro.operations.backup import staging
from maestro.operations.backup.places import Places
from maestro.operations.backup.staging import stage


def write(path: Path, text: str = "x") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


@pytest.fixture
def places(tmp_path: Path) -> Places:
    """Empty folders of a system without QuestDB."""
    return Places(
        service=tmp_path / "service", service_runs=tmp_path / "service" / "runs", runs=tmp_path / "runs",
        ledger=tmp_path / "ledger", store=tmp_path / "store", questdb=None, settings=None,
    )  # fmt: skip


def staged(places: Places, tmp_path: Path) -> dict[str, str]:
    """Texts of the files that are staged, by their paths."""
    target = tmp_path / "staged"
    target.mkdir()
    stage(places, load_settings(), target)
    return {path.relative_to(target).as_posix(): path.read_text() for path in target.rglob("*") if path.is_file()}


def test_only_runs_and_series_with_a_manifest_are_copied(places: Places, tmp_path: Path) -> None:
    write(places.runs / "a" / "manifest.json")
    write(places.runs / "a" / "equity.parquet")
    write(places.runs / "a" / ".lock")
    write(places.runs / "unfinished" / "equity.parquet")
    write(places.runs / "backtests" / "b" / "manifest.json")
    write(tmp_path / "store" / "P" / "S" / "1h" / "bars" / "manifest.json")
    write(tmp_path / "store" / "P" / "S" / "1h" / "other" / "x.parquet")
    assert staged(places, tmp_path).keys() == {
        "runs/a/manifest.json", "runs/a/equity.parquet", "runs/backtests/b/manifest.json",
        "store/P/S/1h/bars/manifest.json",
    }  # fmt: skip


def test_a_half_written_line_of_a_ledger_is_left_out(places: Places, tmp_path: Path) -> None:
    write(places.ledger / "anna" / "SERIES.ledger", "one\ntwo\nthr")
    write(places.ledger / "anna" / "notes.txt")
    assert staged(places, tmp_path) == {"ledger/anna/SERIES.ledger": "one\ntwo\n"}


def test_the_jobs_are_those_that_were_committed(places: Places, tmp_path: Path) -> None:
    places.service.mkdir()
    path = places.service / "service.db"
    with contextlib.closing(sqlite3.connect(path)) as database:
        database.execute("CREATE TABLE jobs (id)")
        database.execute("INSERT INTO jobs VALUES (1)")
        database.commit()
        database.execute("INSERT INTO jobs VALUES (2)")
        target = tmp_path / "staged"
        target.mkdir()
        stage(places, load_settings(), target)
    copy = target / "service" / "service.db"
    with contextlib.closing(sqlite3.connect(copy)) as database:
        assert database.execute("SELECT id FROM jobs").fetchall() == [(1,)]
    if os.name == "posix":
        assert stat.S_IMODE(copy.stat().st_mode) == 0o600


def test_a_damaged_database_is_an_error(places: Places, tmp_path: Path) -> None:
    write(places.service / "service.db", "not a database" * 100)
    with pytest.raises(ServiceError, match=r"service\.db cannot be copied: .*nothing was backed up"):
        staged(places, tmp_path)


def test_a_run_that_changes_meanwhile_is_copied_again(
    places: Places, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    manifest = write(places.runs / "a" / "manifest.json", "first")
    write(places.runs / "a" / "equity.parquet", "first")
    link, changes = staging._link, [True]

    def change(source: Path, target: Path) -> None:
        link(source, target)
        if source.name == "equity.parquet" and changes.pop():
            changes.append(False)
            for path in (manifest, source):
                other = path.with_suffix(".new")
                other.write_text("second")
                other.replace(path)

    monkeypatch.setattr(staging, "_link", change)
    assert staged(places, tmp_path) == {"runs/a/manifest.json": "second", "runs/a/equity.parquet": "second"}


def test_a_run_that_never_rests_is_an_error(places: Places, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    manifest = write(places.runs / "a" / "manifest.json", "0")
    link = staging._link

    def change(source: Path, target: Path) -> None:
        link(source, target)
        other = manifest.with_suffix(".new")
        other.write_text(f"{manifest.read_text()}0")
        other.replace(manifest)

    monkeypatch.setattr(staging, "_link", change)
    monkeypatch.setattr(staging, "_TRIES", 3)
    with pytest.raises(StoreError, match="changed 3 times while it was copied; repeat the backup"):
        staged(places, tmp_path)


def test_files_are_linked_where_that_is_possible_and_copied_elsewhere(
    places: Places, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = write(places.runs / "a" / "manifest.json", "text")
    staging._link(source, tmp_path / "linked")
    assert (tmp_path / "linked").samefile(source)

    def across(*_: Any) -> None:
        raise OSError(errno.EXDEV, "Invalid cross-device link")

    monkeypatch.setattr(staging.os, "link", across)
    staging._link(source, tmp_path / "copied")
    assert not (tmp_path / "copied").samefile(source)
    assert (tmp_path / "copied").read_text() == "text"

    def full(*_: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(staging.os, "link", full)
    with pytest.raises(OSError, match="No space"):
        staging._link(source, tmp_path / "third")
