"""The Parquet store: one file a period, all or nothing, killed and crowded writers, torn and foreign files."""

from __future__ import annotations

import errno
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import polars as pl
import pytest

import maestro as ms
from maestro._core.locks import locked
from maestro.bars import Bars
from maestro.data.stores import ParquetStore, SeriesKey, manifest
from maestro.data.stores.manifest import periods_of
from maestro.errors import (
    BarsError,
    StoreAccessError,
    StoreDamagedError,
    StoreError,
    StoreFullError,
    StoreLockedError,
)
from tests.data.stores import killed_writer
from tests.data.stores.hours import HOUR, KEY, NEW_YEAR_2020, YEARS, folder, rows

ROOT = Path(__file__).parents[3]


@pytest.fixture
def store(tmp_path: Path) -> ParquetStore:
    return ParquetStore(tmp_path / "rows", wait=5.0)


BARS = SeriesKey("TEST", "BTCUSD", "6h")


KILLS = int(os.environ.get("MAESTRO_TEST_WRITER_KILLS", "12"))


def files(store: ParquetStore, key: SeriesKey = KEY) -> list[str]:
    return [file["name"] for file in json.loads((folder(store, key) / manifest.NAME).read_text())["files"]]


def test_only_the_files_of_a_range_are_read(store: ParquetStore) -> None:
    store.append(KEY, rows(YEARS))
    assert [name[:4] for name in files(store)] == ["2018", "2019", "2020", "2021"]
    for name in files(store):
        if not name.startswith("2020"):
            (folder(store) / name).write_bytes(b"not to be read")
    found = store.read(KEY, NEW_YEAR_2020, NEW_YEAR_2020 + 1_000 * HOUR)
    assert found["timestamp"].to_physical().to_list() == [s for s in YEARS if 0 <= s - NEW_YEAR_2020 < 1_000 * HOUR]
    with pytest.raises(StoreDamagedError, match="2019-"):
        store.read(KEY, NEW_YEAR_2020 - HOUR * 6, NEW_YEAR_2020 + 1)


def test_only_the_files_of_a_write_are_written(store: ParquetStore) -> None:
    store.append(KEY, rows(YEARS))
    before = files(store)
    store.append(KEY, rows(YEARS[-5:], close=2.0))
    after = files(store)
    assert before[:3] == after[:3]
    assert before[3] != after[3]
    store.append(KEY, rows(YEARS[-5:], close=2.0))
    assert files(store) == after
    assert store.delete(KEY, int(YEARS[0]), int(YEARS[0]) + 1) == 1
    assert files(store)[1:] == after[1:]


def test_files_are_ordinary_parquet(store: ParquetStore) -> None:
    store.append(KEY, rows(YEARS))
    found = pl.read_parquet(folder(store) / "*.parquet").sort("timestamp")
    assert found.equals(store.read(KEY))


def test_old_files_go_with_the_next_write_but_one(store: ParquetStore) -> None:
    """Those of the last write stay for readers that are about to open them."""
    for number in range(5):
        store.append(KEY, rows(YEARS[-100:], close=float(number)))
        assert len(list(folder(store).glob("*.parquet"))) == min(number + 1, 2)


def test_the_folder_goes_with_the_last_row(store: ParquetStore) -> None:
    store.append(KEY, rows(YEARS))
    assert store.delete(KEY) == len(YEARS)
    assert not folder(store).exists()


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EACCES, errno.EIO])
@pytest.mark.parametrize("step", range(1, 6))
def test_a_write_that_fails_at_any_step_changes_nothing(
    store: ParquetStore, monkeypatch: pytest.MonkeyPatch, number: int, step: int
) -> None:
    store.append(KEY, rows(YEARS))
    before, listed = store.fingerprint(KEY), sorted(os.listdir(folder(store)))
    real, calls = os.fsync, []

    def failing(handle: int) -> None:
        calls.append(handle)
        if len(calls) == step:
            raise OSError(number, os.strerror(number))
        real(handle)

    monkeypatch.setattr(os, "fsync", failing)
    kinds = {errno.ENOSPC: StoreFullError, errno.EACCES: StoreAccessError, errno.EIO: StoreError}
    with pytest.raises(kinds[number], match="nothing was changed"):
        store.append(KEY, rows(YEARS, close=2.0))
    monkeypatch.undo()
    assert len(calls) == step  # four files and the manifest
    assert store.fingerprint(KEY) == before
    assert sorted(os.listdir(folder(store))) == listed
    assert store.check() == []


