"""A restored system is the one that was backed up; a damaged backup and a folder in use are refused."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from maestro.config import load_settings
from maestro.data.stores.parquet import ParquetStore
from maestro.errors import BackupError
from maestro.operations.backup import restore
from maestro.runs import RunStore, list_runs
from maestro.service.jobs import Database
from maestro.service.worker import Worker
from tests.operations.backup.conftest import KEY, System
from tests.support.programs import program


@pytest.mark.parametrize("zstd", [True, False])
def test_everything_comes_back_and_goes_on(
    system: System, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, zstd: bool
) -> None:
    if not zstd:
        monkeypatch.setattr("maestro.operations.backup.archives.shutil.which", lambda name: None)
    else:
        program("zstd")
    (system.folder / "service" / "service.key").write_text("{}")
    (system.folder / "service" / "service.key").chmod(0o600)
    kept = system.back_up()
    expected = system.store.read(KEY)
    [run] = list_runs("service/runs")["id"]
    tables = RunStore(system.folder / "service" / "runs" / run).tables()
    system.database.close()
    moved = tmp_path / "backups"
    (system.folder / "backups").rename(moved)
    shutil.rmtree(system.folder)  # the machine is gone
    place = tmp_path / "new"
    place.mkdir()
    monkeypatch.chdir(tmp_path)
    restore(system.vault(moved), kept.name, place)
    monkeypatch.chdir(place)
    settings = load_settings()
    assert settings.search.trials == 123
    assert settings.store == str(place / "store")
    assert settings.ledger_dir == place / "ledger"
    assert ParquetStore(place / "store").read(KEY).equals(expected)
    assert (settings.service.folder / "service.key").stat().st_mode & 0o077 == 0 or os.name != "posix"
    found = RunStore(settings.service.folder / "runs" / run).tables()
    assert all(found[name].equals(tables[name], null_equal=True) for name in tables)
    database = Database(settings.service.folder)
    Worker(database, settings.service.folder / "runs").run(until_empty=True)
    assert [row["state"] for row in database.rows("SELECT state FROM jobs ORDER BY number")] == ["done", "done"]
    database.close()


def test_nothing_is_overwritten(system: System) -> None:
    system.back_up()
    (system.folder / "empty").mkdir()
    vault = system.vault()
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(system.folder / "empty")
        with pytest.raises(BackupError, match="is the working directory"):
            restore(vault, None, Path("."))
    with pytest.raises(BackupError, match=r"no whole backup 'x'.*there are: maestro-"):
        restore(system.vault(), "x", system.folder / "new")
    assert not (system.folder / "new").exists()


@pytest.mark.parametrize("where", [0.3, 0.6, 0.95])
def test_a_damaged_archive_is_refused_and_leaves_nothing(system: System, where: float) -> None:
    kept = system.back_up()
    [path] = (system.folder / "backups").glob("maestro-*")
    content = bytearray(path.read_bytes())
    content[int(len(content) * where)] ^= 0x55
    path.write_bytes(content)
    with pytest.raises(BackupError, match=r"damaged|not a whole backup"):
        restore(system.vault(), kept.name, system.folder / "new")
    assert not [path for path in system.folder.iterdir() if path.name.endswith(".part") or path.name == "new"]


def test_a_truncated_archive_is_refused(system: System) -> None:
    kept = system.back_up()
    [path] = (system.folder / "backups").glob("maestro-*")
    path.write_bytes(path.read_bytes()[:-200])
    with pytest.raises(BackupError, match="damaged"):
        restore(system.vault(), kept.name, system.folder / "new")
