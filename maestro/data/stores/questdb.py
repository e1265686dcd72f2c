"""The server store: one QuestDB table per series, deduplicated by timestamp, written by ILP, read as Parquet."""

from __future__ import annotations

import time
from urllib.parse import unquote, urlsplit

import numpy as np
import polars as pl

from maestro.config import Settings
from maestro.data.stores.keys import SERIES, SeriesKey
from maestro.data.stores.manifest import period_length
from maestro.data.stores.protocol import SeriesInfo, StoreKind
from maestro.data.stores.questdb_http import Connection, NoTableError
from maestro.data.stores.rows import (
    ALLOWED,
    NEEDED,
    STAMP,
    AppendResult,
    as_stamps,
    check_rows,
    differences,
    empty_rows,
    fingerprint_rows,
    tidy,
    timestamps_of,
    without,
)
from maestro.errors import BarsError, SettingsError, StoreError, StoreSchemaError, StoreUnavailableError

_BATCH = 100_000  # rows per transaction: 1.1 million rows per second; 50,000 take half as long again
_PARTITIONS = {"decade": "YEAR", "year": "YEAR", "month": "MONTH", "day": "DAY"}
_AT_ONCE = 50  # tables in one question


class QuestDBStore:
    """Series in tables of a QuestDB server (9.3 or newer).

    A table ``bars.PROVIDER.SYMBOL.1h`` is ``TIMESTAMP(timestamp) PARTITION BY … WAL DEDUP UPSERT KEYS(timestamp)``, so
    that a row sent twice is there once. A table a series, not one for all with SYMBOL columns: it is written a
    quarter faster, read and listed faster, and can be dropped; QuestDB has no DELETE.

    Rows are written in batches of 100,000, each a transaction; `append` returns when all are visible to every reader.
    If it raises, a first part may be there: repeat it.

    Parameters
    ----------
    url : str
        ``http://host:9000`` or ``https://…``.
    user, password : str, optional
        For HTTP basic authentication.
    timeout : float [s]
        Longest wait for one answer, and for a write to become visible without any progress.
    """

    def __init__(
        self,
        url: str = "http://localhost:9000",
        *,
        user: str | None = None,
        password: str | None = None,
        timeout: float = 60.0,
    ) -> None:
        self._server = Connection(url, user, password, timeout)
        self.timeout = timeout

    def __repr__(self) -> str:
        return f"QuestDBStore({self._server.url!r})"

    @property
    def name(self) -> str:
        """``questdb:`` and the URL."""
        return f"questdb:{self._server.url}"

    # -- reading ----------------------------------------------------------------------------

    def read(self, key: SeriesKey, start: int | None = None, end: int | None = None) -> pl.DataFrame:
        """See `Store.read`; one request."""
        return self._read(key, _table(key), start, end)

    def _read(self, key: SeriesKey, table: str, start: int | None, end: int | None) -> pl.DataFrame:
        bounds = [f"timestamp >= {int(start)}"] if start is not None else []
        bounds += [f"timestamp < {int(end)}"] if end is not None else []
        where = f" WHERE {' AND '.join(bounds)}" if bounds else ""
        try:
            rows = self._server.rows(f'SELECT * FROM "{table}"{where}')
        except NoTableError:
            if table == _table(key) and self._finish_renaming(table):
                return self._read(key, table, start, end)
            return empty_rows(key.series)
        wrong = [
            f"{name} {kind}"
            for name, kind in rows.schema.items()
            if (kind != STAMP if name == "timestamp" else name not in ALLOWED[key.series] or kind != pl.Float64)
        ]
        missing = [name for name in ("timestamp", *NEEDED[key.series]) if name not in rows.columns]
        if wrong or missing:
            raise self._schema_error(key, [*wrong, *(f"no {name}" for name in missing)])
        if len(rows) > 1 and not (np.diff(timestamps_of(rows)) > 0).all():
            raise self._schema_error(key, ["several rows with one timestamp, or rows out of order"])
        return tidy(key.series, rows)

    def series(self) -> list[SeriesInfo]:
        """See `Store.series`; other tables of the server are left out."""
        keys = {table: key for table in self._tables() if (key := _key(table)) is not None}
        found = []
        names = sorted(keys)
        for at in range(0, len(names), _AT_ONCE):
            selects = (
                f"SELECT '{table}' t, count() n, cast(min(timestamp) AS LONG) a, cast(max(timestamp) AS LONG) b "
                f'FROM "{table}"'
                for table in names[at : at + _AT_ONCE]
            )
            for table, count, first, last in self._server.ask(" UNION ALL ".join(selects)):
                if count:
                    found.append(SeriesInfo(keys[table], int(first), int(last), int(count)))
        return sorted(found)

    def fingerprint(self, key: SeriesKey, start: int | None = None, end: int | None = None) -> str:
        """See `Store.fingerprint`."""
        return fingerprint_rows(key.series, self.read(key, start, end))

    def version(self, key: SeriesKey, start: int | None = None, end: int | None = None) -> str | None:
        """See `Store.version`: the table's number and its last visible transaction, in one short request."""
        rows = self._server.ask(
            "SELECT t.id, w.writerTxn FROM tables() t JOIN wal_tables() w ON t.table_name = w.name "
            f"WHERE t.table_name = '{_table(key)}'"
        )
        return f"{rows[0][0]}-{rows[0][1]}" if rows else "none"

    def close(self) -> None:
        """See `Store.close`."""
        self._server.close()

    # -- writing ----------------------------------------------------------------------------

    def append(self, key: SeriesKey, frame: pl.DataFrame) -> AppendResult:
        """See `Store.append`. Rows that are there already are not sent."""
        rows = check_rows(key, frame)
        if not len(rows):
            return AppendResult()
        stamps = timestamps_of(rows)
        if stamps[0] < 0:
            raise BarsError(
                f"{key}: the first row is from before 1970, which QuestDB cannot hold; use a Parquet store."
            )
        table = _table(key)
        old = empty_rows(key.series)
        if self._is_there(key, table):
            self._settle(table, resume=True)
            old = self._read(key, table, int(stamps[0]), int(stamps[-1]) + 1)
        else:
            self._create(key, table)
        needed, counts = _needed(key, old, rows)
        self._send(table, needed)
        return counts

    def delete(self, key: SeriesKey, start: int | None = None, end: int | None = None, *, stamps: object = None) -> int:
        """See `Store.delete`. A whole series is a dropped table; a part means writing the rest into a new table.

        The new table takes the old one's place by renaming. A writer of the same series at that time is refused, or
        makes this call fail before anything is gone.
        """
        table, listed = _table(key), as_stamps(stamps)
        if not self._is_there(key, table):
            return 0
        self._settle(table, resume=True)  # a renaming before this may still be applied, and would look like a write
        seen = self.version(key)
        old = self._read(key, table, None, None)
        kept = without(old, start, end, listed)
        if len(kept) == len(old):
            return 0
        if not len(kept):
            self._server.ask(f'DROP TABLE IF EXISTS "{table}"')
            return len(old)
        fresh, aside = f"{table}.new", f"{table}.old"
        self._server.ask(f'DROP TABLE IF EXISTS "{fresh}"')
        self._create(key, fresh)
        self._send(fresh, kept)
        if self.version(key) != seen:
            self._server.ask(f'DROP TABLE IF EXISTS "{fresh}"')
            raise StoreError(f"{key} was written to while rows were being deleted; nothing was deleted. Repeat it.")
        self._server.ask(f'DROP TABLE IF EXISTS "{aside}"')
        self._server.ask(f"RENAME TABLE \"{table}\" TO '{aside}'", tries=1)
        if not self._finish_renaming(table):
            raise StoreError(
                f"{key} is in table {aside} of {self._server.url} alone: a renaming failed. Rename it back."
            )
        return len(old) - len(kept)

    def _send(self, table: str, rows: pl.DataFrame) -> None:
        sent = 0
        try:
            before = self._settle(table, wait=False)
            with self._server.sender() as send:
                for at in range(0, len(rows), _BATCH):
                    batch = rows.slice(at, _BATCH)
                    send(table, batch)
                    taken = self._settle(table, wait=at + _BATCH >= len(rows))
                    if taken <= before:
                        raise StoreError(f"table {table} was dropped and made again while it was written to.")
                    before, sent = taken, sent + len(batch)
        except StoreError as error:
            raise type(error)(f"{error} Of {len(rows)} rows the first {sent} were taken; repeat the write.") from None

    def _settle(self, table: str, *, wait: bool = True, resume: bool = False) -> int:
        """Number of the newest transaction; returns when all that was written by now is visible to readers.

        A table that a full disk or another fault has suspended is resumed if `resume`, else reported.
        """
        give_up = time.monotonic() + self.timeout
        goal, reached, pause = None, -1, 0.001
        while True:
            state = self._server.ask(
                f"SELECT sequencerTxn, writerTxn, suspended, errorMessage FROM wal_tables() WHERE name = '{table}'"
            )
            if not state:
                raise StoreError(f"table {table} of {self._server.url} is gone: it was dropped by somebody else.")
            taken, visible, suspended, message = state[0]
            goal = taken if goal is None else goal
            if suspended and resume:
                self._server.ask(f'ALTER TABLE "{table}" RESUME WAL')
                resume = False
            elif suspended:
                raise self._server.refusal(None, f"table {table} is suspended: {message or 'no reason given'}")
            elif visible >= goal or not wait:
                return int(taken)
            if visible > reached:
                reached, give_up = visible, time.monotonic() + self.timeout
            if time.monotonic() > give_up:
                raise StoreUnavailableError(
                    f"{self._server.url} has taken the rows of {table} but not made them visible for "
                    f"{self.timeout:g} s; look into the server's log."
                )
            time.sleep(pause)
            pause = min(2 * pause, 0.05)

    # -- tables -----------------------------------------------------------------------------

    def _is_there(self, key: SeriesKey, table: str) -> bool:
        """Whether the table is there, having the columns and keys that it must have."""
        try:
            columns = self._server.ask(f"SELECT \"column\", type, designated, upsertKey FROM table_columns('{table}')")
        except NoTableError:
            return self._finish_renaming(table)
        wrong = []
        for name, kind, designated, upsert in columns:
            stamp = name == "timestamp"
            if kind != ("TIMESTAMP" if stamp else "DOUBLE") or not (stamp or name in ALLOWED[key.series]):
                wrong.append(f"{name} {kind}")
            elif (designated, upsert) != (stamp, stamp):
                wrong.append(f"{name}{' not' * stamp} designated and key of deduplication")
        there = {column[0] for column in columns}
        wrong += [f"no {name}" for name in ("timestamp", *NEEDED[key.series]) if name not in there]
        if wrong:
            raise self._schema_error(key, wrong)
        return True

    def _finish_renaming(self, table: str) -> bool:
        """Put the new table of a deletion in place, also one that was killed after setting the old table aside.

        The first to find the table missing does it, so that no reader takes the series for empty.
        """
        tables = self._tables()
        if table not in tables and {f"{table}.old", f"{table}.new"} <= tables:
            try:
                self._server.ask(f"RENAME TABLE \"{table}.new\" TO '{table}'", tries=1)
            except StoreError:
                if table not in self._tables():  # nobody else was faster: it is a real failure
                    raise
            self._server.ask(f'DROP TABLE IF EXISTS "{table}.old"')
            return True
        return table in tables

    def _tables(self) -> set[str]:
        return {str(row[0]) for row in self._server.ask("SELECT table_name FROM tables()")}

    def _create(self, key: SeriesKey, table: str) -> None:
        columns = ", ".join(f"{name} DOUBLE" for name in NEEDED[key.series])
        self._server.ask(
            f'CREATE TABLE IF NOT EXISTS "{table}" (timestamp TIMESTAMP, {columns}) TIMESTAMP(timestamp) '
            f"PARTITION BY {_PARTITIONS[period_length(key)]} WAL DEDUP UPSERT KEYS(timestamp)"
        )

    def _schema_error(self, key: SeriesKey, wrong: list[str]) -> StoreSchemaError:
        return StoreSchemaError(
            f"table {_table(key)} of {self._server.url} is not as Maestro makes it: {', '.join(wrong)}; it should have "
            f"timestamp (designated, DEDUP UPSERT KEY) and DOUBLE columns {', '.join(NEEDED[key.series])}. "
            "Rename that table, and fetch or import the series again."
        )


