"""A store in memory that notes what is read and may be down, and a clock that is set by hand."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import polars as pl

from maestro.data.stores import MemoryStore, SeriesKey, Store
from maestro.data.stores.rows import STAMP
from maestro.errors import StoreUnavailableError

KEY = SeriesKey("TEST", "BTCUSD", "1h")


HOUR = 3_600_000_000


def rows(first: int, last: int, close: float = 1.0) -> pl.DataFrame:
    """Bars of the hours from `first` up to `last`."""
    stamps = pl.Series(HOUR * np.arange(first, last)).cast(STAMP)
    values = {name: np.full(last - first, close) for name in ("open", "high", "low", "close", "volume")}
    return pl.DataFrame({"timestamp": stamps, **values})


class Watched(MemoryStore):
    """A store that notes what is read [hours], may be down, and does something in the middle of a read."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[tuple[int | None, int | None]] = []
        self.down = False
        self.meanwhile: Callable[[], Any] = lambda: None

    @property
    def name(self) -> str:
        return "watched"

    def read(self, key: SeriesKey, start: int | None = None, end: int | None = None) -> pl.DataFrame:
        if self.down:
            raise StoreUnavailableError("down")
        self.asked.append((start if start is None else start // HOUR, end if end is None else end // HOUR))
        found = super().read(key, start, end)
        self.meanwhile()
        return found


class Clock:
    def __init__(self) -> None:
        self.now = 1e9

    def __call__(self) -> float:
        return self.now


def hours(store: Store, first: int | None, last: int | None) -> list[int]:
    """Hours that a read gives."""
    found = store.read(KEY, first if first is None else first * HOUR, last if last is None else last * HOUR)
    return (found["timestamp"].to_physical() // HOUR).to_list()
