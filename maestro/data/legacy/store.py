"""The old RethinkDB database as a store that can only be read: the fallback while a new store is on trial."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import polars as pl

from maestro.config import Settings
from maestro.data.legacy.documents import Choices, DocumentReader
from maestro.data.legacy.names import PREFIX, series_of
from maestro.data.legacy.opening import open_legacy
from maestro.data.legacy.source import OldSource, SourceAwayError, Table
from maestro.data.stores import SeriesInfo, SeriesKey, StoreKind
from maestro.data.stores.rows import AppendResult, cut, empty_rows, fingerprint_rows, tidy, timestamps_of
from maestro.data.timeframes import timeframe_us
from maestro.errors import SettingsError, SourceError, StoreAccessError, StoreError, StoreUnavailableError

log = logging.getLogger("maestro.data.legacy")


class RethinkStore:
    """Tables ``trade_PROVIDER_SYMBOL_TIMEFRAME`` of an old database, as series of bars.

    Tables whose names do not say their series, and documents that are not bars, are left out and logged. A table is
    read whole, so keep the row cache (setting ``cache.enabled``) on.
    """

    def __init__(self, source: OldSource) -> None:
        self._source = source
        self._lock = threading.Lock()
        self._infos: dict[Table, tuple[int | None, SeriesInfo | None]] = {}
        self._logged: set[str] = set()

    @property
    def name(self) -> str:
        """Host, port and database."""
        return self._source.name

    def read(self, key: SeriesKey, start: int | None = None, end: int | None = None) -> pl.DataFrame:
        """See `Store.read`."""
        with self._asking():
            table = self._tables().get(key)
            rows = empty_rows(key.series) if table is None else self._rows(key, table)
        return tidy(key.series, cut(rows, start, end))

    def append(self, key: SeriesKey, frame: pl.DataFrame) -> AppendResult:
        """Refuse: the old database is only read."""
        raise self._refused(key)

    def delete(self, key: SeriesKey, start: int | None = None, end: int | None = None, *, stamps: object = None) -> int:
        """Refuse: the old database is only read."""
        raise self._refused(key)

    def series(self) -> list[SeriesInfo]:
        """See `Store.series`; a table is read again if its number of documents has changed."""
        with self._asking():
            found = [self._info(key, table) for key, table in self._tables().items()]
        return sorted(info for info in found if info is not None)

    def fingerprint(self, key: SeriesKey, start: int | None = None, end: int | None = None) -> str:
        """See `Store.fingerprint`."""
        return fingerprint_rows(key.series, self.read(key, start, end))

    def version(self, key: SeriesKey, start: int | None = None, end: int | None = None) -> str | None:
        """See `Store.version`; the server has no token, so None."""
        return None

    def close(self) -> None:
        """See `Store.close`."""
        with self._lock:
            self._source.close()

    def _refused(self, key: SeriesKey) -> StoreAccessError:
        return StoreAccessError(
            f"{self.name} is only read, so {key} was not changed; write to another store (--store, or the setting)."
        )

    @contextmanager
    def _asking(self) -> Iterator[None]:
        with self._lock:
            try:
                yield
            except SourceAwayError as error:
                raise StoreUnavailableError(str(error)) from error
            except SourceError as error:
                raise StoreError(str(error)) from error

    def _tables(self) -> dict[SeriesKey, Table]:
        found: dict[SeriesKey, Table] = {}
        for table in self._source.tables():
            if not table.name.startswith(PREFIX):
                continue
            try:
                key = series_of(table.name)
            except SettingsError as error:
                self._tell(f"{table} is left out: {error}")
                continue
            if key in found:
                raise StoreError(
                    f"tables {found[key]} and {table} of {self.name} are both {key}; name one database: "
                    "rethinkdb://HOST/DATABASE."
                )
            found[key] = table
        return found

    def _rows(self, key: SeriesKey, table: Table) -> pl.DataFrame:
        reader = DocumentReader(timeframe_us(key.timeframe), Choices(), time.time_ns() // 1_000)
        for documents in self._source.documents(table):
            reader.take(documents)
        reading = reader.finish()
        for reason, number in reading.rejected.items():
            self._tell(f"{table}: {number:,} documents are left out: {reason}, such as {reading.examples[reason][0]}")
        return reading.rows

    def _info(self, key: SeriesKey, table: Table) -> SeriesInfo | None:
        count = self._source.count(table)
        known = self._infos.get(table)
        if known is None or count is None or known[0] != count:
            rows = self._rows(key, table)
            stamps = timestamps_of(rows)
            info = SeriesInfo(key, int(stamps[0]), int(stamps[-1]), len(rows)) if len(rows) else None
            known = self._infos[table] = (count, info)
        return known[1]

    def _tell(self, text: str) -> None:
        if text not in self._logged:
            self._logged.add(text)
            log.warning("%s", text)


def open_rethinkdb(text: str, settings: Settings) -> RethinkStore:
    """Open the store of ``rethinkdb://[USER[:PASSWORD]@]HOST[:PORT][/DATABASE]``."""
    if not text.startswith("rethinkdb://"):
        raise SettingsError(f"store {text!r} is not understood; give rethinkdb://[USER@]HOST[:PORT][/DATABASE].")
    return RethinkStore(open_legacy(text, timeout=settings.servers.questdb.timeout))


KIND = StoreKind(open_rethinkdb, remote=True, example="rethinkdb://HOST/DATABASE")
