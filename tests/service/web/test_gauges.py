"""The metrics have workers, series with their limits, the last backup and disks, and no number for what is unknown."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from maestro.data.stores import SeriesKey
from maestro.data.stores.parquet import ParquetStore
from maestro.service.heartbeat import Heartbeat
from maestro.service.last_backup import FILE, record_backup
from maestro.service.web.gauges import Gauges

NOW = datetime(2026, 1, 2, tzinfo=UTC)


def values(gauges: Gauges) -> dict[str, dict[tuple[str, ...], float]]:
    """Values by name, then by the values of the labels."""
    return {gauge.name: gauge.values for gauge in gauges.read()}


def rows(step: timedelta) -> pl.DataFrame:
    stamps = [NOW - step, NOW]
    frame: dict[str, Any] = {"timestamp": pl.Series(stamps).cast(pl.Datetime("us", "UTC"))}
    return pl.DataFrame(frame | {name: [1.0, 1.0] for name in ("open", "high", "low", "close", "volume")})


@pytest.fixture
def gauges(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Gauges:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "maestro.yaml").write_text("store: store\nbackup:\n  folder: backups\n")
    return Gauges(tmp_path / "service", tmp_path / "runs")


def test_an_empty_system(gauges: Gauges) -> None:
    found = values(gauges)
    assert found["maestro_workers_alive"] == {(): 0}
    assert found["maestro_workers_lost"] == {(): 0}
    assert found["maestro_store_readable"] == {(): 1}
    assert found["maestro_series_newest_timestamp_seconds"] == {}
    assert found["maestro_backup_timestamp_seconds"] == {}


def test_series_have_the_newest_row_and_those_that_are_fetched_a_limit(gauges: Gauges, tmp_path: Path) -> None:
    store = ParquetStore(tmp_path / "store")
    for name, hours in (("BINANCE:BTCUSDT:1h", 1), ("BINANCE:ETHUSDT:1d", 24), ("KRAKEN:BTC/USD:1h", 1)):
        store.append(SeriesKey.parse(name), rows(timedelta(hours=hours)))
    store.append(SeriesKey.parse("KRAKEN:BTCUSD:1h"), rows(timedelta(hours=1)))  # of a file: ccxt writes BTC/USD
    store.append(SeriesKey.parse("MY-FILE:X:1h"), rows(timedelta(hours=1)))
    found = values(gauges)
    newest, limits = found["maestro_series_newest_timestamp_seconds"], found["maestro_series_stale_after_seconds"]
    assert len(newest) == 5
    assert set(newest.values()) == {NOW.timestamp()}
    hour, day = 3_600, 86_400
    assert limits == {
        ("BINANCE", "BTCUSDT", "1h", "bars"): 28 * hour,
        ("BINANCE", "ETHUSDT", "1d", "bars"): 2 * day + 26 * hour,
        ("KRAKEN", "BTC/USD", "1h", "bars"): 28 * hour,
    }


def test_a_store_that_cannot_be_read_has_no_series(gauges: Gauges, tmp_path: Path) -> None:
    (tmp_path / "maestro.yaml").write_text("store: questdb\nservers:\n  questdb:\n    url: http://127.0.0.1:9\n")
    found = values(gauges)
    assert found["maestro_store_readable"] == {(): 0}
    assert found["maestro_series_newest_timestamp_seconds"] == {}


def test_workers_and_the_last_backup(gauges: Gauges, tmp_path: Path) -> None:
    service = tmp_path / "service"
    Heartbeat(service, "one").begin()
    record_backup(service, "maestro-1", NOW)
    found = values(gauges)
    assert found["maestro_workers_alive"] == {(): 1}
    assert found["maestro_backup_timestamp_seconds"] == {(): NOW.timestamp()}
    (service / FILE).write_text("{}")
    assert values(gauges)["maestro_backup_timestamp_seconds"] == {}


def test_each_disk_is_reported_once(gauges: Gauges, tmp_path: Path) -> None:
    found = values(gauges)
    free, size = found["maestro_disk_free_bytes"], found["maestro_disk_size_bytes"]
    assert free.keys() == size.keys()
    assert size[("service",)] == shutil.disk_usage(tmp_path).total
    assert 0 < free[("service",)] <= size[("service",)]
    assert ("backups",) not in size  # on the same disk
