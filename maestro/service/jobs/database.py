"""The service's SQLite database: tables, one connection per thread, and clear error messages."""

from __future__ import annotations

import os
import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from maestro.errors import ServiceError

FILE = "service.db"
_VERSION = 1
_TABLES = """
CREATE TABLE IF NOT EXISTS jobs (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    owner TEXT NOT NULL,
    name TEXT NOT NULL,
    spec TEXT NOT NULL,
    run TEXT NOT NULL,
    strategy TEXT NOT NULL,
    provider TEXT NOT NULL,
    symbol TEXT NOT NULL,
    folds INTEGER NOT NULL,
    total INTEGER NOT NULL,
    done INTEGER NOT NULL DEFAULT 0,
    state TEXT NOT NULL DEFAULT 'queued',
    priority INTEGER NOT NULL DEFAULT 0,
    attempts INTEGER NOT NULL DEFAULT 0,
    worker TEXT,
    lease_until REAL,
    cancel INTEGER NOT NULL DEFAULT 0,
    error TEXT,
    error_type TEXT,
    sharpe REAL,
    created REAL NOT NULL,
    started REAL,
    finished REAL,
    idempotency TEXT,
    UNIQUE (owner, idempotency)
);
CREATE INDEX IF NOT EXISTS jobs_by_state ON jobs (state, priority, number);
CREATE INDEX IF NOT EXISTS jobs_by_run ON jobs (run, owner);
CREATE TABLE IF NOT EXISTS events (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    job TEXT NOT NULL,
    key TEXT NOT NULL,
    at REAL NOT NULL,
    kind TEXT NOT NULL,
    data TEXT NOT NULL,
    UNIQUE (job, key)
);
CREATE INDEX IF NOT EXISTS events_by_job ON events (job, seq);
CREATE TABLE IF NOT EXISTS users (
    name TEXT PRIMARY KEY,
    role TEXT NOT NULL,
    password TEXT NOT NULL,
    created REAL NOT NULL
);
CREATE TABLE IF NOT EXISTS keys (
    id TEXT PRIMARY KEY,
    user TEXT NOT NULL REFERENCES users (name) ON DELETE CASCADE,
    label TEXT NOT NULL,
    secret TEXT NOT NULL,
    created REAL NOT NULL
);
CREATE TABLE IF NOT EXISTS refresh (
    secret TEXT PRIMARY KEY,
    family TEXT NOT NULL,
    user TEXT NOT NULL REFERENCES users (name) ON DELETE CASCADE,
    expires REAL NOT NULL,
    used INTEGER NOT NULL DEFAULT 0
);
CREATE TABLE IF NOT EXISTS revoked (id TEXT PRIMARY KEY, expires REAL NOT NULL);
"""


class Database:
    """The file ``service.db`` in a folder that only its user may enter.

    Connections belong to threads. Every write is a transaction that is on disk when it returns (WAL,
    ``synchronous=FULL``).

    Raises
    ------
    ServiceError
        The file cannot be opened, is locked for longer than `wait`, is damaged, or the disk is full.
    """

    def __init__(self, folder: Path, *, wait: float = 10.0) -> None:
        self.folder, self.path, self._wait = folder, folder / FILE, wait
        self._local = threading.local()
        try:
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            if not self.path.exists():
                os.close(os.open(self.path, os.O_RDWR | os.O_CREAT, 0o600))
        except OSError as error:
            raise ServiceError(
                f"{self.path} cannot be made: {error.strerror}; give another folder (service.folder, --folder)."
            ) from error
        with self._in_words():
            connection = self._connection()
            version = connection.execute("PRAGMA user_version").fetchone()[0]
            if version > _VERSION:
                raise ServiceError(
                    f"{self.path} was written by a later version of Maestro (schema {version}, here {_VERSION}); "
                    "update Maestro, or give another folder."
                )
            if version < _VERSION:
                connection.executescript(f"BEGIN IMMEDIATE; {_TABLES} PRAGMA user_version = {_VERSION}; COMMIT;")

    def rows(self, sql: str, values: Sequence[Any] | dict[str, Any] = ()) -> list[sqlite3.Row]:
        """Return the rows of a query."""
        with self._in_words():
            found: list[sqlite3.Row] = self._connection().execute(sql, values).fetchall()
            return found

    def row(self, sql: str, values: Sequence[Any] | dict[str, Any] = ()) -> sqlite3.Row | None:
        """Return the first row of a query."""
        found = self.rows(sql, values)
        return found[0] if found else None

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """Yield a connection inside a transaction, which is committed at the end or rolled back by an error."""
        with self._in_words():
            connection = self._connection()
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
                connection.execute("COMMIT")
            except BaseException:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                raise

    def version(self) -> int:
        """Return a number that changes when another connection writes; asking costs a few microseconds."""
        with self._in_words():
            return int(self._connection().execute("PRAGMA data_version").fetchone()[0])

    def close(self) -> None:
        """Close the connection of this thread."""
        connection = getattr(self._local, "connection", None)
        if connection is not None:
            connection.close()
            self._local.connection = None

    def _connection(self) -> sqlite3.Connection:
        connection: sqlite3.Connection | None = getattr(self._local, "connection", None)
        if connection is None:
            connection = sqlite3.connect(self.path, timeout=self._wait, isolation_level=None)
            connection.row_factory = sqlite3.Row
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = FULL")
            connection.execute("PRAGMA foreign_keys = ON")
            self._local.connection = connection
        return connection

    @contextmanager
    def _in_words(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.IntegrityError:
            raise
        except sqlite3.Error as error:
            raise ServiceError(f"{self.path}: {_words(error, self._wait)}") from error


def _words(error: sqlite3.Error, wait: float) -> str:
    name = getattr(error, "sqlite_errorname", "")
    if name.startswith(("SQLITE_BUSY", "SQLITE_LOCKED")):
        return f"another program has kept it locked for {wait:g} s; end that program and try again."
    if name.startswith("SQLITE_FULL"):
        return "the disk is full; nothing was changed. Make room and try again."
    if name.startswith(("SQLITE_CORRUPT", "SQLITE_NOTADB")):
        return "the file is damaged; put it back from a backup."
    if name.startswith(("SQLITE_READONLY", "SQLITE_CANTOPEN", "SQLITE_PERM")):
        return f"it cannot be opened for writing ({error}); check the permissions of the folder."
    return f"{error} ({name or type(error).__name__}); nothing was changed."
