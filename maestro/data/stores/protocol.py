"""The protocol of a store of market data."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import polars as pl

from maestro.config import Settings
from maestro.data.stores.keys import SeriesKey
from maestro.data.stores.rows import AppendResult


@dataclass(frozen=True, slots=True, order=True)
class SeriesInfo:
    """A stored series: its key, stamps [µs] of its first and last row, number of rows."""

    key: SeriesKey
    first: int
    last: int
    rows: int


@dataclass(frozen=True, slots=True)
class StoreKind:
    """How stores of one kind are opened; what a store registers as, by the scheme of its name.

    Attributes
    ----------
    open : callable
        Takes the name of the store as the user wrote it, ``questdb://host:9000``, and the settings.
    remote : bool
        It is a server: rows that were read are kept in local Parquet files (settings ``cache``).
    example : str
        How such a store is named, for messages.
    """

    open: Callable[[str, Settings], Store]
    remote: bool = False
    example: str = ""


@runtime_checkable
class Store(Protocol):
    """A place that keeps series of market data; one contract test class runs on every implementation and wrapper.

    Obligations
    -----------
    Rows are polars frames: ``timestamp`` Datetime('us', 'UTC'), ascending, one row a stamp, then Float64 columns of
    the series (bars: open, high, low, close, volume and optional ones; else the one value), null for no value.
    Numbers come back as they went in, to the last bit. Ranges are stamps [µs] from `start` up to and without `end`;
    None is open. A series that is not there is an empty one, not an error. What a call has returned from is visible
    to every later call, of any thread or process, and survives the death of the process at any moment. A reader never
    sees half of one write: Parquet writes are seen whole; QuestDB writes in batches, each seen whole, in order of time,
    so that a broken write is a first part and may be repeated. Instances are safe to use from several threads.

    Errors
    ------
    StoreLockedError, another writer held the series for longer than the wait; StoreDamagedError, a file that is torn
    or not the store's; StoreUnavailableError, a server that does not answer; StoreAccessError, wrong credentials or
    permissions; StoreFullError, no space; StoreSchemaError, a table of another shape. All are `StoreError`.
    BarsError for a frame that cannot be stored. After any error the rows are those from before the call or, on a
    server, with a first part of the new ones.
    """

    @property
    def name(self) -> str:
        """Where the data is, without secrets; equal for two instances of one place."""
        ...

    def read(self, key: SeriesKey, start: int | None = None, end: int | None = None) -> pl.DataFrame:
        """Rows of a range. Optional columns are there if they hold a value in the range."""
        ...

    def append(self, key: SeriesKey, frame: pl.DataFrame) -> AppendResult:
        """Insert rows, in any order; one whose stamp is there replaces the whole old row. Repeating changes nothing."""
        ...

    def delete(self, key: SeriesKey, start: int | None = None, end: int | None = None, *, stamps: object = None) -> int:
        """Remove the rows of a range, or those of it whose stamps [µs or datetimes] are listed; how many there were."""
        ...

    def series(self) -> list[SeriesInfo]:
        """All series that have rows, sorted by key."""
        ...

    def fingerprint(self, key: SeriesKey, start: int | None = None, end: int | None = None) -> str:
        """SHA-256 of the rows of a range, the same for the same rows in any store."""
        ...

    def version(self, key: SeriesKey, start: int | None = None, end: int | None = None) -> str | None:
        """Cheap token: while it stays equal, reading the range gives the same rows. None: read to find out."""
        ...

    def close(self) -> None:
        """Close connections; the store can still be used and opens them again."""
        ...