def test_a_reader_sees_all_of_a_write_or_nothing(store: ParquetStore, tmp_path: Path) -> None:
    """Readers of another process's writes over four files: each answer is of one round."""
    writer = subprocess.Popen(
        [sys.executable, "-m", "tests.data.stores.killed_writer", str(store.root)],
        stdout=subprocess.PIPE,
        cwd=ROOT,
        text=True,
    )
    try:
        assert writer.stdout is not None
        assert [writer.stdout.readline() for _ in range(2)] == ["ready\n", "1\n"]
        seen: list[set[float]] = []
        until = time.monotonic() + 1.0

        def read() -> None:
            while time.monotonic() < until:
                seen.append(set(store.read(killed_writer.KEY)["close"].to_list()))

        threads = [threading.Thread(target=read) for _ in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        writer.kill()
        writer.wait()
        writer.stdout.close()
    assert set(map(len, seen)) == {1}
    assert len(set.union(*seen)) > 3


def test_killed_writers_tear_nothing(tmp_path: Path) -> None:
    killed_writer.kill_writers(tmp_path, times=KILLS, seed=0)


def test_two_processes_lose_nothing_of_each_other(store: ParquetStore) -> None:
    code = """
import sys, numpy as np
from maestro.data.stores import ParquetStore
from tests.data.stores.test_parquet import HOUR, KEY, NEW_YEAR_2020, rows
store = ParquetStore(sys.argv[1])
for turn in range(25):
    store.append(KEY, rows([NEW_YEAR_2020 + (2 * turn + int(sys.argv[2])) * HOUR]))
"""
    writers = [
        subprocess.Popen([sys.executable, "-c", code, str(store.root), str(half)], cwd=ROOT) for half in range(2)
    ]
    assert [writer.wait() for writer in writers] == [0, 0]
    assert store.read(KEY)["timestamp"].to_physical().to_list() == [NEW_YEAR_2020 + n * HOUR for n in range(50)]


def test_a_lock_that_is_held_is_waited_for_and_then_named(store: ParquetStore) -> None:
    store.append(KEY, rows(YEARS[:5]))
    store.wait = 0.05
    path = store.root / ".locks" / "~".join(KEY.path)
    with locked(path, StoreError, wait=1.0):
        with pytest.raises(StoreLockedError, match=rf"{KEY} in .* process {os.getpid()} on .*waited 0.05 s"):
            store.append(KEY, rows(YEARS[5:9]))
        assert len(store.read(KEY)) == 5  # readers do not wait
        assert store.append(SeriesKey("TEST", "OTHER", "1h"), rows(YEARS[:1])).inserted == 1
        store.wait = 10.0
        late = threading.Thread(target=store.append, args=(KEY, rows(YEARS[5:9])))
        late.start()
        time.sleep(0.1)
        assert late.is_alive()
    late.join()
    assert len(store.read(KEY)) == 9


def tear(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-100])


def flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def swap(path: Path) -> None:
    pl.DataFrame({"a": [1]}).write_parquet(path)


@pytest.mark.parametrize(
    ("spoil", "message"),
    [(tear, "has .* bytes of"), (flip, "has other content"), (swap, "has"), (Path.unlink, "is missing")],
)
def test_a_damaged_file_is_named_and_its_stretch_can_be_deleted(
    store: ParquetStore, spoil: Callable[[Path], None], message: str
) -> None:
    store.append(KEY, rows(YEARS))
    path = folder(store) / files(store)[1]
    spoil(path)
    with pytest.raises(
        StoreDamagedError, match=rf"{path} {message}.*It held 1460 rows from 2019-01-01T00:00:00 to 2019-"
    ):
        store.read(KEY)
    assert [str(path) in problem for problem in store.check()] == [True]
    with pytest.raises(StoreDamagedError):
        store.append(KEY, rows(YEARS, close=3.0))
    assert len(store.read(KEY, NEW_YEAR_2020)) == 2_000
    year = [s for s in YEARS if periods_of(np.array([s]), "year")[0] == 2019]
    assert store.delete(KEY, int(year[0]), int(year[-1]) + 1) == 1460
    assert store.append(KEY, rows(year)).inserted == 1460
    assert store.read(KEY).equals(rows(YEARS))
    assert store.check() == []


