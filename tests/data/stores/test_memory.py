"""The store in memory: what it keeps and what it forgets."""

from __future__ import annotations

import polars as pl

from maestro.data.stores import MemoryStore, SeriesKey
from maestro.data.stores.rows import STAMP, AppendResult

KEY = SeriesKey("TEST", "BTCUSD", series="funding")


def rows(*stamps: int) -> pl.DataFrame:
    return pl.DataFrame({"timestamp": pl.Series(stamps).cast(STAMP), "funding_rate": [0.5] * len(stamps)})


def test_a_series_is_listed_while_it_has_rows() -> None:
    store = MemoryStore()
    assert store.append(KEY, rows(1, 2, 3)) == AppendResult(3)
    [info] = store.series()
    assert (info.key, info.first, info.last, info.rows) == (KEY, 1, 3, 3)
    assert store.delete(KEY, 2) == 2
    assert store.read(KEY).equals(rows(1))
    assert store.delete(KEY) == 1
    assert store.series() == []
    assert store.read(KEY).is_empty()


def test_the_version_counts_changes_only() -> None:
    store = MemoryStore()
    before = store.version(KEY)
    store.append(KEY, rows(1))
    changed = store.version(KEY)
    assert changed != before
    store.append(KEY, rows(1))
    store.delete(KEY, 5)
    assert store.version(KEY) == changed


def test_each_object_is_a_store_of_its_own() -> None:
    one, other = MemoryStore(), MemoryStore()
    one.append(KEY, rows(1))
    assert other.series() == []
    assert one.name != other.name
