"""Gauges for the service's dependencies: workers, stored series, the last backup, disk space."""

from __future__ import annotations

import logging
import os
import shutil
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from maestro.config import load_settings
from maestro.data.sources.registry import is_fetched
from maestro.data.stores import SeriesInfo, configured_store
from maestro.data.timeframes import timeframe_us
from maestro.errors import MaestroError
from maestro.service.heartbeat import count_workers
from maestro.service.last_backup import last_backup

log = logging.getLogger("maestro.service.web")

_AGAIN = 30.0  # s until the series of the store are listed again
_EVENTS = "8h"  # distance of settlements, which have no timeframe
_SERIES = ("provider", "symbol", "timeframe", "series")


@dataclass(slots=True)
class Gauge:
    """A gauge: its name, what it means, the names of its labels, and a value for each set of labels."""

    name: str
    text: str
    labels: tuple[str, ...] = ()
    values: dict[tuple[str, ...], float] = field(default_factory=dict)


class Gauges:
    """The gauges of one service. What cannot be read is left out and logged; it never becomes a number."""

    def __init__(self, folder: Path, runs_dir: Path) -> None:
        self._folder, self._runs_dir = folder, runs_dir
        self._lock = threading.Lock()
        self._listed: list[SeriesInfo] | None = None
        self._listed_at = -_AGAIN

    def read(self) -> Iterator[Gauge]:
        """Yield all gauges with their values of now."""
        alive, lost = count_workers(self._folder)
        series = self._series()
        yield Gauge("maestro_workers_alive", "Workers that run.", values={(): alive})
        yield Gauge("maestro_workers_lost", "Workers that died during the last day.", values={(): lost})
        yield Gauge("maestro_store_readable", "1 if the store can be read, else 0.", values={(): series is not None})
        yield from _ages(series or [])
        yield self._backup()
        yield from self._disks()

    def _series(self) -> list[SeriesInfo] | None:
        with self._lock:
            if time.monotonic() - self._listed_at >= _AGAIN:
                try:
                    self._listed = configured_store().series()
                except (MaestroError, OSError) as error:
                    log.error("the store cannot be read: %s", error)
                    self._listed = None
                self._listed_at = time.monotonic()
            return self._listed

    def _backup(self) -> Gauge:
        gauge = Gauge("maestro_backup_timestamp_seconds", "When the newest backup was made.")
        try:
            made = last_backup(self._folder)
        except (MaestroError, OSError) as error:
            log.error("the time of the last backup cannot be read: %s", error)
            return gauge
        if made is not None:
            gauge.values[()] = made.timestamp()
        return gauge

    def _disks(self) -> Iterator[Gauge]:
        """Yield space for each file system, under the name of the first place that is on it."""
        free = Gauge("maestro_disk_free_bytes", "Free bytes of the disk of a place.", ("place",))
        size = Gauge("maestro_disk_size_bytes", "Bytes of the disk of a place.", ("place",))
        settings, seen = load_settings(), set()
        store = (("store", Path(settings.store)),) if Path(settings.store).is_dir() else ()  # else a server
        places = (
            ("service", self._folder), ("runs", self._runs_dir), *store, ("questdb", settings.servers.questdb.home),
            ("ledger", settings.ledger_dir), ("backups", settings.backup.folder),
        )  # fmt: skip
        for name, path in places:
            there = next((one for one in (path, *path.parents) if one.exists()), None)
            if there is None:
                continue
            try:
                device, usage = os.stat(there).st_dev, shutil.disk_usage(there)
            except OSError as error:
                log.error("the space of %s cannot be read: %s", there, error)
                continue
            if device not in seen:
                seen.add(device)
                free.values[(name,)], size.values[(name,)] = usage.free, usage.total
        yield from (free, size)


def _ages(series: list[SeriesInfo]) -> Iterator[Gauge]:
    """Yield the newest row of each series, and the age from which it is stale."""
    newest = Gauge("maestro_series_newest_timestamp_seconds", "Open time of the newest stored row.", _SERIES)
    limit = Gauge(
        "maestro_series_stale_after_seconds",
        "Age of the newest row from which a series counts as stale; only series that `maestro data fetch` updates.",
        _SERIES,
    )
    allowed = load_settings().fetch.max_age
    for info in series:
        key = info.key
        labels = (key.provider, key.symbol, key.timeframe, key.series)
        newest.values[labels] = info.last / 1e6
        if is_fetched(key):
            # A row is complete one timeframe after its open time, and the next one comes a timeframe later.
            limit.values[labels] = 2 * timeframe_us(key.timeframe or _EVENTS) / 1e6 + allowed
    yield from (newest, limit)
