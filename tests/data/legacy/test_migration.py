"""Old tables moved, proved, interrupted and taken back: every row and bit, and nothing else."""

from __future__ import annotations

import errno
import json
import math
import os
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from maestro.data.files.reading import canonical_frame
from maestro.data.legacy import Choices, Progress, migrate, open_legacy, rollback
from maestro.data.legacy.journal import Migration, migrations
from maestro.data.stores import MemoryStore, ParquetStore, SeriesKey
from maestro.data.stores.rows import fingerprint_rows
from maestro.errors import SettingsError, StoreLockedError, StoreUnavailableError
from tests.data.legacy.migrating import KEY, TABLE, Failing, bars, bits, export, move, prepared, state
from tests.support.rethink.documents import FIELDS, Document, documents, write_dump
from tests.support.rethink.server import OldServer

Find = Callable[[str], Path]


MINUTES = int(os.environ.get("MAESTRO_TEST_MINUTES", "50000"))
"""Rows of the minute file that are migrated; the whole has more than a million and takes minutes."""


@pytest.fixture(scope="module")
def real_series(real_file: Find) -> dict[str, tuple[SeriesKey, pl.DataFrame]]:
    """Every real file of bars as old tables, a float at the edge of precision in the first one."""
    bitstamp = canonical_frame(pl.read_csv(real_file("bitstamp_BTCUSD_1h_2018-2024.csv.gz"))).reverse()
    edge = pl.Series([0.1 + 0.2, math.nextafter(1.0, 2.0), 5e-324, 1.7976931348623157e308])
    volume = pl.concat([edge, bitstamp["volume"][4:]])
    found = {
        "trade_BITSTAMP_BTC_USD_1h": (SeriesKey("BITSTAMP", "BTC_USD", "1h"), bitstamp.with_columns(volume=volume))
    }
    files = (
        ("BITFINEX", "bitfinex_7sym_1h.parquet", "1h"),
        ("BINANCE", "binance_usdm_12sym_1h.parquet", "1h"),
        ("BINANCE", "binance_usdm_12sym_4h.parquet", "4h"),
        ("LEAN", "lean_us_equity_daily_10sym.parquet", "1d"),
    )
    for provider, name, timeframe in files:
        table = pl.read_parquet(real_file(name))
        for symbol in table["symbol"].unique().sort():
            rows = canonical_frame(table, symbol).select("timestamp", *FIELDS).sort("timestamp")
            found[f"trade_{provider}_{symbol}_{timeframe}"] = SeriesKey(provider, symbol, timeframe), rows
    table = pl.scan_parquet(real_file("bitfinex_BTCUSD_1m_2018-2019.parquet"))
    minutes = canonical_frame(table.head(MINUTES).collect())
    found["trade_BITFINEX_BTCUSD_1m"] = SeriesKey("BITFINEX", "BTCUSD", "1m"), minutes.select("timestamp", *FIELDS)
    return found


@pytest.fixture(scope="module")
def real_documents(real_series: dict[str, tuple[SeriesKey, pl.DataFrame]]) -> dict[str, list[Document]]:
    return {table: documents(rows) for table, (_, rows) in real_series.items()}


@pytest.mark.parametrize("way", ["driver", "dump"])
def test_the_real_series_move_whole(
    way: str,
    real_series: dict[str, tuple[SeriesKey, pl.DataFrame]],
    real_documents: dict[str, list[Document]],
    tmp_path: Path,
) -> None:
    store = ParquetStore(tmp_path / "store")
    if way == "driver":
        with OldServer({"market": real_documents}, password="secret", cut_after=[150_000]) as server:
            report = move(f"{server.url}/market", store, tmp_path / "journal")
            assert "secret" not in json.dumps(report.to_dict())
    else:
        dump = write_dump(tmp_path / "old.tar.gz", {"market": real_documents})
        report = move(dump, store, tmp_path / "journal")
    assert report.complete
    assert len(report.tables) == len(real_series) == 43
    assert (
        sum(table.documents for table in report.tables) == sum(len(rows) for _, rows in real_series.values()) > 400_000
    )
    for table in report.tables:
        key, rows = real_series[table.table.removeprefix("market.")]
        assert table.series == str(key)
        assert (table.documents, table.rows, table.inserted, table.found) == (len(rows),) * 4, table.table
        assert table.largest_difference == 0.0
        assert table.checksum == table.checksum_found == fingerprint_rows("bars", rows)
        assert bits(store.read(key)) == bits(rows), table.table
    assert {info.key for info in store.series()} == {key for key, _ in real_series.values()}
    taken_back = rollback(report.id, store, folder=tmp_path / "journal")
    assert taken_back.complete
    assert store.series() == []


