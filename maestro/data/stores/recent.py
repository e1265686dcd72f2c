"""In-memory cache of the last ranges of a store, sliced without copies while the store's version is unchanged."""

from __future__ import annotations

import threading
from pathlib import Path

import polars as pl

from maestro.data.stores.keys import SeriesKey
from maestro.data.stores.protocol import SeriesInfo, Store
from maestro.data.stores.rows import AppendResult, cut, ends, fingerprint_rows, tidy


class _Range:
    """Rows of [start, end) of a series, and the store's token at that time."""

    __slots__ = ("end", "high", "key", "low", "rows", "size", "start", "token")

    def __init__(self, key: SeriesKey, start: int | None, end: int | None, token: str, rows: pl.DataFrame) -> None:
        self.key, self.start, self.end, self.token, self.rows = key, start, end, token, rows
        self.low, self.high = ends(start, end)
        self.size = int(rows.estimated_size())

    def covers(self, other: _Range) -> bool:
        return self.key == other.key and self.low <= other.low and other.high <= self.high


class RecentStore:
    """A store whose last ranges stay in memory; a range inside one of them is a view of it, not a copy.

    A range is served from memory only while the store's `version` says that it is what a read would give: at once for
    Parquet, until `max_age` for a cache, after one short request for a server.

    Parameters
    ----------
    store : Store
    max_bytes : int
        Memory for ranges; those not used for longest go first.
    """

    def __init__(self, store: Store, *, max_bytes: int = 256 * 2**20) -> None:
        self.store = store
        self.max_bytes = max_bytes
        self._ranges: list[_Range] = []  # the one used last comes last
        self._lock = threading.Lock()

    def __repr__(self) -> str:
        return f"RecentStore({self.store!r})"

    @property
    def name(self) -> str:
        """The name of the store behind."""
        return self.store.name

    @property
    def root(self) -> Path | None:
        """Folder of the store behind, where it has one."""
        return getattr(self.store, "root", None)

    def read(self, key: SeriesKey, start: int | None = None, end: int | None = None) -> pl.DataFrame:
        """See `Store.read`."""
        low, high = ends(start, end)
        for held in [held for held in self._ranges if held.key == key]:
            if held.low <= low and high <= held.high and held.token == self.store.version(key, held.start, held.end):
                self._keep(held)
                return tidy(key.series, cut(held.rows, low, high))
        token = self.store.version(key, start, end)
        rows = self.store.read(key, start, end)
        if token is None and (token := self.store.version(key, start, end)) is not None:
            rows = self.store.read(key, start, end)  # the first read may be older than the token
        if token is not None:
            self._keep(_Range(key, start, end, token, rows))
        return rows.clone()

    def _keep(self, new: _Range) -> None:
        """Put a range last, in place of those inside it, and let go of the first ones if they are too many."""
        with self._lock:
            kept = [held for held in self._ranges if not new.covers(held)]
            kept.append(new)
            room = self.max_bytes - sum(held.size for held in kept)
            while kept and room < 0:
                room += kept.pop(0).size
            self._ranges = kept

    def _drop(self, key: SeriesKey) -> None:
        with self._lock:
            self._ranges = [held for held in self._ranges if held.key != key]

    def append(self, key: SeriesKey, frame: pl.DataFrame) -> AppendResult:
        """See `Store.append`."""
        self._drop(key)
        return self.store.append(key, frame)

    def delete(self, key: SeriesKey, start: int | None = None, end: int | None = None, *, stamps: object = None) -> int:
        """See `Store.delete`."""
        self._drop(key)
        return self.store.delete(key, start, end, stamps=stamps)

    def series(self) -> list[SeriesInfo]:
        """See `Store.series`."""
        return self.store.series()

    def fingerprint(self, key: SeriesKey, start: int | None = None, end: int | None = None) -> str:
        """See `Store.fingerprint`."""
        return fingerprint_rows(key.series, self.read(key, start, end))

    def version(self, key: SeriesKey, start: int | None = None, end: int | None = None) -> str | None:
        """See `Store.version`."""
        return self.store.version(key, start, end)

    def close(self) -> None:
        """See `Store.close`; also gives the memory back."""
        self._ranges = []
        self.store.close()
