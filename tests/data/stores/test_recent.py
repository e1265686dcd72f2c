"""Ranges kept in memory: views of them, changes of the rows, bounded memory."""

from __future__ import annotations

import gc
from pathlib import Path

from maestro.data.stores import CachedStore, ParquetStore, RecentStore, SeriesKey
from tests.data.stores.watched import HOUR, KEY, Clock, Watched, hours, rows


def test_a_range_inside_one_that_was_read_is_a_view_of_it(store: Watched) -> None:
    recent = RecentStore(store)
    whole = recent.read(KEY, 0, 90 * HOUR)
    part = recent.read(KEY, 10 * HOUR, 20 * HOUR)
    assert store.asked == [(0, 90)]
    assert hours(recent, 10, 20) == list(range(10, 20))
    addresses = [frame["close"].to_numpy().__array_interface__["data"][0] for frame in (whole, part)]
    assert addresses[1] - addresses[0] == 10 * 8


def test_ranges_are_read_again_when_the_rows_change(tmp_path: Path) -> None:
    recent = RecentStore(ParquetStore(tmp_path))
    recent.append(KEY, rows(0, 10))
    assert hours(recent, None, None) == list(range(10))
    ParquetStore(tmp_path).append(KEY, rows(10, 12))
    assert hours(recent, None, None) == list(range(12))
    ParquetStore(tmp_path).delete(KEY)
    assert hours(recent, None, None) == []


def test_ranges_of_a_cache_last_as_long_as_its_rows_are_fresh(cache: CachedStore, store: Watched, clock: Clock) -> None:
    recent = RecentStore(cache)
    for _ in range(3):
        hours(recent, 0, 50)
        hours(recent, 10, 20)
    assert store.asked == [(0, 50)]
    clock.now += 61
    assert hours(recent, 10, 20) == list(range(10, 20))
    assert store.asked == [(0, 50), (10, 20)]


def test_memory_is_bounded_and_what_was_used_last_stays(store: Watched) -> None:
    size = int(store.read(KEY).estimated_size())
    recent = RecentStore(store, max_bytes=int(2.5 * size))
    keys = [SeriesKey("TEST", f"S{number}", "1h") for number in range(3)]
    for key in keys:
        store.append(key, rows(0, 100))
    store.asked.clear()
    for number in (0, 1, 0, 2, 0):
        recent.read(keys[number])
    assert len(store.asked) == 3
    recent.read(keys[1])
    assert len(store.asked) == 4
    assert sum(held.size for held in recent._ranges) <= recent.max_bytes
    recent.close()
    gc.collect()
    assert recent._ranges == []


def test_a_slice_from_memory_opens_no_file(tmp_path: Path) -> None:
    store = ParquetStore(tmp_path)
    recent = RecentStore(store)
    recent.append(KEY, rows(0, 20_000))
    recent.read(KEY)
    for path in store.root.joinpath(*KEY.path).glob("*.parquet"):
        path.unlink()
    assert len(recent.read(KEY, HOUR, 8_761 * HOUR)) == 8_760
