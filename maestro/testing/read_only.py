"""The contract of every read-only store, as a test class."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping

import numpy as np
import polars as pl
import pytest

from maestro.data.stores import MemoryStore, SeriesKey, Store
from maestro.data.timeframes import HOUR_US
from maestro.errors import StoreAccessError

_KEY, _OTHER = SeriesKey("BINANCE", "BTCUSDT", "1h"), SeriesKey("BINANCE", "ETHUSDT", "4h")
_START = 1_514_764_800_000_000


def _rows(count: int, step: int = HOUR_US) -> pl.DataFrame:
    random = np.random.default_rng(count)
    close = 100 + random.random(count)
    stamps = pl.Series(_START + step * np.arange(count)).cast(pl.Datetime("us", "UTC"))
    values = {"open": close, "high": close + 1, "low": close - 1, "close": close, "volume": random.random(count)}
    return pl.DataFrame({"timestamp": stamps, **values})


class ReadOnlyStoreContract:
    """The contract of a store that can only be read.

    Subclass it and override the fixture `filled`: it takes rows by series, puts them where the store reads, and
    returns the opened store. The part of `StoreContract` that needs no writing.
    """

    @pytest.fixture
    def filled(self) -> Callable[[Mapping[SeriesKey, pl.DataFrame]], Store]:
        """Puts rows of series where the store reads, and opens it."""
        raise NotImplementedError("override the fixture filled: it returns a callable that fills and opens the store")

    def test_a_series_that_is_not_there_is_empty(self, filled: Callable[..., Store]) -> None:
        store = filled({_KEY: _rows(3)})
        for key in (_OTHER, SeriesKey("BINANCE", "BTCUSDT", series="funding")):
            assert store.read(key, 0, 10).equals(MemoryStore().read(key))
            assert store.read(key).schema == MemoryStore().read(key).schema

    def test_rows_come_back_to_the_last_bit(self, filled: Callable[..., Store]) -> None:
        frame = _rows(200)
        found = filled({_KEY: frame}).read(_KEY)
        assert found.schema == frame.schema
        assert found["timestamp"].equals(frame["timestamp"])
        for name in frame.columns[1:]:
            assert (found[name].to_numpy().view(np.int64) == frame[name].to_numpy().view(np.int64)).all(), name

    def test_ranges_hold_their_start_and_not_their_end(self, filled: Callable[..., Store]) -> None:
        frame = _rows(50)
        store = filled({_KEY: frame})
        at = [_START + HOUR_US * hour for hour in range(61)]
        for low, high in [(0, 50), (10, 20), (10, 10), (20, 10), (49, 60), (50, 60)]:
            assert store.read(_KEY, at[low], at[high]).equals(frame.slice(low, max(high - low, 0))), (low, high)
        assert store.read(_KEY, None, at[5]).equals(frame.head(5))
        assert store.read(_KEY, at[45]).equals(frame.tail(5))

    def test_series_are_listed_and_fingerprints_are_those_of_the_rows(self, filled: Callable[..., Store]) -> None:
        frames = {_OTHER: _rows(7, 4 * HOUR_US), _KEY: _rows(5)}
        store, memory = filled(frames), MemoryStore()
        for key, frame in frames.items():
            memory.append(key, frame)
            assert store.fingerprint(key) == memory.fingerprint(key)
            assert store.fingerprint(key, _START + 1) == memory.fingerprint(key, _START + 1)
        assert store.series() == memory.series()
        assert store.series() == memory.series()

    def test_writing_is_refused_and_changes_nothing(self, filled: Callable[..., Store]) -> None:
        frame = _rows(5)
        store = filled({_KEY: frame})
        with pytest.raises(StoreAccessError, match="only read"):
            store.append(_KEY, _rows(9))
        with pytest.raises(StoreAccessError, match="only read"):
            store.delete(_KEY)
        assert store.read(_KEY).equals(frame)

    def test_frames_given_out_are_not_the_stores_own(self, filled: Callable[..., Store]) -> None:
        frame = _rows(5)
        store = filled({_KEY: frame})
        for _ in range(2):
            found = store.read(_KEY)
            found[0, "close"] = -1.0
        assert store.read(_KEY).equals(frame)

    def test_threads_may_share_it_and_it_opens_again(self, filled: Callable[..., Store]) -> None:
        frame = _rows(300)
        store, found = filled({_KEY: frame}), []
        threads = [threading.Thread(target=lambda: found.append(store.read(_KEY))) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert [one.equals(frame) for one in found] == [True] * 4
        store.close()
        assert store.read(_KEY).equals(frame)
