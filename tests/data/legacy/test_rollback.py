"""A rollback takes back what a migration wrote, and nothing else."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from maestro.data.legacy import rollback
from maestro.data.legacy.journal import migrations
from maestro.data.stores import MemoryStore, ParquetStore, QuestDBStore, Store
from maestro.data.stores.rows import fingerprint_rows
from maestro.errors import StoreUnavailableError
from tests.data.legacy.migrating import KEY, Failing, bits, export, move, prepared, state
from tests.support.questdb import PASSWORD, USER


def make_store(kind: str, request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    if kind == "questdb":
        server = request.getfixturevalue("questdb")
        store = QuestDBStore(server.url, user=USER, password=PASSWORD)
        for info in store.series():
            store.delete(info.key)
        return store
    return MemoryStore() if kind == "memory" else ParquetStore(tmp_path / "store")


STORES = ["memory", "parquet", pytest.param("questdb", marks=pytest.mark.questdb)]


@pytest.mark.parametrize("kind", STORES)
def test_a_rollback_leaves_the_target_as_it_was(kind: str, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    store = make_store(kind, request, tmp_path)
    rows = prepared(store)
    before = state(store)
    place, journal = export(tmp_path, rows), tmp_path / "journal"

    counted = move(place, store, journal, dry_run=True)
    assert state(store) == before
    assert not journal.exists()
    (table,) = counted.tables
    assert (counted.id, table.status, table.inserted, table.replaced, table.unchanged) == ("", "counted", 800, 100, 100)
    assert table.checksum == fingerprint_rows("bars", rows)

    report = move(place, store, journal, batch=90)
    (table,) = report.tables
    assert report.complete
    assert (table.inserted, table.replaced, table.unchanged, table.found) == (800, 100, 100, 1_000)
    assert bits(store.read(KEY)[:1_000]) == bits(rows)
    funding = store.read(KEY)["funding_rate"]
    assert funding[200:300].to_list() == [0.25] * 100, "funding that the replaced rows carried is not lost"
    assert funding[1_000:].to_list() == [0.5] * 200

    again = move(place, store, journal)
    assert (again.tables[0].inserted, again.tables[0].replaced, again.tables[0].unchanged) == (0, 0, 1_000)
    assert again.id != report.id
    assert rollback(again.id, store, folder=journal).series == []
    assert bits(store.read(KEY)[:1_000]) == bits(rows)

    taken_back = rollback(report.id, store, folder=journal)
    (series,) = taken_back.series
    assert (series.removed, series.restored, series.before, series.left) == (800, 100, 0, 0)
    assert series.as_before
    assert state(store) == before

    twice = rollback(report.id, store, folder=journal)
    assert (twice.series[0].removed, twice.series[0].restored, twice.series[0].before) == (0, 0, 900)
    assert state(store) == before
    store.close()


@pytest.mark.parametrize("kind", ["memory", "parquet"])
def test_rows_written_since_by_others_stay(kind: str, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    store = make_store(kind, request, tmp_path)
    rows = prepared(store)
    report = move(export(tmp_path, rows), store, tmp_path / "journal")
    theirs = rows[150:160].with_columns(volume=pl.lit(1.0))
    revised = rows[250:252].with_columns(pl.col("close") * 3)
    added = rows[500:503].with_columns(open_interest=pl.lit(9.0))
    for frame in (theirs, revised, added):
        store.append(KEY, frame)
    (series,) = rollback(report.id, store, folder=tmp_path / "journal").series
    assert (series.removed, series.restored, series.left, series.as_before) == (797, 98, 5, False)
    assert series.left_examples == [rows["timestamp"][at].isoformat() for at in (250, 251, 500)]
    kept = store.read(KEY)
    assert len(kept) == 200 + 100 + 100 + 3
    for frame in (theirs, revised, added):
        assert bits(kept.filter(pl.col("timestamp").is_in(frame["timestamp"].implode()))) == bits(frame)


def test_an_unfinished_migration_can_be_taken_back(tmp_path: Path) -> None:
    store = Failing(fail_at=5)
    rows = prepared(store)
    before = state(store)
    with pytest.raises(StoreUnavailableError):
        move(export(tmp_path, rows), store, tmp_path / "journal", batch=100)
    assert state(store) != before
    (migration,) = migrations(tmp_path / "journal")
    (series,) = rollback(migration.id, store, folder=tmp_path / "journal").series
    assert series.as_before
    assert state(store) == before
