"""A running RethinkDB, read through its own driver, in the order of the keys, through lost connections."""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Iterator
from itertools import islice
from typing import Any

from maestro.data.legacy.source import SourceAwayError, Table, first_line
from maestro.errors import MissingExtraError, SourceError

_TRIES = 5  # connections that may be lost one after the other without a document between them
_BATCH = 5_000  # documents


class RethinkSource:
    """Tables of a RethinkDB server.

    Parameters
    ----------
    host, port, user, password : where the server is, and who asks
    database : str
        One database, or all but the server's own where it is empty.
    timeout : float [s]
        Longest wait for a connection, and for the next documents.
    """

    def __init__(
        self, host: str, port: int, user: str, password: str, database: str = "", *, timeout: float = 20.0
    ) -> None:
        self.host, self.port, self.user, self._password = host, port, user, password
        self.database = database
        self.timeout = timeout
        self._driver, self._errors = _driver()
        self._connection: Any = None
        self._keys: dict[Table, str] = {}

    @property
    def name(self) -> str:
        """Host, port and database."""
        return f"rethinkdb://{self.host}:{self.port}" + (f"/{self.database}" if self.database else "")

    def tables(self) -> list[Table]:
        """See `OldSource.tables`."""
        there = sorted(set(self._ask(self._driver.db_list())) - {"rethinkdb"})
        if self.database and self.database not in there:
            raise SourceError(f"{self.name}: there is no such database; there are {', '.join(there) or 'none'}.")
        chosen = [self.database] if self.database else there
        return [Table(one, table) for one in chosen for table in sorted(self._ask(self._driver.db(one).table_list()))]

    def count(self, table: Table) -> int | None:
        """See `OldSource.count`; what the server counts now."""
        return int(self._ask(self._term(table).count()))

    def documents(self, table: Table) -> Iterator[list[Any]]:
        """See `OldSource.documents`; a lost connection is made again and reading goes on behind the last key."""
        key = self._key(table)
        last: Any = None
        failed = 0
        while True:
            rows = self._term(table)
            if last is not None:
                rows = rows.between(last, self._driver.maxval, left_bound="open")
            try:
                cursor = self._run(rows.order_by(index=key))
                while batch := self._next(cursor):
                    last, failed = batch[-1][key], 0
                    yield batch
                return
            except self._errors.ReqlDriverError as error:
                failed += 1
                self._lost(error, failed)
            except self._errors.ReqlError as error:
                raise SourceError(f"{self.name}: table {table} cannot be read: {first_line(error)}") from None

    def close(self) -> None:
        """See `OldSource.close`."""
        if self._connection is not None:
            self._connection.close(noreply_wait=False)
            self._connection = None

    def _key(self, table: Table) -> str:
        if table not in self._keys:
            self._keys[table] = str(self._ask(self._term(table).info())["primary_key"])
        return self._keys[table]

    def _term(self, table: Table) -> Any:
        return self._driver.db(table.database).table(table.name)

    def _ask(self, term: Any) -> Any:
        failed = 0
        while True:
            try:
                return self._run(term)
            except self._errors.ReqlDriverError as error:
                failed += 1
                self._lost(error, failed)
            except self._errors.ReqlError as error:
                raise SourceError(f"{self.name} refuses: {first_line(error)}") from None

    def _run(self, term: Any) -> Any:
        if self._connection is None:
            self._connection = self._driver.connect(
                host=self.host,
                port=self.port,
                user=self.user,
                password=self._password,
                timeout=self.timeout,
                json_decoder=_Plain,
            )
        return term.run(self._connection)

    def _next(self, cursor: Any) -> list[Any]:
        if isinstance(cursor, list):  # an empty table may come as a list
            rest, cursor[:] = cursor[:], []
            return rest
        return list(islice(iter(lambda: _one(cursor, self.timeout), _END), _BATCH))

    def _lost(self, error: Any, failed: int) -> None:
        """Take a lost connection; give up after too many, and at once where another try would not help."""
        connection, self._connection = self._connection, None
        if connection is not None:
            with contextlib.suppress(self._errors.ReqlError):  # it is gone already
                connection.close(noreply_wait=False)
        if isinstance(error, self._errors.ReqlAuthError):
            raise SourceAwayError(
                f"{self.name} refuses user {self.user!r} ({first_line(error)}); give another as "
                "rethinkdb://USER:PASSWORD@…, "
                "or the password in MAESTRO_RETHINKDB_PASSWORD."
            ) from None
        if failed >= _TRIES:
            raise SourceAwayError(
                f"{self.name} does not answer after {failed} tries ({first_line(error)}); is it running, and is this "
                "its "
                "driver port?"
            ) from None
        time.sleep(0.1 * 2**failed)


_END = object()


def _one(cursor: Any, timeout: float) -> Any:
    try:
        return cursor.next(wait=timeout)
    except StopIteration:
        return _END


class _Plain(json.JSONDecoder):
    """Decode values as they are: moments stay ``{"$reql_type$": "TIME", …}``, at three times the driver's speed."""

    def __init__(self, reql_format_opts: Any = None) -> None:
        super().__init__()


def _driver() -> tuple[Any, Any]:
    try:
        from rethinkdb import RethinkDB, errors
    except ImportError:
        raise MissingExtraError("rethinkdb", "legacy") from None
    return RethinkDB(), errors
