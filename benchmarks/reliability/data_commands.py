"""The commands that write bars, users and backups, each with what it works on and what it is for."""

from __future__ import annotations

import re
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path

import polars as pl

import maestro as ms
from benchmarks.reliability.kills import Case, Driver, killed, nothing, parquet, when_there
from maestro.data.stores import SeriesKey
from maestro.data.stores.parquet import ParquetStore
from maestro.operations.backup import restore
from maestro.operations.backup.archives import Archives
from maestro.service.jobs import Database
from maestro.testing import FakeExchange
from tests.support.exchange.markets import ExchangeMarket
from tests.support.rethink.documents import as_json, documents

KEY = SeriesKey("KRAKEN", "BTCUSD", "1h")
_PASSWORD = "correct horse battery staple"
Area = Callable[[int, Path], Iterator[str]]


def rows(count: int) -> pl.DataFrame:
    """Rows of a series, as a store takes them."""
    frame = ms.synthetic_bars(count, timeframe="1h", seed=1).to_frame()
    return frame.select(pl.col(frame.columns[0]).alias("timestamp"), *frame.columns[1:])


def _stored(place: Path) -> object:
    store = ParquetStore(place / "store")
    try:
        return sorted((str(info.key), store.read(info.key).write_json()) for info in store.series())
    finally:
        store.close()


def _filled(place: Path, count: int = 5_000) -> object:
    store = ParquetStore(place / "store")
    store.append(KEY, rows(count))
    store.close()
    return ""


def data_import(tries: int, folder: Path, how: Driver = killed) -> Iterator[str]:
    """Kill ``maestro data import``: the series has every row afterwards."""
    source = folder / "bars.csv"
    ms.synthetic_bars(5_000, timeframe="1h", seed=1).to_frame().write_csv(source)
    words = ("data", "import", source, "--provider", "KRAKEN", "--symbol", "BTCUSD", "--timeframe", "1h", "--yes")
    yield from how(tries, folder, Case(words, nothing, _stored, whole=False))


def data_export(tries: int, folder: Path, how: Driver = killed) -> Iterator[str]:
    """Kill ``maestro data export --force`` over an earlier export: the file is the old or the new export."""
    _filled(folder)

    def prepare(place: Path) -> object:
        rows(10).write_parquet(place / "out.parquet")
        return ""

    words = ("data", "export", KEY, "out.parquet", "--force", "--store", folder / "store")
    case = Case(words, prepare, when_there("out.parquet", parquet))
    yield from how(tries, folder, case)


def data_rm(tries: int, folder: Path, how: Driver = killed) -> Iterator[str]:
    """Kill ``maestro data rm``: every row is in the store or in the trash."""

    def result(place: Path) -> object:
        store = ParquetStore(place / "store")
        try:
            kept = store.read(KEY) if KEY in [info.key for info in store.series()] else rows(2).head(0)
        finally:
            store.close()
        copies = [pl.read_parquet(path) for path in sorted((place / "state/trash").glob("*.parquet"))]
        names = rows(2).columns
        whole = pl.concat([kept.select(names), *(copy.select(names) for copy in copies)]).unique().sort("timestamp")
        if not whole.equals(rows(5_000)):
            raise RuntimeError(f"{len(whole)} rows of 5000")
        return len(kept)

    yield from how(tries, folder, Case(("data", "rm", KEY, "--yes"), _filled, result))


def data_fetch(tries: int, folder: Path, how: Driver = killed) -> Iterator[str]:
    """Kill ``maestro data fetch``: the series has every row of the exchange afterwards."""
    series = rows(2_000)
    first, last = series["timestamp"][0], series["timestamp"][-1]
    with FakeExchange(ExchangeMarket({("BTCUSDT", "bars", "1h"): series}, cap=200)) as exchange:

        def prepare(place: Path) -> object:
            (place / "maestro.yaml").write_text(f"servers: {{binance: {{url: {exchange.url}}}}}\n")
            return ""

        words = ("data", "fetch", "BINANCE", "BTCUSDT", "1h", "--from", f"{first:%Y-%m-%dT%H:%MZ}", "--to",
                 f"{last:%Y-%m-%dT%H:%MZ}", "--quiet")  # fmt: skip
        yield from how(tries, folder, Case(words, prepare, _stored, whole=False))


def _accounts(place: Path) -> object:
    with sqlite3.connect(place / "service/service.db") as connection:
        connection.execute("PRAGMA integrity_check")
        users = connection.execute("SELECT name, role FROM users ORDER BY name").fetchall()
        return users, connection.execute("SELECT user, label FROM keys").fetchall()[:1]