def open_questdb(text: str, settings: Settings) -> QuestDBStore:
    """Open ``questdb``, the configured server, or ``questdb://[USER:PASSWORD@]HOST[:PORT]``."""
    own = settings.servers.questdb
    url, user, password = own.url, own.user, own.password
    if "://" in text:
        parts = urlsplit(text)
        if parts.path not in ("", "/") or not parts.hostname:
            raise SettingsError(f"store {text.rsplit('@', 1)[-1]!r} is not understood; give questdb://HOST:PORT.")
        host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
        url = f"{'https' if parts.scheme == 'questdbs' else 'http'}://{host}:{parts.port or 9000}"
        if parts.username:
            user, password = unquote(parts.username), unquote(parts.password or "")
    elif text != "questdb":
        raise SettingsError(f"store {text!r} is not understood; give questdb, or questdb://HOST:PORT.")
    return QuestDBStore(url, user=user, password=password, timeout=own.timeout)


KIND = StoreKind(open_questdb, remote=True, example="questdb://HOST:PORT")


def _table(key: SeriesKey) -> str:
    return ".".join(key.path)


def _key(table: str) -> SeriesKey | None:
    """Key of a table's name; None for tables that are not a series."""
    parts = table.split(".")
    if len(parts) < 4 or parts[0] not in SERIES:
        return None
    return SeriesKey.from_path((parts[0], parts[1], ".".join(parts[2:-1]), parts[-1]))


def _needed(key: SeriesKey, old: pl.DataFrame, new: pl.DataFrame) -> tuple[pl.DataFrame, AppendResult]:
    """Rows of `new` that are not in `old` as they are, and the counts."""
    if not len(old):
        return new, AppendResult(inserted=len(new))
    old_stamps, new_stamps = timestamps_of(old), timestamps_of(new)
    place = np.minimum(np.searchsorted(old_stamps, new_stamps), len(old_stamps) - 1)
    met = old_stamps[place] == new_stamps
    differs = np.zeros(len(new), np.bool_)
    differs[met] = differences(old[place[met]], new.filter(pl.Series(met)), ALLOWED[key.series]).to_numpy()
    changed = int(differs.sum())
    counts = AppendResult(int((~met).sum()), changed, int(met.sum()) - changed)
    return new.filter(pl.Series(~met | differs)), counts
