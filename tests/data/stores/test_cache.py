"""The Parquet cache and the ranges in memory: what is asked of the store, what is too old, what is forgotten."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from maestro.data.stores import CachedStore, MemoryStore, RecentStore, SeriesKey
from maestro.data.stores.cache import _joined, _outside
from maestro.data.stores.rows import AppendResult
from maestro.errors import SettingsError, StoreUnavailableError
from tests.data.stores.watched import HOUR, KEY, Clock, Watched, hours, rows


def test_a_second_read_of_a_range_does_not_ask(cache: CachedStore, store: Watched) -> None:
    for _ in range(3):
        assert hours(cache, 10, 20) == list(range(10, 20))
        assert hours(cache, 12, 15) == [12, 13, 14]
    assert store.asked == [(10, 20)]


def test_a_longer_range_asks_for_the_difference_only(cache: CachedStore, store: Watched) -> None:
    hours(cache, 10, 20)
    hours(cache, 30, 40)
    store.asked.clear()
    assert hours(cache, 5, 45) == list(range(5, 45))
    assert store.asked == [(5, 10), (20, 30), (40, 45)]
    assert hours(cache, None, None) == list(range(100))
    assert store.asked[3:] == [(None, 5), (45, None)]
    assert hours(cache, 99, 200) == [99]
    assert len(store.asked) == 5


def test_the_cache_is_that_of_every_process(cache: CachedStore, store: Watched, clock: Clock, tmp_path: Path) -> None:
    hours(cache, 0, 50)
    other = CachedStore(store, tmp_path, max_age=60, clock=clock)
    assert hours(other, 10, 50) == list(range(10, 50))
    assert store.asked == [(0, 50)]


def test_two_stores_do_not_share_their_rows(store: Watched, tmp_path: Path) -> None:
    one, other = MemoryStore(), MemoryStore()
    one.append(KEY, rows(0, 5))
    assert hours(CachedStore(one, tmp_path), 0, 9) == list(range(5))
    assert hours(CachedStore(other, tmp_path), 0, 9) == []


def test_rows_are_asked_for_again_when_they_are_too_old(cache: CachedStore, store: Watched, clock: Clock) -> None:
    hours(cache, 0, 50)
    clock.now += 40
    hours(cache, 50, 100)
    clock.now += 19.9
    hours(cache, 0, 100)
    assert len(store.asked) == 2
    MemoryStore.append(store, KEY, rows(10, 12, close=2.0))
    MemoryStore.delete(store, KEY, 20 * HOUR, 21 * HOUR)
    clock.now += 0.2
    found = cache.read(KEY, 0, 100 * HOUR)
    assert store.asked[2:] == [(0, 50)]  # the other half is younger
    assert found["close"][10:13].to_list() == [2.0, 2.0, 1.0]
    assert len(found) == 99  # what the store has deleted is gone here too


def test_a_clock_that_was_set_back_makes_nothing_fresh(cache: CachedStore, store: Watched, clock: Clock) -> None:
    hours(cache, 0, 50)
    clock.now -= 10
    hours(cache, 0, 50)
    assert len(store.asked) == 2


def test_an_age_of_zero_asks_always_and_none_trusts(store: Watched, clock: Clock, tmp_path: Path) -> None:
    always = CachedStore(store, tmp_path / "a", max_age=0, clock=clock)
    trusting = CachedStore(store, tmp_path / "b", max_age=None, clock=clock)
    for _ in range(3):
        hours(always, 0, 5)
    assert len(store.asked) == 3
    hours(trusting, 0, 5)
    clock.now += 1e9
    hours(trusting, 0, 5)
    assert len(store.asked) == 4
    with pytest.raises(SettingsError, match="max_age=-1"):
        CachedStore(store, tmp_path, max_age=-1)


def test_what_is_written_through_it_is_seen_at_once(cache: CachedStore, store: Watched) -> None:
    hours(cache, None, None)
    assert cache.append(KEY, rows(95, 105, close=3.0)) == AppendResult(5, 5, 0)
    assert cache.read(KEY)["close"].to_list() == [1.0] * 95 + [3.0] * 10
    assert store.asked == [(None, None), (95, 104)]  # up to a microsecond after the last row, at 104
    assert cache.delete(KEY, 0, 10 * HOUR) == 10
    assert hours(cache, None, 20) == list(range(10, 20))
    assert store.asked[2:] == [(0, 10)]


def test_invalidate_forgets_a_range(cache: CachedStore, store: Watched) -> None:
    hours(cache, 0, 100)
    MemoryStore.append(store, KEY, rows(40, 42, close=9.0))
    cache.invalidate(KEY, 40 * HOUR, 42 * HOUR)
    assert cache.read(KEY, 0, 100 * HOUR)["close"].sum() == 98 + 18
    assert store.asked == [(0, 100), (40, 42)]
    cache.invalidate(KEY)
    hours(cache, 7, 9)
    assert store.asked[2:] == [(7, 9)]


def test_clear_empties_it(cache: CachedStore, store: Watched, tmp_path: Path) -> None:
    hours(cache, 0, 70)
    assert cache.clear() == 70
    assert cache.cache.series() == []
    assert len(store.read(KEY)) == 100
    assert hours(cache, 0, 70) == list(range(70))
    assert store.asked == [(0, 70), (None, None), (0, 70)]
    assert cache.clear() == 70
    assert cache.clear() == 0


def test_without_the_store_what_is_fresh_is_served_and_nothing_else(
    cache: CachedStore, store: Watched, clock: Clock
) -> None:
    hours(cache, 0, 50)
    store.down = True
    assert hours(cache, 10, 50) == list(range(10, 50))
    with pytest.raises(StoreUnavailableError):
        hours(cache, 10, 51)
    clock.now += 61
    with pytest.raises(StoreUnavailableError):
        hours(cache, 10, 50)


def test_what_is_written_while_it_is_read_is_not_kept_as_it_was(cache: CachedStore, store: Watched) -> None:
    """Another thread's or process's write between the store's answer and the cache's note of it."""

    def write() -> None:
        store.meanwhile = lambda: None
        cache.append(KEY, rows(0, 100, close=2.0))

    store.meanwhile = write
    hours(cache, 0, 100)
    assert cache.read(KEY, 0, 100 * HOUR)["close"].unique().to_list() == [2.0]


def test_a_write_that_breaks_in_the_middle_leaves_nothing_half_in_the_cache(
    cache: CachedStore, store: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    hours(cache, 0, 100)

    def broken(key: SeriesKey, frame: pl.DataFrame) -> AppendResult:
        MemoryStore.append(store, key, frame.head(30))
        hours(cache, 0, 100)  # somebody reads, and keeps, the first part
        MemoryStore.append(store, key, frame)
        raise StoreUnavailableError("broken")

    monkeypatch.setattr(store, "append", broken)
    with pytest.raises(StoreUnavailableError):
        cache.append(KEY, rows(0, 100, close=2.0))
    assert cache.read(KEY, 0, 100 * HOUR)["close"].unique().to_list() == [2.0]


def test_a_series_without_rows_is_asked_for_every_time(cache: CachedStore, store: Watched) -> None:
    other = SeriesKey("TEST", "NEW", "1h")
    assert cache.read(other).is_empty()
    store.append(other, rows(0, 3))
    assert len(cache.read(other)) == 3


@pytest.mark.parametrize("what", ["file", "manifest"])
def test_a_damaged_cache_starts_again(cache: CachedStore, store: Watched, what: str) -> None:
    hours(cache, 0, 100)
    folder = cache.cache.root.joinpath(*KEY.path)
    path = next(folder.glob("*.parquet")) if what == "file" else folder / "manifest.json"
    path.write_bytes(path.read_bytes()[:-50])
    assert hours(cache, 0, 100) == list(range(100))
    assert store.asked == [(0, 100), (0, 100)]
    path = next(folder.glob("*.parquet")) if what == "file" else folder / "manifest.json"
    path.write_bytes(path.read_bytes()[:-50])
    cache.invalidate(KEY)
    assert cache.version(KEY) is None
    assert hours(cache, 0, 100) == list(range(100))
    path.write_text("{") if what == "manifest" else None
    cache.clear()
    assert cache.cache.check() == []


def test_the_notes_of_very_many_ranges_stay_few(cache: CachedStore, clock: Clock) -> None:
    for hour in range(0, 410, 2):
        clock.now += 0.01
        cache.read(KEY, hour * HOUR, (hour + 1) * HOUR)
    assert len(cache.cache.notes(KEY)["asked"]) == 200
    assert json.loads((cache.cache.root.joinpath(*KEY.path) / "manifest.json").read_text())["notes"]


def test_spans_are_cut_and_joined() -> None:
    assert _outside([(0, 10, 1), (20, 30, 2)], 5, 25) == [(0, 5, 1), (25, 30, 2)]
    assert _outside([(0, 10, 1)], 2, 4) == [(0, 2, 1), (4, 10, 1)]
    assert _outside([(0, 10, 1)], 10, 12) == [(0, 10, 1)]
    assert _joined([(10, 20, 1), (0, 10, 1), (20, 30, 2)]) == [(0, 20, 1), (20, 30, 2)]


@pytest.mark.parametrize("seed", range(5))
def test_any_course_of_reads_and_writes_gives_what_the_store_has(
    store: Watched, clock: Clock, tmp_path: Path, seed: int
) -> None:
    """Two caches in two folders: through each, what it wrote itself and what is older than the limit is seen."""
    cache = RecentStore(CachedStore(store, tmp_path, max_age=60, clock=clock))
    random = np.random.default_rng(seed)
    for turn in range(120):
        first, last = sorted(random.integers(0, 150, 2).tolist())
        act = random.integers(0, 10)
        if act < 2 and first < last:
            cache.append(KEY, rows(first, last, close=float(turn)))
        elif act == 2:
            cache.delete(KEY, first * HOUR, last * HOUR)
        elif act == 3:
            clock.now += 25
        elif act == 4 and first < last:  # somebody else writes; then the limit passes
            MemoryStore.append(store, KEY, rows(first, last, close=-float(turn)))
            clock.now += 61
        found = cache.read(KEY, first * HOUR, last * HOUR)
        assert found.equals(MemoryStore.read(store, KEY, first * HOUR, last * HOUR)), (seed, turn)
    assert len(store.asked) < 120
