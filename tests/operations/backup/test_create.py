"""A backup under load is consistent, and one that is killed is never taken for a backup."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from maestro.config import load_settings
from maestro.data.stores import QuestDBStore
from maestro.data.stores import questdb_server as servers
from maestro.data.stores.parquet import ParquetStore
from maestro.errors import BackupError, SettingsError
from maestro.ledger import Ledger
from maestro.operations.backup import create, open_vault, places_of, restore, verify
from maestro.runs import list_runs
from maestro.service.last_backup import last_backup
from tests.operations.backup.conftest import KEY, System, bars


def test_a_backup_while_everything_is_written_is_consistent(system: System, tmp_path: Path) -> None:
    stop, errors = threading.Event(), []

    def write(what: str) -> None:
        try:
            for number in range(10_000):
                if what == "bars":
                    system.store.append(KEY, bars(50, first=500 + 50 * number))
                elif what == "ledger":
                    Ledger(f"KRAKEN:S{number % 7}:1h").record("slider", trials=3)
                else:
                    with system.database.writing() as connection:
                        connection.execute("INSERT INTO revoked VALUES (?, 0)", [f"a{number}"])
                        connection.execute("INSERT INTO revoked VALUES (?, 0)", [f"b{number}"])
                if stop.is_set():
                    return
        except BaseException as error:
            errors.append(error)

    writers = [threading.Thread(target=write, args=(what,)) for what in ("bars", "ledger", "jobs")]
    for writer in writers:
        writer.start()
    try:
        kept = [system.back_up() for _ in range(3)]
    finally:
        stop.set()
        for writer in writers:
            writer.join()
    assert not errors
    for number, one in enumerate(kept):
        outcome = verify(system.vault(), one.name) if number == 2 else None
        if outcome is not None:
            assert outcome.passed, outcome.problems
            assert (outcome.jobs, outcome.runs, outcome.series) == (2, 1, 1)
            assert outcome.repeated == list_runs("service/runs")["id"][0]
        place = tmp_path / one.name
        restore(system.vault(), one.name, place)
        assert ParquetStore(place / "store").check() == []
        stored = ParquetStore(place / "store").read(KEY)
        assert stored.equals(system.store.read(KEY).head(len(stored)))
        assert len(stored) >= 500
        with contextlib.closing(sqlite3.connect(place / "service" / "service.db")) as database:
            ids = {id_ for (id_,) in database.execute("SELECT id FROM revoked")}
        assert {id_[1:] for id_ in ids if id_[0] == "a"} == {id_[1:] for id_ in ids if id_[0] == "b"}


@pytest.mark.skipif(os.name != "posix", reason="SIGKILL")
def test_killed_backups_leave_nothing_and_are_not_listed(system: System) -> None:
    rng = random.Random(0)
    command = [sys.executable, "-m", "maestro", "backup", "create"]
    began = time.perf_counter()
    subprocess.run(command, check=True, capture_output=True)
    seconds = time.perf_counter() - began
    for _ in range(4):
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        time.sleep(rng.uniform(0.5, 1.0) * seconds)
        process.send_signal(signal.SIGKILL)
        process.communicate()
        kept, damaged = system.vault().backups()
        assert not damaged
        for one in kept:
            assert restored(system, one.name)
    final = system.back_up()
    assert not list((system.folder / "backups").glob("*.part"))
    assert verify(system.vault(), final.name).passed


def restored(system: System, name: str) -> bool:
    place = system.folder / "trial"
    restore(system.vault(), name, place)
    held = ParquetStore(place / "store").read(KEY)
    subprocess.run(["rm", "-r", str(place)], check=True)
    return held.equals(system.store.read(KEY))


def test_old_backups_are_removed_and_a_second_one_at_once_is_refused(system: System) -> None:
    service = system.folder / "service"
    assert last_backup(service) is None
    made = [system.back_up() for _ in range(3)]
    names = [one.name for one in made]
    assert len(set(names)) == 3
    at = last_backup(service)
    assert at is not None
    assert at.isoformat() == made[-1].contents.created
    settings = load_settings()
    _, removed = create(places_of(settings), settings, system.vault(), keep=2)
    assert sorted(removed) == sorted(names[:2])
    assert len(system.vault().backups()[0]) == 2
    with pytest.raises(BackupError, match="0 backups cannot be kept"):
        create(places_of(settings), settings, system.vault(), keep=0)
    from maestro._core.locks import locked

    with locked(system.folder / "backups" / ".lock", BackupError), pytest.raises(BackupError, match="is being made"):
        system.back_up()


def test_nothing_to_back_up_and_a_store_elsewhere_are_errors(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("store", "ledger_dir", "service_folder", "backup_folder", "questdb_home"):
        monkeypatch.setenv(f"MAESTRO_{name.upper()}", str(tmp_path / name))
    settings = load_settings()
    with pytest.raises(BackupError, match="there is nothing to back up"):
        create(places_of(settings), settings, open_vault(settings))
    monkeypatch.setenv("MAESTRO_STORE", "questdb://me:secret@elsewhere:9000")
    with pytest.raises(SettingsError, match=r"kept in elsewhere:9000, whose files are not in .*questdb_home"):
        places_of(load_settings())


@pytest.mark.questdb
def test_questdb_is_backed_up_at_a_checkpoint_and_restored(
    make_questdb: object, system: System, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    jar = servers.find_jar(Path(__file__).parents[3] / ".questdb")
    assert jar is not None
    home = tmp_path / "home"
    server = servers.QuestDBServer(home / "root", jar, port=0)
    servers.start(home, server)
    monkeypatch.setenv("MAESTRO_QUESTDB_HOME", str(home))
    monkeypatch.setenv("MAESTRO_QUESTDB_URL", server.url)
    monkeypatch.setenv("MAESTRO_STORE", "questdb")
    try:
        store = QuestDBStore(server.url)
        store.append(KEY, bars(3_000))
        expected = store.read(KEY)
        kept = system.back_up()
        store.append(KEY, bars(10, first=3_000))  # the checkpoint is released
        assert len(store.read(KEY)) == 3_010
        store.close()
    finally:
        servers.stop(home)
    place = tmp_path / "restored"
    restore(system.vault(), kept.name, place)
    again = servers.QuestDBServer(place / "questdb" / "root", jar, port=0)
    again.start()
    try:
        store = QuestDBStore(again.url)
        assert store.read(KEY).equals(expected)
        store.close()
    finally:
        again.kill()
