"""The database: later schemas, locked and damaged files and full disks are errors in words, and nothing is lost."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from maestro.errors import ServiceError
from maestro.service.jobs import Database, Job, Queue

Submit = Callable[..., Job]


def test_a_locked_and_a_damaged_database_are_reported(database: Database) -> None:
    hasty = Database(database.folder, wait=0.05)
    with database.writing(), pytest.raises(ServiceError, match="another program has kept it locked"), hasty.writing():
        pass
    database.close()
    hasty.close()
    database.path.write_bytes(b"no database at all" * 100)
    with pytest.raises(ServiceError, match=r"damaged; put it back from a backup"):
        Database(database.folder)


def test_a_full_disk_is_reported_and_nothing_is_lost(submit: Submit, queue: Queue, database: Database) -> None:
    job = submit()
    (pages,) = database.rows("PRAGMA page_count")[0]
    database.rows(f"PRAGMA max_page_count = {pages}")
    queue.quota = 1000

    def fill() -> None:
        for seed in range(1, 200):
            submit(seed=seed)

    with pytest.raises(ServiceError, match=r"the disk is full; nothing was changed"):
        fill()
    database.rows("PRAGMA max_page_count = 1000000")
    assert queue.get(job.id).state == "queued"
    assert len({event.seq for one in queue.jobs(limit=500) for event in queue.events(one.id)}) == len(
        queue.jobs(limit=500)
    )


def test_a_later_schema_is_refused(database: Database) -> None:
    database.rows("PRAGMA user_version = 99")
    with pytest.raises(ServiceError, match="later version of Maestro"):
        Database(database.folder)


def test_a_transaction_is_kept_whole_or_not_at_all(database: Database) -> None:
    def insert_and_fail() -> None:
        with database.writing() as connection:
            connection.execute("INSERT INTO revoked VALUES ('a', 0)")
            raise RuntimeError("in between")

    with pytest.raises(RuntimeError, match="in between"):
        insert_and_fail()
    assert database.row("SELECT * FROM revoked") is None
    with database.writing() as connection:
        connection.execute("INSERT INTO revoked VALUES ('b', 0)")

    def insert_twice() -> None:
        with database.writing() as connection:
            connection.execute("INSERT INTO revoked VALUES ('c', 0)")
            connection.execute("INSERT INTO revoked VALUES ('b', 0)")

    with pytest.raises(sqlite3.IntegrityError):
        insert_twice()
    assert [row["id"] for row in database.rows("SELECT id FROM revoked")] == ["b"]


def test_the_version_changes_when_another_connection_writes(database: Database) -> None:
    other = Database(database.folder)
    before = database.version()
    assert database.version() == before
    with other.writing() as connection:
        connection.execute("INSERT INTO revoked VALUES ('a', 0)")
    assert database.version() != before
    other.close()


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ServiceError, match=r"service\.db cannot be made: .*--folder"):
        Database(tmp_path / "file" / "service")
