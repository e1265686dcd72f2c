"""The contract of every store, as a test class for stores of plug-ins and Maestro's own."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from maestro.data.stores import MemoryStore, SeriesKey, Store
from maestro.data.stores.rows import STAMP, fingerprint_rows
from maestro.errors import BarsError

_HOUR = 3_600_000_000
_START = 1_577_836_800_000_000  # 2020-01-01
_numbers = itertools.count()


def _new_key(series: str = "bars", timeframe: str = "1h") -> SeriesKey:
    return SeriesKey("TEST", f"C_{next(_numbers)}", timeframe, series)


def _rows(stamps: object, **columns: object) -> pl.DataFrame:
    """Bars with the given stamps [µs]; prices are multiples of a third, so that all bits are used."""
    stamps = np.asarray(stamps, np.int64)
    base = np.arange(len(stamps)) / 3 + 100
    values = {"open": base, "high": base + 1, "low": base - 1, "close": base + 0.1, "volume": base * 0.7, **columns}
    return pl.DataFrame({"timestamp": pl.Series(stamps).cast(STAMP), **values})


def _hours(first: int, last: int, **columns: object) -> pl.DataFrame:
    return _rows(_START + _HOUR * np.arange(first, last), **columns)


class StoreContract:
    """Tests that every store and every wrapper passes (`maestro.data.stores.Store` states the obligations).

    Subclass it and override the fixture `open_store`::

        class TestMyStore(StoreContract):
            @pytest.fixture
            def open_store(self, tmp_path):
                return lambda: MyStore(tmp_path)

    Attributes
    ----------
    changes : int
        Length of the random course of changes; a server may take a shorter one.
    """

    changes = 45

    @pytest.fixture
    def open_store(self, tmp_path: Path) -> Callable[[], Store]:
        """Opens the same place once more at every call, as another process would."""
        raise NotImplementedError("override the fixture open_store: it returns a callable that opens the store")

    @pytest.fixture
    def store(self, open_store: Callable[[], Store]) -> Iterator[Store]:
        """One store of the place; closed after the test."""
        store = open_store()
        yield store
        store.close()

    def test_a_series_that_is_not_there_is_empty(self, store: Store) -> None:
        for series, names in (("bars", ["open", "high", "low", "close", "volume"]), ("funding", ["funding_rate"])):
            key = _new_key(series)
            found = store.read(key, 0, 10)
            assert found.schema == {"timestamp": STAMP, **dict.fromkeys(names, pl.Float64)}
            assert found.is_empty()
            assert store.delete(key) == 0
            assert key not in [info.key for info in store.series()]
            assert store.fingerprint(key) == fingerprint_rows(series, found)

    def test_rows_come_back_to_the_last_bit(self, store: Store) -> None:
        key = _new_key()
        edge = [0.1, -0.0, 5e-324, 1.7976931348623157e308, np.nextafter(1.0, 2.0), 2**53 + 1.0, 1e-7, np.pi]
        frame = _hours(0, 8, close=edge)
        result = store.append(key, frame)
        assert (result.inserted, result.changed, result.unchanged) == (8, 0, 0)
        for _ in range(3):
            found = store.read(key)
            assert found.schema == frame.schema
            for name in frame.columns[1:]:
                bits = [table[name].to_numpy().view(np.int64) for table in (found, frame)]
                assert (bits[0] == bits[1]).all(), name
            assert found["timestamp"].equals(frame["timestamp"])

    def test_ranges_hold_their_start_and_not_their_end(self, store: Store) -> None:
        key = _new_key()
        frame = _hours(0, 50)
        store.append(key, frame)
        at = [_START + _HOUR * hour for hour in range(61)]
        for low, high in [(0, 50), (10, 20), (10, 11), (10, 10), (20, 10), (49, 60), (50, 60)]:
            assert store.read(key, at[low], at[high]).equals(frame.slice(low, max(high - low, 0))), (low, high)
        assert store.read(key, at[3] + 1, at[5] + 1).equals(frame.slice(4, 2))
        assert store.read(key, None, at[5]).equals(frame.head(5))
        assert store.read(key, at[45]).equals(frame.tail(5))
        assert store.read(key).equals(frame)

    def test_order_does_not_matter_and_of_one_stamp_the_last_row_counts(self, store: Store) -> None:
        key = _new_key()
        frame = _hours(0, 30)
        shuffled = frame.sample(30, shuffle=True, seed=1)
        doubled = pl.concat([shuffled.with_columns(pl.col("close") * 2), shuffled])
        assert store.append(key, doubled).inserted == 30
        assert store.read(key).equals(frame)

    def test_an_upsert_replaces_whole_rows_and_counts_them(self, store: Store) -> None:
        key = _new_key()
        store.append(key, _hours(0, 20, open_interest=np.arange(20.0)))
        again = (
            _hours(0, 20)
            .slice(10)
            .with_columns(close=pl.when(pl.int_range(pl.len()) < 4).then(7.0).otherwise(pl.col("close")))
        )
        result = store.append(key, pl.concat([again, _hours(100, 103)]))
        assert (result.inserted, result.changed, result.unchanged) == (3, 10, 0)  # open interest is gone in all ten
        found = store.read(key)
        assert found["close"][10:14].to_list() == [7.0] * 4
        assert found["open_interest"][:10].to_list() == list(range(10))
        assert found["open_interest"][10:].null_count() == 13
        before = store.fingerprint(key)
        result = store.append(key, pl.concat([again, _hours(100, 103)]))
        assert (result.inserted, result.changed, result.unchanged) == (0, 0, 13)
        assert store.fingerprint(key) == before

    def test_optional_columns_are_there_where_they_hold_a_value(self, store: Store) -> None:
        key = _new_key()
        rate = [None] * 8 + [1e-4] + [None] * 7
        store.append(key, _hours(0, 16, funding_rate=pl.Series(rate, dtype=pl.Float64)))
        assert store.read(key)["funding_rate"].to_list() == rate
        assert "funding_rate" not in store.read(key, _START, _START + 8 * _HOUR).columns
        assert store.read(key, _START + 8 * _HOUR)["funding_rate"].to_list() == rate[8:]

    def test_no_value_is_null(self, store: Store) -> None:
        key = _new_key()
        store.append(key, _hours(0, 3, volume=pl.Series([1.0, None, float("nan")])))
        assert store.read(key)["volume"].to_list() == [1.0, None, None]
        assert store.append(key, _hours(0, 3, volume=pl.Series([1.0, float("nan"), None]))).unchanged == 3

    @pytest.mark.parametrize(
        ("spoil", "message"),
        [
            (lambda f: f.drop("volume"), "lacks volume"),
            (lambda f: f.with_columns(weight=1.0), "has weight"),
            (lambda f: f.with_columns(pl.col("timestamp").dt.replace_time_zone(None)), "timestamp has type"),
            (lambda f: f.with_columns(pl.col("close").cast(pl.String)), "close has type"),
            (lambda f: f.with_columns(close=pl.lit(float("inf"))), "close is inf at row 0"),
            (lambda f: f.with_columns(timestamp=pl.lit(None, dtype=STAMP)), "missing at row 0"),
        ],
    )
    def test_what_cannot_be_stored_is_refused_and_changes_nothing(
        self, store: Store, spoil: Callable[[pl.DataFrame], pl.DataFrame], message: str
    ) -> None:
        key = _new_key()
        store.append(key, _hours(0, 5))
        with pytest.raises(BarsError, match=message):
            store.append(key, spoil(_hours(5, 9)))
        assert store.read(key).equals(_hours(0, 5))

    def test_an_empty_frame_does_nothing(self, store: Store) -> None:
        key = _new_key()
        assert store.append(key, _hours(0, 0)).inserted == 0
        assert key not in [info.key for info in store.series()]

    def test_whole_numbers_are_taken_as_numbers(self, store: Store) -> None:
        key = _new_key()
        store.append(key, _hours(0, 2, volume=[3, 4]))
        assert store.read(key)["volume"].to_list() == [3.0, 4.0]

    def test_series_are_kept_apart_and_listed(self, store: Store) -> None:
        keys = [_new_key(), _new_key(), _new_key(timeframe="1m")]
        keys.append(SeriesKey(keys[0].provider, keys[0].symbol, "", "funding"))
        keys.append(SeriesKey(keys[0].provider, keys[0].symbol + ".X-Y", "1d"))
        frames = [_hours(0, 3), _hours(0, 9).tail(4), _rows([60_000_000, 120_000_000])]
        frames.append(
            pl.DataFrame({"timestamp": pl.Series([7_001, 28_800_003_000]).cast(STAMP), "funding_rate": [1e-4, -2e-4]})
        )
        frames.append(_rows([0]))
        for key, frame in zip(keys, frames, strict=True):
            store.append(key, frame)
        listed = {info.key: info for info in store.series()}
        assert list(listed) == sorted(listed)
        for key, frame in zip(keys, frames, strict=True):
            assert store.read(key).equals(frame)
            stamps = frame["timestamp"].to_physical()
            assert (listed[key].first, listed[key].last, listed[key].rows) == (stamps[0], stamps[-1], len(frame))
        assert store.delete(keys[0]) == 3
        for key, frame in zip(keys[1:], frames[1:], strict=True):
            assert store.read(key).equals(frame)

    def test_delete_removes_ranges_listed_stamps_or_all(self, store: Store) -> None:
        key = _new_key()
        frame = _hours(0, 40)
        store.append(key, frame)
        at = frame["timestamp"].to_physical().to_list()
        assert store.delete(key, at[10], at[20]) == 10
        assert store.delete(key, at[10], at[20]) == 0
        assert store.read(key).equals(pl.concat([frame.head(10), frame.tail(20)]))
        assert store.delete(key, stamps=[at[0], at[15], at[39], at[3] + 1]) == 2
        assert store.delete(key, at[1], at[5], stamps=frame["timestamp"][[1, 4, 7]]) == 2
        left = [2, 3, *range(5, 10), *range(20, 39)]
        assert store.read(key).equals(frame[left])
        assert store.append(key, frame).inserted == 40 - len(left)
        assert store.delete(key) == 40
        assert store.read(key).is_empty()
        assert key not in [info.key for info in store.series()]
        assert store.append(key, frame.head(2)).inserted == 2
        assert store.read(key).equals(frame.head(2))

    def test_many_periods_are_one_series(self, store: Store) -> None:
        key = _new_key()
        frame = _rows(_START - 2 * 365 * 24 * _HOUR + 7 * _HOUR * np.arange(6_000))
        parts = [frame.gather_every(3, offset) for offset in (2, 0, 1)]
        for part in parts:
            assert store.append(key, part).inserted == len(part)
        stamps = frame["timestamp"].to_physical()
        assert store.read(key).equals(frame)
        assert store.read(key, int(stamps[1_000]), int(stamps[4_000])).equals(frame.slice(1_000, 3_000))

    def test_fingerprints_are_those_of_the_rows(self, store: Store) -> None:
        key, other = _new_key(), MemoryStore()
        for part in (_hours(5, 9, basis=np.ones(4)), _hours(0, 3), _hours(7, 8)):
            store.append(key, part)
            other.append(key, part)
        low, high = _START + _HOUR, _START + 8 * _HOUR
        assert store.fingerprint(key) == other.fingerprint(key) == fingerprint_rows("bars", store.read(key))
        assert store.fingerprint(key, low, high) == other.fingerprint(key, low, high) != store.fingerprint(key)

    def test_a_version_stays_while_rows_stay_and_goes_with_them(self, store: Store) -> None:
        key = _new_key()
        seen = []
        for change in (
            lambda: store.append(key, _hours(0, 5)),
            lambda: store.append(key, _hours(4, 9)),
            lambda: store.delete(key, stamps=[_START]),
            lambda: store.delete(key),
            lambda: store.append(key, _hours(0, 5)),
        ):
            change()
            store.read(key)
            tokens = {store.version(key), store.version(key)}
            assert len(tokens) == 1
            seen += [token for token in tokens if token is not None]
        assert len(set(seen)) == len(seen)

    def test_what_is_written_is_seen_by_every_other(self, store: Store, open_store: Callable[[], Store]) -> None:
        key = _new_key()
        other = open_store()
        store.read(key)
        other.read(key)
        store.append(key, _hours(0, 5))
        assert other.read(key).equals(_hours(0, 5))
        other.append(key, _hours(5, 7))
        assert len(store.read(key)) == 7
        store.delete(key, _START, _START + _HOUR)
        assert len(other.read(key)) == 6

    def test_frames_given_out_are_not_the_stores_own(self, store: Store) -> None:
        key = _new_key()
        store.append(key, _hours(0, 5))
        for _ in range(3):
            found = store.read(key)
            found[0, "close"] = -1.0
            found.insert_column(0, pl.Series("more", [1] * 5))
        assert store.read(key).equals(_hours(0, 5))

    def test_threads_may_share_it(self, store: Store) -> None:
        key = _new_key()
        store.append(key, _hours(0, 1))
        failures: list[BaseException] = []

        def write(turn: int) -> None:
            try:
                store.append(key, _hours(1 + 10 * turn, 11 + 10 * turn))
            except BaseException as error:
                failures.append(error)

        def read() -> None:
            try:
                for _ in range(5):
                    stamps = store.read(key)["timestamp"].to_physical().to_numpy()
                    assert (np.diff(stamps) > 0).all()
                    assert len(stamps) % 10 == 1
            except BaseException as error:
                failures.append(error)

        threads = [threading.Thread(target=write, args=(turn,)) for turn in range(4)]
        threads += [threading.Thread(target=read) for _ in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert failures == []
        assert len(store.read(key)) == 41

    @pytest.mark.parametrize("seed", range(2))
    def test_any_course_of_changes_gives_what_a_dictionary_would(
        self, store: Store, open_store: Callable[[], Store], seed: int
    ) -> None:
        key = _new_key()
        random = np.random.default_rng(seed)
        truth: dict[int, float] = {}
        for _ in range(self.changes):
            act = random.integers(0, 10)
            span = 9 * _HOUR * np.sort(random.integers(0, 3_000, 2)) + _START - 12_000 * _HOUR
            low, high = int(span[0]), int(span[1])
            if act < 6:
                stamps = random.choice(np.arange(low, high + 1, 9 * _HOUR), min(40, (high - low) // (9 * _HOUR) + 1))
                closes = random.random(len(stamps)).round(random.integers(1, 9))
                new = {int(stamp): float(close) for stamp, close in zip(stamps, closes, strict=True)}
                result = store.append(key, _rows(stamps, close=closes))
                assert result.inserted == len(new.keys() - truth.keys()), seed
                truth |= new
            elif act == 6:
                gone = [stamp for stamp in truth if low <= stamp < high]
                assert store.delete(key, low, high) == len(gone), seed
                for stamp in gone:
                    del truth[stamp]
            elif act == 7:
                gone = [stamp for stamp in truth if low <= stamp < high][::3]
                assert store.delete(key, stamps=gone) == len(gone), seed
                for stamp in gone:
                    del truth[stamp]
            elif act == 8:
                store = open_store()
            expected = sorted((stamp, close) for stamp, close in truth.items() if low <= stamp < high)
            found = store.read(key, low, high)
            assert list(zip(found["timestamp"].to_physical(), found["close"], strict=True)) == expected, seed
        assert sorted(truth) == store.read(key)["timestamp"].to_physical().to_list()
