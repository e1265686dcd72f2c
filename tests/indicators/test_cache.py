"""The column cache: what it keeps, its bound, and its use by threads."""

from __future__ import annotations

import pickle
import threading
from typing import Any

import numpy as np
import pytest

import maestro.indicators as ind
from maestro.errors import SettingsError
from maestro.indicators.cache import ThreadCaches
from tests.indicators.market import C


def column(values: np.ndarray) -> np.ndarray:
    values = values.copy()
    values.flags.writeable = False
    return values


def test_a_column_is_kept_inside_the_cache_and_nowhere_else() -> None:
    close = column(C)
    assert ind.sma(close, 9) is not ind.sma(close, 9)
    with ind.column_cache() as cache:
        first = ind.sma(close, 9)
        assert ind.sma(close, 9) is first
        assert ind.sma(close, 10) is not first
        assert ind.ema(close, 9) is not first
        assert ind.sma(column(C), 9) is not first  # equal content, another array
        assert cache.hits == 1
        assert ind.macd(close).line is ind.macd(close).line
    np.testing.assert_array_equal(first, ind.sma(close, 9))
    assert ind.sma(close, 9) is not first


def test_arrays_that_can_change_are_not_kept() -> None:
    values = C.copy()
    with ind.column_cache() as cache:
        before = ind.sma(values, 3)
        values[:] = 1.0
        assert (ind.sma(values, 3)[2:] == 1.0).all()
        assert not np.array_equal(before[2:], ind.sma(values, 3)[2:])
        ind.sma(values.tolist(), 3)  # type: ignore[arg-type]
        ind.sma(values=values, period=3)
        assert len(cache) == 0


def test_the_cache_is_bounded_and_forgets_what_was_used_longest_ago() -> None:
    close = column(C)
    size = close.nbytes
    with ind.column_cache(3 * size) as cache:
        first = ind.sma(close, 2)
        second = ind.sma(close, 3)
        ind.sma(close, 4)
        assert ind.sma(close, 2) is first
        ind.sma(close, 5)  # evicts the sma of 3
        assert ind.sma(close, 2) is first
        assert cache.nbytes == 3 * size
        assert ind.sma(close, 3) is not second
        for period in range(2, 200):
            ind.std(ind.ema(close, period), period)
            assert cache.nbytes <= 3 * size
    with ind.column_cache(size - 1) as cache:
        assert ind.sma(close, 2) is not ind.sma(close, 2)
        assert len(cache) == cache.nbytes == 0


def test_an_address_is_not_reused_while_its_column_is_kept() -> None:
    with ind.column_cache(1 << 24):
        for seed in range(200):  # each array dies at once, and its memory goes to the next
            values = np.random.default_rng(seed).random(50)
            np.testing.assert_array_equal(ind.sma(column(values), 5), ind.sma(values, 5))


def test_threads_share_a_cache_and_see_one_column() -> None:
    close = column(C)
    cache = ind.ColumnCache(1 << 24)
    seen: list[list[int]] = []

    def work() -> None:
        with ind.using(cache):
            columns = [ind.ema(close, period) for _ in range(20) for period in range(2, 40)]
            seen.append([id(c) for c in columns])

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(seen) == 4
    assert all(ids == seen[0] for ids in seen)
    assert len(cache) == 38


def test_a_cache_can_be_switched_off_inside_another() -> None:
    close = column(C)
    with ind.column_cache() as cache, ind.using(None):
        ind.sma(close, 3)
    assert len(cache) == 0


@pytest.mark.parametrize("size", [-1, 1.5, True])
def test_a_cache_of_no_size_is_refused(size: Any) -> None:
    with pytest.raises(SettingsError, match="max_bytes="):
        ind.ColumnCache(size)


def test_a_thread_keeps_its_cache_from_task_to_task_and_another_process_begins_anew() -> None:
    close, caches, found = column(C), ThreadCaches(), []

    def work() -> None:
        for _ in range(2):
            with ind.using(caches.columns):
                found.append(ind.sma(close, 9))

    work()
    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert [column is found[0] for column in found] == [True, True, False, False]
    assert found[3] is found[2]
    assert (len(caches.columns), len(pickle.loads(pickle.dumps(caches)).columns)) == (1, 0)