def test_foreign_files_are_named_and_left_alone(store: ParquetStore) -> None:
    other = SeriesKey("TEST", "ETHUSD", "1h")
    folder(store, other).mkdir(parents=True)
    rows(YEARS).write_parquet(folder(store, other) / "mine.parquet")
    with pytest.raises(StoreDamagedError, match=r"mine\.parquet was not written by Maestro; .*maestro data import"):
        store.read(other)
    store.append(KEY, rows(YEARS))
    (folder(store) / "notes.txt").write_text("mine")
    store.append(KEY, rows(YEARS, close=2.0))
    assert len(store.read(KEY)) == len(YEARS)
    problems = store.check()
    assert len(problems) == 2
    assert all("is not Maestro's" in problem or "was not written by Maestro" in problem for problem in problems)
    assert store.check(KEY) == [f"{folder(store) / 'notes.txt'} is not Maestro's"]
    store.delete(KEY)
    assert [path.name for path in folder(store).iterdir()] == ["notes.txt"]


@pytest.mark.parametrize("depth", range(4))
def test_no_rows_are_removed_through_a_symbolic_link(store: ParquetStore, tmp_path: Path, depth: int) -> None:
    store.append(KEY, rows(YEARS))
    linked = [folder(store), *folder(store).parents][depth]
    target = linked.rename(tmp_path / "elsewhere")
    linked.symlink_to(target, target_is_directory=True)
    before = sorted(target.rglob("*"))
    for range_ in ((None, None), (None, NEW_YEAR_2020)):
        with pytest.raises(StoreError, match=r"is a symbolic link to .*elsewhere; no rows are removed through a link"):
            store.delete(KEY, *range_)
    assert sorted(target.rglob("*")) == before
    assert store.read(KEY).equals(rows(YEARS))


def test_a_folder_without_the_right_to_write_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match=r"Not a directory; nothing was changed"):
        ParquetStore(tmp_path / "file").append(KEY, rows(YEARS))


def test_real_bars_come_back_with_their_fingerprint(
    store: ParquetStore, real_hours: Bars, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = SeriesKey.parse(real_hours.name)
    store.append(key, real_hours.to_frame())
    monkeypatch.setenv("MAESTRO_STORE", str(store.root))
    bars = ms.load("BITFINEX:BTCUSD:1h")
    assert bars.fingerprint == real_hours.fingerprint
    assert bars.name == "BITFINEX:BTCUSD:1h"
    part = ms.load("BITFINEX:BTCUSD:1h", start="2018-03-01", end="2018-04-01")
    assert part.fingerprint == real_hours.between("2018-03-01", "2018-04-01").fingerprint


def test_the_same_load_is_the_same_object_until_the_rows_change(
    store: ParquetStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MAESTRO_STORE", str(store.root))
    store.append(BARS, rows(YEARS))
    bars = ms.load(str(BARS), start="2020-01-01")
    assert ms.load(str(BARS), start="2020-01-01") is bars
    assert ms.load(str(BARS), start="2020-01-02") is not bars
    store.append(BARS, rows([YEARS[-1]], close=5.0))
    assert ms.load(str(BARS), start="2020-01-01").close[-1] == 5.0
    assert bars.close[-1] == 1.0


def test_the_error_of_a_missing_series_names_what_exists(store: ParquetStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MAESTRO_STORE", str(store.root))
    store.append(BARS, rows(YEARS))
    with pytest.raises(BarsError, match=r"maestro data fetch TEST BTCUSDT 6h.*Did you mean 'TEST:BTCUSD:6h'"):
        ms.load("TEST:BTCUSDT:6h")
    with pytest.raises(BarsError, match=r"no bar of TEST:BTCUSD:6h from 2030-01-01 on; those in .* 2018-08-"):
        ms.load("TEST:BTCUSD:6h", start="2030-01-01")
    with pytest.raises(BarsError, match="named already; leave out symbol"):
        ms.load("TEST:BTCUSD:6h", symbol="X")