def _with_user(place: Path) -> object:
    from maestro.service.accounts import Users

    database = Database(place / "service")
    Users(database).add("ada", "admin", _PASSWORD)
    database.close()
    return ""


def user_add(tries: int, folder: Path, how: Driver = killed) -> Iterator[str]:
    """Kill ``maestro user add``: the user exists with role and password, or not at all."""
    (folder / "password").write_text(_PASSWORD)

    def prepare(place: Path) -> object:
        Database(place / "service").close()
        return ""

    words = ("user", "add", "ada", "--role", "admin", "--password-file", folder / "password")
    yield from how(tries, folder, Case(words, prepare, _accounts))


def user_key(tries: int, folder: Path, how: Driver = killed) -> Iterator[str]:
    """Kill ``maestro user key``: the user has a complete key or none."""
    yield from how(tries, folder, Case(("user", "key", "ada", "--label", "ci"), _with_user, _accounts))


def user_remove(tries: int, folder: Path, how: Driver = killed) -> Iterator[str]:
    """Kill ``maestro user remove``: the user exists unchanged, or not at all."""
    yield from how(tries, folder, Case(("user", "remove", "ada"), _with_user, _accounts))


def backup_create(tries: int, folder: Path, how: Driver = killed) -> Iterator[str]:
    """Kill ``maestro backup create``: each listed backup is complete and restores every row."""

    def prepare(place: Path) -> object:
        Database(place / "service").close()
        _filled(place)
        return ""

    def result(place: Path) -> object:
        kept, damaged = Archives(place / "backups").backups()
        if damaged:
            raise RuntimeError(damaged[0])
        if not kept:
            return 0
        shutil.rmtree(place / "restored", ignore_errors=True)
        restore(Archives(place / "backups"), kept[-1].name, place / "restored")
        return _stored(place / "restored")

    words = ("backup", "create", "--at", "backups", "--keep", 1)
    yield from how(tries, folder, Case(words, prepare, result))


def backup_restore(tries: int, folder: Path, how: Driver = killed) -> Iterator[str]:
    """Kill ``maestro backup restore``: the folder is complete or absent."""
    from maestro.config import make_settings
    from maestro.operations import backup

    Database(folder / "service").close()
    _filled(folder)
    settings = make_settings({"service.folder": folder / "service", "store": str(folder / "store"),
                              "ledger_dir": folder / "ledger", "runs_dir": folder / "runs"})  # fmt: skip
    backup.create(backup.places_of(settings), settings, Archives(folder / "backups"), keep=1, folder=folder / "backups")

    def result(place: Path) -> object:
        return _stored(place / "restored") if (place / "restored").exists() else None

    words = ("backup", "restore", "--at", folder / "backups", "--to", "restored")
    yield from how(tries, folder, Case(words, nothing, result))


def _dump(folder: Path) -> Path:
    path = folder / "trade_KRAKEN_BTCUSD_1h.json"
    path.write_text(as_json(documents(rows(2_000))))
    return path


def migrate(tries: int, folder: Path, how: Driver = killed) -> Iterator[str]:
    """Kill ``maestro data migrate``: the same command completes it, and the store has every row of the dump."""
    words = ("data", "migrate", "--from", _dump(folder), "--quiet")
    yield from how(tries, folder, Case(words, nothing, _stored, whole=False))


def migrate_back(tries: int, folder: Path, how: Driver = killed) -> Iterator[str]:
    """Kill ``maestro data migrate --rollback``: the same command completes it, and no row of the migration remains."""
    from maestro.data.legacy import migrate as move
    from maestro.data.legacy import open_legacy

    dump = _dump(folder)

    def prepare(place: Path) -> object:
        store = ParquetStore(place / "store")
        source = open_legacy(dump)
        report = move(source, store, folder=place / "state/migrations")
        source.close()
        store.close()
        return re.sub(r"\s", "", report.id)

    words = ("data", "migrate", "--rollback", "{}", "--quiet")
    yield from how(tries, folder, Case(words, prepare, _stored, whole=False))


AREAS: dict[str, Area] = {
    "kill-import": data_import, "kill-export": data_export, "kill-rm": data_rm, "kill-fetch": data_fetch,
    "kill-migrate": migrate, "kill-rollback": migrate_back, "kill-user-add": user_add, "kill-user-key": user_key,
    "kill-user-remove": user_remove, "kill-backup": backup_create, "kill-restore": backup_restore,
}  # fmt: skip
"""Each kills a command that writes at random moments; with another driver it does something else to it."""
