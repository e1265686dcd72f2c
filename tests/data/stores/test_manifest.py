"""The manifest of a stored series: periods of files, damage, earlier versions."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from maestro.data.stores import ParquetStore, SeriesKey, manifest
from maestro.data.stores.manifest import period_length, period_name, periods_of
from maestro.errors import (
    StoreDamagedError,
)
from tests.data.stores.hours import KEY, NEW_YEAR_2020, YEARS, folder, rows


@pytest.fixture
def store(tmp_path: Path) -> ParquetStore:
    return ParquetStore(tmp_path / "rows", wait=5.0)


@pytest.mark.parametrize(
    ("timeframe", "length", "name"),
    [("1s", "day", "2020-02-29"), ("1m", "month", "2020-02"), ("5m", "month", "2020-02"), ("15m", "year", "2020"),
     ("1h", "year", "2020"), ("4h", "decade", "2020s"), ("1d", "decade", "2020s"), ("1w", "decade", "2020s")],
)  # fmt: skip
def test_a_file_holds_a_period_of_fitting_length(timeframe: str, length: str, name: str) -> None:
    assert period_length(SeriesKey("X", "Y", timeframe)) == length
    moment = int(np.datetime64("2020-02-29T23:59:59.999999", "us").astype(np.int64))
    period = periods_of(np.array([moment]), length)[0]
    assert period_name(int(period), length) == name
    assert periods_of(np.array([moment + 1]), "day")[0] == period_of_day(moment) + 1


def period_of_day(moment: int) -> int:
    return int(periods_of(np.array([moment]), "day")[0])


def test_periods_before_1970_count_too() -> None:
    stamps = np.array(["1969-12-31T23:00", "1970-01-01", "1899-05-01"], "datetime64[us]").astype(np.int64)
    names = {
        length: [period_name(int(period), length) for period in periods_of(stamps, length)]
        for length in ("day", "month", "year", "decade")
    }
    assert names == {
        "day": ["1969-12-31", "1970-01-01", "1899-05-01"],
        "month": ["1969-12", "1970-01", "1899-05"],
        "year": ["1969", "1970", "1899"],
        "decade": ["1960s", "1970s", "1890s"],
    }


@pytest.mark.parametrize(
    "spoil",
    [
        lambda text: text[: len(text) // 2],
        lambda text: text.replace("TEST:BTCUSD:1h", "TEST:ETHUSD:1h"),
        lambda text: text.replace('"format": 2', '"format": 99'),
        lambda text: text.replace('"format": 2', '"format": 1'),
        lambda text: text.replace('"seal"', '"sea1"'),
        lambda text: "[]",
        lambda text: text.replace('"rows"', '"lines"'),
    ],
)
def test_a_damaged_manifest_is_named_and_everything_can_be_deleted(
    store: ParquetStore, spoil: Callable[[str], str]
) -> None:
    store.append(KEY, rows(YEARS))
    path = folder(store) / manifest.NAME
    path.write_text(spoil(path.read_text()))
    for act in (lambda: store.read(KEY), lambda: store.append(KEY, rows(YEARS)), lambda: store.delete(KEY, 0, 1)):
        with pytest.raises(StoreDamagedError, match=r"manifest\.json is not a valid manifest"):
            act()
    assert [str(path) in problem for problem in store.check()] == [True]
    store.delete(KEY)
    assert not folder(store).exists()
    store.append(KEY, rows(YEARS))
    assert store.read(KEY).equals(rows(YEARS))


def test_no_changed_bit_of_a_manifest_is_believed(store: ParquetStore) -> None:
    store.append(KEY, rows(YEARS))
    path = folder(store) / manifest.NAME
    whole = path.read_bytes()
    for position in range(len(whole)):
        path.write_bytes(whole[:position] + bytes([whole[position] ^ 1 << position % 8]) + whole[position + 1 :])
        with pytest.raises(StoreDamagedError, match=r"manifest\.json is not a valid manifest"):
            ParquetStore(store.root).read(KEY, NEW_YEAR_2020)


def unseal(store: ParquetStore, **changes: Any) -> None:
    """Write the manifest as an earlier version did, with other fields in its first file."""
    path = folder(store) / manifest.NAME
    old = json.loads(path.read_text())
    del old["seal"]
    old["files"][0].update(changes)
    path.write_text(json.dumps({**old, "format": 1}, indent=1))


def test_an_unsealed_manifest_of_an_earlier_version_is_checked_once_and_sealed_by_the_next_write(
    store: ParquetStore, caplog: pytest.LogCaptureFixture
) -> None:
    store.append(KEY, rows(YEARS))
    unseal(store)
    for _ in range(2):
        assert store.read(KEY).equals(rows(YEARS))
    assert [record.getMessage().partition(": ")[2] for record in caplog.records] == [
        "an earlier version wrote it. It agrees with its 4 files; the next write of the series adds the checksum."
    ]
    store.append(KEY, rows(YEARS[:1], close=2.0))
    assert "seal" in json.loads((folder(store) / manifest.NAME).read_text())


@pytest.mark.parametrize("field", ["first", "last", "rows", "period"])
def test_an_unsealed_manifest_that_differs_from_its_files_is_refused(store: ParquetStore, field: str) -> None:
    store.append(KEY, rows(YEARS))
    entry = json.loads((folder(store) / manifest.NAME).read_text())["files"][0]
    unseal(store, **{field: entry[field] + 1})
    with pytest.raises(StoreDamagedError, match=r"than its manifest says"):
        store.read(KEY, NEW_YEAR_2020)


def test_a_manifest_of_something_else_is_not_deleted(store: ParquetStore) -> None:
    foreign = folder(store) / manifest.NAME
    foreign.parent.mkdir(parents=True)
    foreign.write_text('{"name": "a browser extension"}')
    with pytest.raises(StoreDamagedError, match=r"manifest\.json is not a valid manifest"):
        store.delete(KEY)
    assert foreign.read_text() == '{"name": "a browser extension"}'
