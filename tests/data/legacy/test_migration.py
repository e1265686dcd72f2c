"""Old tables moved, proved, interrupted and taken back: every row and bit, and nothing else."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import polars as pl
import pytest

import maestro as ms
from maestro.data.files.reading import canonical_frame
from maestro.data.legacy import Choices, MigrationReport, Progress, migrate, open_legacy, rollback
from maestro.data.legacy.journal import migrations
from maestro.data.stores import MemoryStore, ParquetStore, QuestDBStore, SeriesKey, Store
from maestro.data.stores.rows import fingerprint_rows
from maestro.errors import SettingsError, StoreError, StoreLockedError, StoreUnavailableError
from tests.support.questdb import PASSWORD, USER
from tests.support.rethink.documents import FIELDS, Document, as_json, documents, write_dump
from tests.support.rethink.server import OldServer

PROJECT = Path(__file__).parents[3]
KEY = SeriesKey("X", "Y_Z", "1h")
TABLE = "trade_X_Y_Z_1h"
Find = Callable[[str], Path]
MINUTES = int(os.environ.get("MAESTRO_TEST_MINUTES", "50000"))
"""Rows of the minute file that are migrated; the whole has more than a million and takes minutes."""


def bars(n: int = 1_000, seed: int = 1) -> pl.DataFrame:
    return ms.synthetic_bars(n, seed=seed).to_frame()


def export(folder: Path, rows: pl.DataFrame | list[Document], table: str = TABLE) -> Path:
    path = folder / f"{table}.json"
    path.write_text(as_json(documents(rows) if isinstance(rows, pl.DataFrame) else rows))
    return path


def move(place: Path | str, store: Store, folder: Path, **options: Any) -> MigrationReport:
    with closing(open_legacy(place)) as source:
        return migrate(source, store, folder=folder, **options)


def bits(frame: pl.DataFrame) -> list[list[int]]:
    """Stamps and values as whole numbers: equal only if every bit is."""
    frame = frame.select("timestamp", *FIELDS)
    return [
        frame["timestamp"].dt.epoch("us").to_list(),
        *(frame[name].to_numpy().view("i8").tolist() for name in FIELDS),
    ]


# -- the real series --------------------------------------------------------------------------


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
    assert report.whole
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
    assert taken_back.whole
    assert store.series() == []


# -- what is there already, and taking back ------------------------------------------------------


def prepared(store: Store) -> pl.DataFrame:
    """A store that has other rows of the series, equal ones, and different ones with funding; and another series."""
    rows = bars()
    there = pl.concat(
        [
            bars(1_200)[1_000:].with_columns(funding_rate=pl.lit(0.5)),
            rows[100:200].with_columns(funding_rate=pl.lit(None, pl.Float64)),
            rows[200:300].with_columns(pl.col("close") * 2, funding_rate=pl.lit(0.25)),
        ]
    )
    store.append(KEY, there)
    store.append(SeriesKey("OTHER", "Y", "1h"), rows[:10])
    return rows


def state(store: Store) -> dict[str, str]:
    return {str(info.key): store.fingerprint(info.key) for info in store.series()}


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
    assert report.whole
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


def test_rows_of_the_store_can_be_kept(tmp_path: Path) -> None:
    store = MemoryStore()
    rows = prepared(store)
    doubled = bits(store.read(KEY).filter(pl.col("timestamp").is_in(rows[200:300]["timestamp"].implode())))
    report = move(export(tmp_path, rows), store, tmp_path / "journal", existing="keep", batch=64)
    (table,) = report.tables
    assert (table.inserted, table.replaced, table.unchanged, table.kept) == (800, 0, 100, 100)
    assert report.ok
    assert not report.whole
    assert "100 rows of the target with other values were left" in report.to_markdown()
    assert bits(store.read(KEY)[200:300]) == doubled
    assert rollback(report.id, store, folder=tmp_path / "journal").series[0].as_before


# -- what goes wrong -----------------------------------------------------------------------------


class Failing(MemoryStore):
    """Fails at the append of that number; `changes` its rows behind its back at another."""

    def __init__(self, fail_at: int = -1, error: type[StoreError] = StoreUnavailableError, spoil_at: int = -1) -> None:
        super().__init__()
        self.appends, self.fail_at, self.error, self.spoil_at = 0, fail_at, error, spoil_at

    @property
    def name(self) -> str:
        return "memory:failing"

    def append(self, key: SeriesKey, frame: pl.DataFrame) -> Any:
        self.appends += 1
        if self.appends == self.fail_at:
            super().append(key, frame[: len(frame) // 2])  # as a server that goes down between two batches
            raise self.error("no answer.")
        if self.appends == self.spoil_at:
            frame = frame.with_columns(pl.when(pl.int_range(pl.len()) == 3).then(1e9).otherwise("low").alias("low"))
        return super().append(key, frame)


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
    assert report.whole
    assert (report.tables[0].inserted, report.tables[0].replaced, report.tables[0].unchanged) == (800, 100, 100)
    assert bits(store.read(KEY)[:1_000]) == bits(rows)
    (series,) = rollback(report.id, store, folder=journal).series
    assert (series.removed, series.restored, series.as_before) == (800, 100, True)
    assert state(store) == before


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
    assert mended.whole
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


def test_documents_that_are_no_rows_are_named_in_the_report_and_a_file(tmp_path: Path) -> None:
    found = documents(bars(100))
    found[3]["close"], found[7]["timestamp"], found[9]["volume"] = None, "soon", 2**53 + 1
    found.append({**found[20], "id": "other", "open": 1})
    found.append({**found[30], "id": "same"})
    report = move(export(tmp_path, found), MemoryStore(), tmp_path / "journal")
    (table,) = report.tables
    assert report.ok
    assert not report.whole
    assert (table.documents, table.rows, table.identical, table.lost) == (102, 96, 1, 5)
    written = (Path(report.folder) / "rejected" / f"{TABLE}.ndjson").read_text().splitlines()
    assert [json.loads(line)["reason"] for line in written] == [
        "it has no close",
        "the timestamp is not a moment",
        "volume is a whole number too large to be a float64 without loss",
        *["another document has its timestamp and other values"] * 2,
    ]
    assert json.loads(written[0])["document"] == found[3]
    text = (Path(report.folder) / "report.md").read_text()
    assert "**5 documents are not rows and are not migrated" in text
    assert text == report.to_markdown()
    assert json.loads((Path(report.folder) / "report.json").read_text()) == json.loads(json.dumps(report.to_dict()))


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
        assert report.whole
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
