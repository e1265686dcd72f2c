"""A store in memory, for tests and temporary work."""

from __future__ import annotations

import threading

import polars as pl

from maestro.data.stores.keys import SeriesKey
from maestro.data.stores.protocol import SeriesInfo
from maestro.data.stores.rows import (
    AppendResult,
    as_stamps,
    check_rows,
    cut,
    empty_rows,
    fingerprint_rows,
    merge,
    tidy,
    timestamps_of,
    without,
)


class MemoryStore:
    """Series in a dictionary; gone with the process."""

    def __init__(self) -> None:
        self._rows: dict[SeriesKey, pl.DataFrame] = {}
        self._changes: dict[SeriesKey, int] = {}
        self._lock = threading.Lock()

    @property
    def name(self) -> str:
        """``memory:`` and a number of this very object."""
        return f"memory:{id(self):x}"

    def read(self, key: SeriesKey, start: int | None = None, end: int | None = None) -> pl.DataFrame:
        """See `Store.read`; the rows are views."""
        rows = self._rows.get(key)
        return empty_rows(key.series) if rows is None else tidy(key.series, cut(rows, start, end))

    def append(self, key: SeriesKey, frame: pl.DataFrame) -> AppendResult:
        """See `Store.append`."""
        new = check_rows(key, frame)
        with self._lock:
            merged, counts = merge(key.series, self._rows.get(key, empty_rows(key.series)), new)
            if counts.inserted or counts.changed:
                self._put(key, merged)
        return counts

    def delete(self, key: SeriesKey, start: int | None = None, end: int | None = None, *, stamps: object = None) -> int:
        """See `Store.delete`."""
        with self._lock:
            old = self._rows.get(key, empty_rows(key.series))
            kept = without(old, start, end, as_stamps(stamps))
            if len(kept) < len(old):
                self._put(key, kept)
        return len(old) - len(kept)

    def _put(self, key: SeriesKey, rows: pl.DataFrame) -> None:
        self._changes[key] = self._changes.get(key, 0) + 1
        if len(rows):
            self._rows[key] = rows
        else:
            self._rows.pop(key, None)

    def series(self) -> list[SeriesInfo]:
        """See `Store.series`."""
        with self._lock:
            held = list(self._rows.items())
        ends = ((key, timestamps_of(rows)) for key, rows in held)
        return sorted(SeriesInfo(key, int(stamps[0]), int(stamps[-1]), len(stamps)) for key, stamps in ends)

    def fingerprint(self, key: SeriesKey, start: int | None = None, end: int | None = None) -> str:
        """See `Store.fingerprint`."""
        return fingerprint_rows(key.series, self.read(key, start, end))

    def version(self, key: SeriesKey, start: int | None = None, end: int | None = None) -> str | None:
        """See `Store.version`: the number of changes so far."""
        return str(self._changes.get(key, 0))

    def close(self) -> None:
        """See `Store.close`; nothing to give back."""
