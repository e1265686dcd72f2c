"""Parquet cache of another store: a range that was read is not requested again until it is too old."""

from __future__ import annotations

import contextlib
import hashlib
import os
import secrets
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import polars as pl

from maestro.data.stores.keys import SeriesKey
from maestro.data.stores.parquet import ParquetStore
from maestro.data.stores.protocol import SeriesInfo, Store
from maestro.data.stores.rows import EARLIEST, LATEST, AppendResult, check_rows, ends, fingerprint_rows, timestamps_of
from maestro.errors import SettingsError, StoreDamagedError

Span = tuple[int, int, int]  # [µs) from the first up to and without the second, asked for at the third
_TRIES = 3
_SPANS = 200


class CachedStore:
    """A store whose reads go through a Parquet cache, range by range.

    What is in the cache and when it was asked for is kept in one manifest with the rows. A read asks the store for the
    parts of its range that were never asked for, or longer than `max_age` ago, and for nothing else. Writes go to the
    store, and what they touch is forgotten before and after, so that no reader keeps rows from the middle of a write.
    What others write to the store is seen when `max_age` is over, or after `invalidate`.

    Parameters
    ----------
    store : Store
        Where the truth is.
    folder : path
        The cache's folder; several stores may share it.
    max_age : float [s] or None
        How long a range counts as fresh; 0 asks always, None trusts until `invalidate`.
    clock : callable [s]
        Time of day, for tests.
    """

    def __init__(
        self,
        store: Store,
        folder: str | os.PathLike[str],
        *,
        max_age: float | None = 3600.0,
        clock: Callable[[], float] = time.time,
    ) -> None:
        if max_age is not None and not max_age >= 0:
            raise SettingsError(
                f"max_age={max_age!r} is not an age; give seconds, 0 to ask always, None to trust for ever."
            )
        self.store = store
        self.max_age = max_age
        place = hashlib.sha256(store.name.encode()).hexdigest()[:16]
        self.cache = ParquetStore(Path(folder) / place)
        self._clock = clock

    def __repr__(self) -> str:
        return f"CachedStore({self.store!r}, {str(self.cache.root)!r}, max_age={self.max_age})"

    @property
    def name(self) -> str:
        """The name of the store behind."""
        return self.store.name

    # -- reading ----------------------------------------------------------------------------

    def read(self, key: SeriesKey, start: int | None = None, end: int | None = None) -> pl.DataFrame:
        """See `Store.read`; as old as `max_age` at most."""
        low, high = ends(start, end)
        for _ in range(_TRIES):
            try:
                rows, notes = self.cache.snapshot(key, low, high)
                missing = self._missing(notes, low, high)
                if not missing:
                    return rows
                if self.max_age == 0:
                    break
                if not all(self._fetch(key, *gap) for gap in missing):
                    break
            except StoreDamagedError:  # a cache may always start again
                self._restart(key)
        return self.store.read(key, start, end)

    def _missing(self, notes: dict[str, Any], low: int, high: int) -> list[tuple[int, int]]:
        """Parts of [low, high) without a fresh answer."""
        now = self._now()
        oldest = EARLIEST if self.max_age is None else now - int(self.max_age * 1e6)
        fresh = [span for span in notes.get("asked", ()) if oldest < span[2] <= now]
        missing = []
        for begin, finish, _ in sorted(fresh):
            if begin > low:
                missing.append((low, min(begin, high)))
            low = max(low, finish)
            if low >= high:
                break
        return [gap for gap in (*missing, (low, high)) if gap[0] < gap[1]]

    def _fetch(self, key: SeriesKey, low: int, high: int) -> bool:
        """Put a range of the store into the cache; not where something of the series was forgotten meanwhile.

        That a series has no rows at all is not kept: it may come any moment.
        """
        asked_at = self._now()
        before = self.cache.notes(key).get("forgotten")
        rows = self.store.read(key, None if low == EARLIEST else low, None if high == LATEST else high)

        def note(notes: dict[str, Any]) -> dict[str, Any] | None:
            if notes.get("forgotten") != before:
                return None
            asked = [*_outside(notes.get("asked", ()), low, high), (low, high, asked_at)]
            return {**notes, "asked": _joined(asked)}

        if not len(rows) and not self.cache.read(key).height:
            return False
        self.cache.update(key, check_rows(key, rows), drop=(low, high), notes=note)
        return self.cache.notes(key).get("forgotten") == before

    def _now(self) -> int:
        return int(self._clock() * 1e6)

    # -- writing ----------------------------------------------------------------------------

    def append(self, key: SeriesKey, frame: pl.DataFrame) -> AppendResult:
        """See `Store.append`; goes to the store."""
        rows = check_rows(key, frame)
        if not len(rows):
            return AppendResult()
        stamps = timestamps_of(rows)
        with self._forgetting(key, int(stamps[0]), int(stamps[-1]) + 1):
            return self.store.append(key, rows)

    def delete(self, key: SeriesKey, start: int | None = None, end: int | None = None, *, stamps: object = None) -> int:
        """See `Store.delete`; goes to the store."""
        with self._forgetting(key, start, end):
            return self.store.delete(key, start, end, stamps=stamps)

    @contextlib.contextmanager
    def _forgetting(self, key: SeriesKey, start: int | None, end: int | None) -> Iterator[None]:
        self.invalidate(key, start, end)
        try:
            yield
        finally:
            self.invalidate(key, start, end)

    def invalidate(self, key: SeriesKey, start: int | None = None, end: int | None = None) -> None:
        """Ask the store again for a range the next time, and for all of it that is being asked for right now."""
        low, high = ends(start, end)
        try:
            self.cache.update(key, None, notes=lambda notes: _forgotten(_outside(notes.get("asked", ()), low, high)))
        except StoreDamagedError:
            self._restart(key)

    def clear(self) -> int:
        """Empty the cache; the number of rows that were in it. The store behind keeps everything."""
        dropped = 0
        for key in self.cache.known_keys():
            try:
                dropped += self.cache.update(key, None, drop=(EARLIEST, LATEST), notes=lambda _: _forgotten([]))[1]
            except StoreDamagedError:
                self._restart(key)
        return dropped

    def _restart(self, key: SeriesKey) -> None:
        self.cache.delete(key)
        self.cache.update(key, None, notes=lambda _: _forgotten([]))

    # -- the rest of the protocol -----------------------------------------------------------

    def series(self) -> list[SeriesInfo]:
        """See `Store.series`; asks the store."""
        return self.store.series()

    def fingerprint(self, key: SeriesKey, start: int | None = None, end: int | None = None) -> str:
        """See `Store.fingerprint`; of what `read` gives."""
        return fingerprint_rows(key.series, self.read(key, start, end))

    def version(self, key: SeriesKey, start: int | None = None, end: int | None = None) -> str | None:
        """See `Store.version`; None where a part of the range would have to be asked for."""
        token = self.cache.version(key)
        try:
            missing = self._missing(self.cache.notes(key), *ends(start, end))
        except StoreDamagedError:
            return None
        return None if missing else token

    def close(self) -> None:
        """See `Store.close`."""
        self.store.close()


def _forgotten(asked: list[Span]) -> dict[str, Any]:
    """Notes with a mark that no earlier notes had: a reader that asked the store before must not write the answer."""
    return {"asked": asked, "forgotten": secrets.token_hex(8)}


def _outside(spans: Iterable[Sequence[int]], low: int, high: int) -> list[Span]:
    """The parts of the spans outside [low, high)."""
    pieces = [((begin, min(finish, low), at), (max(begin, high), finish, at)) for begin, finish, at in spans]
    return [piece for pair in pieces for piece in pair if piece[0] < piece[1]]


def _joined(spans: Iterable[Span]) -> list[Span]:
    """The spans in order, neighbours of one age as one; of very many the oldest are forgotten."""
    kept = sorted(sorted(spans, key=lambda span: span[2])[-_SPANS:])
    joined: list[Span] = []
    for span in kept:
        if joined and joined[-1][1] == span[0] and joined[-1][2] == span[2]:
            joined[-1] = (joined[-1][0], span[1], span[2])
        else:
            joined.append(span)
    return joined