def test_rows_of_the_store_can_be_kept(tmp_path: Path) -> None:
    store = MemoryStore()
    rows = prepared(store)
    doubled = bits(store.read(KEY).filter(pl.col("timestamp").is_in(rows[200:300]["timestamp"].implode())))
    report = move(export(tmp_path, rows), store, tmp_path / "journal", existing="keep", batch=64)
    (table,) = report.tables
    assert (table.inserted, table.replaced, table.unchanged, table.kept) == (800, 0, 100, 100)
    assert report.ok
    assert not report.complete
    assert "100 rows of the target with other values were left" in report.to_markdown()
    assert bits(store.read(KEY)[200:300]) == doubled
    assert rollback(report.id, store, folder=tmp_path / "journal").series[0].as_before


def test_a_store_that_goes_away_stops_the_migration_and_the_same_call_goes_on(tmp_path: Path) -> None:
    store = Failing(fail_at=4)
    rows = prepared(store)
    before = state(store)
    place, journal = export(tmp_path, rows), tmp_path / "journal"
    with pytest.raises(StoreUnavailableError, match=r"no answer\. Run the same again to go on with migration \d{8}-"):
        move(place, store, journal, batch=100)
    (unfinished,) = migrations(journal)
    assert unfinished.manifest["status"] == "unfinished"
    report = move(place, store, journal, batch=300)
    assert report.resumed
    assert report.id == unfinished.id
    assert report.complete
    assert (report.tables[0].inserted, report.tables[0].replaced, report.tables[0].unchanged) == (800, 100, 100)
    assert bits(store.read(KEY)[:1_000]) == bits(rows)
    (series,) = rollback(report.id, store, folder=journal).series
    assert (series.removed, series.restored, series.as_before) == (800, 100, True)
    assert state(store) == before


def test_a_migration_is_complete_only_when_its_reports_are_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place, journal, store = export(tmp_path, bars()), tmp_path / "journal", MemoryStore()
    with monkeypatch.context() as patched:
        patched.setattr(Migration, "write", full_disk)
        with pytest.raises(OSError, match="No space left"):
            move(place, store, journal)
    report = move(place, store, journal)
    assert report.resumed
    assert Path(report.folder, "report.md").read_text() == report.to_markdown()


def full_disk(*_: object) -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_a_store_that_changes_a_row_is_found_out(tmp_path: Path) -> None:
    store = Failing(spoil_at=2)
    report = move(export(tmp_path, bars()), store, tmp_path / "journal", batch=300)
    (table,) = report.tables
    assert not report.ok
    assert table.status == "failed"
    assert "the store's rows differ from the documents', by up to 1e+09" in table.error
    assert table.checksum != table.checksum_found
    assert "**1 failed: see below.**" in report.to_markdown()
    mended = move(tmp_path / f"{TABLE}.json", store, tmp_path / "journal")
    assert mended.resumed
    assert mended.complete
    assert rollback(mended.id, store, folder=tmp_path / "journal").series[0].as_before
    assert store.series() == []


def test_a_table_that_cannot_be_read_does_not_stop_the_others(tmp_path: Path) -> None:
    folder = tmp_path / "export"
    (folder / "old").mkdir(parents=True)
    for symbol in "ABC":
        export(folder / "old", bars(50), f"trade_X_{symbol}_1h")
    torn = folder / "old" / "trade_X_B_1h.json"
    whole = torn.read_text()
    torn.write_text(whole[: len(whole) // 2])
    (folder / "old" / "users.json").write_text("[]")
    (folder / "old" / "trade_X_D_1h.json").write_text("[]")
    (folder / "old" / "trade_X_E_1h.json").write_text('[{"id": 1, "close": 3}]')
    store = MemoryStore()
    report = move(folder, store, tmp_path / "journal")
    assert [table.status for table in report.tables] == ["done", "failed", "done", "done", "failed"]
    assert "Take another copy" in report.tables[1].error
    assert "none of the 1 documents is a row" in report.tables[4].error
    assert report.tables[3].notes == ["the table is empty"]
    assert report.left_out == [("old.users", "its name does not begin with trade_")]
    assert [str(info.key) for info in store.series()] == ["X:A:1h", "X:C:1h"]
    torn.write_text(whole)
    again = move(folder, store, tmp_path / "journal")
    assert again.resumed
    assert [table.status for table in again.tables] == ["done", "done", "done", "done", "failed"]
    assert {series.series for series in rollback(again.id, store, folder=tmp_path / "journal").series} == {
        "X:A:1h", "X:B:1h", "X:C:1h",
    }  # fmt: skip
    assert store.series() == []


def test_a_database_that_is_written_to_meanwhile_and_one_that_does_not_send_all(tmp_path: Path) -> None:
    with OldServer({"old": {TABLE: documents(bars(100))}}) as server:
        server.count_offset = 1
        report = move(server.url, MemoryStore(), tmp_path / "journal")
        assert "100 documents came of 101; run it again" in report.tables[0].error
        server.count_offset = 0
        counts = iter([99, 100])
        with closing(open_legacy(server.url)) as source:
            source.count = lambda table: next(counts)  # type: ignore[method-assign]
            report = migrate(source, MemoryStore(), folder=tmp_path / "journal")
        assert report.complete
        assert "the table is being written to: 99 documents before reading it, 100 afterwards" in report.tables[0].notes
        server.forbidden.add(TABLE)
        report = move(server.url, MemoryStore(), tmp_path / "journal")
        assert "does not have the required `read` permission" in report.tables[0].error


def test_tables_are_chosen_and_named(tmp_path: Path) -> None:
    tables = {"trade_X_A_1h": [], "trade_x_a_1h": [], "trade_X_B_1M": [], "candles": documents(bars(5))}
    store, journal = MemoryStore(), tmp_path / "journal"
    dump = write_dump(tmp_path / "old.tar.gz", {"a": tables, "b": {"trade_X_A_1h": []}})

    def moved(**options: Any) -> list[tuple[str, str]]:
        report = move(dump, store, journal, dry_run=True, **options)
        return [(table.table, table.series) for table in report.tables]

    with pytest.raises(SettingsError, match=r"tables a.trade_X_A_1h and a.trade_x_a_1h are both X:A:1h"):
        moved(names={"trade_X_B_1M": "X:B:4w"})
    with pytest.raises(SettingsError, match="--table trade_X_B_1M=PROVIDER:SYMBOL:TIMEFRAME"):
        moved()
    with pytest.raises(
        SettingsError, match=r"has several tables 'trade_X_A_1h': a.trade_X_A_1h, b.trade_X_A_1h; name one"
    ):
        moved(tables=["trade_X_A_1h"])
    with pytest.raises(SettingsError, match=r"has no table 'candle'\. Did you mean 'candles'"):
        moved(tables=["candle"])
    assert moved(tables=["a.trade_X_A_1h"]) == [("a.trade_X_A_1h", "X:A:1h")]
    assert moved(tables=["candles"], names={"candles": "x:c:60m"}) == [("a.candles", "X:C:1h")]
    names = {"a.trade_x_a_1h": "X:A_2:1h", "trade_X_B_1M": "X:B:4w", "b.trade_X_A_1h": "X:A_3:1h"}
    assert moved(names=names) == [
        ("a.trade_X_A_1h", "X:A:1h"), ("a.trade_x_a_1h", "X:A_2:1h"), ("a.trade_X_B_1M", "X:B:4w"),
        ("b.trade_X_A_1h", "X:A_3:1h"),
    ]  # fmt: skip
    with pytest.raises(SettingsError, match="X:C:funding is not a series of bars"):
        moved(tables=["candles"], names={"candles": "X:C:funding"})


def test_one_migration_at_a_time_and_other_choices_are_another_one(tmp_path: Path) -> None:
    store = Failing(fail_at=2)
    place, journal = export(tmp_path, bars()), tmp_path / "journal"
    with pytest.raises(StoreUnavailableError):
        move(place, store, journal, batch=300)
    (first,) = migrations(journal)

    def beside(progress: Progress) -> None:
        with pytest.raises(StoreLockedError, match="this migration is being written by process"):
            move(place, store, journal)
        with pytest.raises(StoreLockedError, match=f"migration {first.id} is being written by"):
            rollback(first.id, store, folder=journal)
        seen.append(progress)

    seen: list[Progress] = []
    assert move(place, store, journal, progress=beside).id == first.id
    assert {one.phase for one in seen} == {"read", "write", "check"}
    assert seen[-1] == Progress(TABLE, "check", 1_000, 1_000)
    store.fail_at, store.appends = 1, 0
    store.delete(KEY)
    with pytest.raises(StoreUnavailableError):
        move(place, store, journal)
    other = move(place, store, journal, choices=Choices(duplicates="last"))
    assert not other.resumed
    fresh = move(place, store, journal, again=True)
    assert not fresh.resumed
    assert move(place, store, journal).resumed
    with pytest.raises(SettingsError, match=rf"there is no migration 'x' in .*; there are: .*{first.id}"):
        rollback("x", store, folder=journal)
    with pytest.raises(SettingsError, match=f"migration {first.id} wrote to memory:failing, not to memory:"):
        rollback(first.id, MemoryStore(), folder=journal)
