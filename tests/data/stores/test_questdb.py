"""The QuestDB store against a real server: bits, kills, crowds, and every kind of failure in plain words."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import polars as pl
import pytest

from maestro.bars import Bars
from maestro.data.stores import ParquetStore, QuestDBStore, SeriesKey, questdb_http
from maestro.data.stores import questdb_server as servers
from maestro.data.stores.questdb_server import QuestDBServer
from maestro.data.stores.rows import STAMP, fingerprint_rows
from maestro.errors import (
    BarsError,
    SettingsError,
    StoreAccessError,
    StoreError,
    StoreFullError,
    StoreSchemaError,
    StoreUnavailableError,
)
from tests.support.patience import GIVE_UP
from tests.support.questdb import PASSWORD, USER

pytestmark = pytest.mark.questdb
MINUTE, HOUR = 60_000_000, 3_600_000_000
NEW_YEAR_2020 = 1_577_836_800_000_000


def rows(stamps: Any, close: float | None = None, seed: int = 0) -> pl.DataFrame:
    """Bars whose prices use all bits, or are all `close`."""
    stamps = np.asarray(stamps, np.int64)
    random = np.random.default_rng(seed)
    values = {
        name: random.lognormal(size=len(stamps)) if close is None else np.full(len(stamps), close)
        for name in ("open", "high", "low", "close", "volume")
    }
    return pl.DataFrame({"timestamp": pl.Series(stamps).cast(STAMP), **values})


def minutes(n: int, seed: int = 0) -> pl.DataFrame:
    return rows(NEW_YEAR_2020 + MINUTE * np.arange(n), seed=seed)


@pytest.fixture
def store(questdb: QuestDBServer) -> Iterator[QuestDBStore]:
    made = QuestDBStore(questdb.url, user=USER, password=PASSWORD)
    yield made
    made.close()


def ask(questdb: QuestDBServer, sql: str) -> Any:
    answer = httpx.get(f"{questdb.url}/exec", params={"query": sql}, auth=(USER, PASSWORD))
    assert answer.status_code == 200, answer.text
    return answer.json().get("dataset")


# -- rows -----------------------------------------------------------------------------------


def test_a_hundred_thousand_rows_and_more_come_back_to_the_bit(store: QuestDBStore, questdb: QuestDBServer) -> None:
    key, frame = SeriesKey("QUEST", "BITS", "1m"), minutes(250_000)
    assert store.append(key, frame).inserted == len(frame)
    found = store.read(key)
    for name in frame.columns[1:]:
        assert (found[name].to_numpy().view(np.int64) == frame[name].to_numpy().view(np.int64)).all()
    assert store.fingerprint(key) == fingerprint_rows("bars", frame)
    assert store.append(key, frame).unchanged == len(frame)
    assert ask(questdb, "SELECT count() FROM 'bars.QUEST.BITS.1m'") == [[250_000]]


def test_real_bars_are_the_same_in_both_stores(store: QuestDBStore, real_hours: Bars, tmp_path: Path) -> None:
    key, files = SeriesKey("QUEST", "REAL", "1h"), ParquetStore(tmp_path)
    for each in (store, files):
        each.append(key, real_hours.to_frame())
    assert store.fingerprint(key) == files.fingerprint(key)
    bars = Bars.from_frame(store.read(key), timeframe="1h")
    assert bars.fingerprint == real_hours.fingerprint


def test_the_table_is_as_designed(store: QuestDBStore, questdb: QuestDBServer) -> None:
    for timeframe, partition in (("1s", "DAY"), ("1m", "MONTH"), ("1h", "YEAR"), ("1d", "YEAR")):
        key = SeriesKey("QUEST", "DESIGN", timeframe)
        store.append(key, rows([NEW_YEAR_2020]))
        made = ask(
            questdb,
            "SELECT designatedTimestamp, partitionBy, walEnabled, dedup FROM tables() "
            f"WHERE table_name = 'bars.QUEST.DESIGN.{timeframe}'",
        )
        assert made == [["timestamp", partition, True, True]]


def test_rows_from_before_1970_are_refused(store: QuestDBStore) -> None:
    with pytest.raises(BarsError, match=r"before 1970.*Parquet"):
        store.append(SeriesKey("QUEST", "OLD", "1h"), rows([-HOUR]))


def test_names_reach_the_server_as_names_only(store: QuestDBStore, questdb: QuestDBServer) -> None:
    key = SeriesKey("QUEST", "a_b-c.d", "1h")
    store.append(key, rows([0]))
    assert [row for row in ask(questdb, "SELECT table_name FROM tables()") if "A_B" in row[0]] == [
        ["bars.QUEST.A_B-C.D.1h"]
    ]
    with pytest.raises(SettingsError):
        SeriesKey("QUEST", "x'; DROP TABLE 'bars.QUEST.A_B-C.D.1h'; --", "1h")
    for wrong in ("1; DROP TABLE x", 0.5j):
        with pytest.raises((ValueError, TypeError)):
            store.read(key, start=wrong)  # type: ignore[arg-type]
    assert len(store.read(key)) == 1


# -- kills and crowds -----------------------------------------------------------------------


def test_a_server_killed_while_it_is_loaded_loses_and_doubles_nothing(
    make_questdb: Callable[..., QuestDBServer], monkeypatch: pytest.MonkeyPatch
) -> None:
    questdb = make_questdb()
    questdb.start()
    key, frame, step = SeriesKey("QUEST", "KILLED", "1m"), minutes(1_500_000), 60_000
    store = QuestDBStore(questdb.url)
    acknowledged: list[int] = []
    monkeypatch.setattr(questdb_http, "_RESEND", 1_000)
    enough = threading.Event()
    failure: list[BaseException] = []

    def load() -> None:
        try:
            for at in range(0, len(frame), step):
                store.append(key, frame.slice(at, step))
                acknowledged.append(at + step)
                if at >= 4 * step:
                    enough.set()
        except StoreError as error:
            failure.append(error)
        enough.set()

    loader = threading.Thread(target=load)
    loader.start()
    assert enough.wait(GIVE_UP)
    questdb.kill()
    loader.join()
    with pytest.raises(StoreUnavailableError, match="does not answer"):
        store.read(key)
    assert len(failure) == 1, "the load ended before the kill"
    assert isinstance(failure[0], StoreUnavailableError)
    questdb.start()
    there = len(store.read(key))
    assert there >= acknowledged[-1]
    assert store.read(key).equals(frame.head(there))
    result = store.append(key, frame.head(acknowledged[-1] + 2 * step))
    assert result.inserted == acknowledged[-1] + 2 * step - there
    assert result.changed == 0
    assert store.read(key).equals(frame.head(acknowledged[-1] + 2 * step))
    store.close()
    questdb.stop()


def test_eight_readers_and_a_writer_at_once(store: QuestDBStore, questdb: QuestDBServer) -> None:
    """Each reader sees a first part of what is written, in order, growing; the server lets two export at a time."""
    key, frame, step = SeriesKey("QUEST", "CROWD", "1m"), minutes(60_000), 5_000
    store.append(key, frame.head(step))
    done = threading.Event()
    failures: list[BaseException] = []
    reads = [0] * 8

    def read(number: int) -> None:
        own = QuestDBStore(questdb.url, user=USER, password=PASSWORD) if number % 2 else store
        seen = 0
        try:
            while not done.is_set():
                found = own.read(key)
                assert found.equals(frame.head(len(found)))
                assert len(found) >= seen
                seen = len(found)
                reads[number] += 1
            assert own.read(key).equals(frame)
        except BaseException as error:
            failures.append(error)

    readers = [threading.Thread(target=read, args=(number,)) for number in range(8)]
    for reader in readers:
        reader.start()
    for at in range(step, len(frame), step):
        assert store.append(key, frame.slice(at, step)).inserted == step
    done.set()
    for reader in readers:
        reader.join()
    assert failures == []
    assert all(reads)


def test_two_writers_at_once(store: QuestDBStore) -> None:
    key, frame = SeriesKey("QUEST", "WRITERS", "1m"), minutes(20_000)
    failures: list[BaseException] = []

    def write(half: int) -> None:
        try:
            for at in range(0, len(frame), 2_000):
                store.append(key, frame.slice(at, 2_000).gather_every(2, half))
        except BaseException as error:
            failures.append(error)

    writers = [threading.Thread(target=write, args=(half,)) for half in range(2)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert failures == []
    assert store.read(key).equals(frame)


# -- deleting -------------------------------------------------------------------------------


@pytest.mark.parametrize("killed_after", ['RENAME TABLE "bars.QUEST.GONE1', 'DROP TABLE IF EXISTS "bars.QUEST.GONE2'])
def test_a_deletion_that_is_killed_is_finished_by_the_next_who_looks(
    store: QuestDBStore, questdb: QuestDBServer, killed_after: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = SeriesKey("QUEST", killed_after.split(".")[-1], "1h")
    frame = rows(NEW_YEAR_2020 + HOUR * np.arange(50))
    store.append(key, frame)
    real = store._server.ask

    class Killed(BaseException):
        pass

    def ask_until(sql: str, tries: int = 5) -> Any:
        answer = real(sql, tries)
        if sql.startswith("RENAME") and killed_after.startswith("RENAME"):
            raise Killed
        if sql.startswith("RENAME") and ".new" in sql:
            raise Killed
        return answer

    monkeypatch.setattr(store._server, "ask", ask_until)
    with pytest.raises(Killed):
        store.delete(key, stamps=[NEW_YEAR_2020])
    monkeypatch.undo()
    assert store.read(key).equals(frame.tail(49))
    assert store.append(key, frame).inserted == 1
    assert store.delete(key, stamps=[NEW_YEAR_2020]) == 1
    left = [row[0] for row in ask(questdb, "SELECT table_name FROM tables()") if key.symbol in row[0]]
    assert left == [f"bars.QUEST.{key.symbol}.1h"]


def test_a_write_during_a_deletion_is_not_lost(store: QuestDBStore, monkeypatch: pytest.MonkeyPatch) -> None:
    key, frame = SeriesKey("QUEST", "RACE", "1h"), rows(NEW_YEAR_2020 + HOUR * np.arange(50))
    store.append(key, frame.head(40))
    real = QuestDBStore._create

    def create(self: QuestDBStore, key: SeriesKey, table: str) -> None:
        monkeypatch.setattr(QuestDBStore, "_create", real)
        real(self, key, table)
        store.append(key, frame)

    monkeypatch.setattr(QuestDBStore, "_create", create)
    with pytest.raises(StoreError, match="was written to while rows were being deleted; nothing was deleted"):
        store.delete(key, stamps=[NEW_YEAR_2020])
    assert store.read(key).equals(frame)
    assert store.delete(key, stamps=[NEW_YEAR_2020]) == 1


# -- failures in plain words ----------------------------------------------------------------


def test_a_server_that_is_down(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(questdb_http, "_PAUSE", 0.001)
    url = f"http://127.0.0.1:{servers.free_port()}"
    store, key = QuestDBStore(url), SeriesKey("X", "Y", "1h")
    for act in (lambda: store.read(key), lambda: store.append(key, rows([0])), store.series, lambda: store.delete(key)):
        with pytest.raises(StoreUnavailableError, match=rf"{url} does not answer .*maestro data questdb start"):
            act()


@pytest.mark.parametrize("login", [{}, {"user": USER, "password": "wrong"}, {"user": "nobody", "password": PASSWORD}])
def test_a_wrong_password(questdb: QuestDBServer, login: dict[str, str]) -> None:
    store, key = QuestDBStore(questdb.url, **login), SeriesKey("X", "Y", "1h")
    who = f"user '{login['user']}'" if login else "no user"
    for act in (lambda: store.read(key), lambda: store.append(key, rows([0])), store.series):
        with pytest.raises(StoreAccessError, match=rf"refuses {who}.*MAESTRO_QUESTDB_PASSWORD") as caught:
            act()
        assert "wrong" not in str(caught.value)
    assert PASSWORD not in repr(store)


def test_a_full_disk(store: QuestDBStore, questdb: QuestDBServer) -> None:
    """As a server is whose disk is full: it takes rows into its log and suspends the table."""
    key, frame = SeriesKey("QUEST", "FULL", "1h"), rows(HOUR * np.arange(10))
    store.append(key, frame.head(4))
    table = "bars.QUEST.FULL.1h"
    real = store._server.ask

    def suspended(sql: str, tries: int = 5) -> Any:
        if sql.startswith("ALTER"):
            return []  # there is still no space
        return real(sql, tries)

    ask(questdb, f"ALTER TABLE '{table}' SUSPEND WAL WITH 28, 'No space left'")
    store._server.ask = suspended  # type: ignore[method-assign]
    with pytest.raises(StoreFullError, match=rf"no space left: table {table} is suspended.*Make room, then repeat"):
        store.append(key, frame)
    store._server.ask = real  # type: ignore[method-assign]
    assert store.append(key, frame).inserted == 6  # there is: the table goes on
    assert store.read(key).equals(frame)


@pytest.mark.parametrize(
    ("number", "table", "message"),
    [
        (1, "(timestamp TIMESTAMP, open SYMBOL, high DOUBLE, low DOUBLE, close DOUBLE, volume DOUBLE) "
         "TIMESTAMP(timestamp) PARTITION BY YEAR WAL DEDUP UPSERT KEYS(timestamp)", "open "),
        (2, "(timestamp TIMESTAMP, open DOUBLE, high DOUBLE, low DOUBLE, close DOUBLE) "
         "TIMESTAMP(timestamp) PARTITION BY YEAR WAL DEDUP UPSERT KEYS(timestamp)", "no volume"),
        (3, "(timestamp TIMESTAMP, open DOUBLE, high DOUBLE, low DOUBLE, close DOUBLE, volume DOUBLE, note STRING) "
         "TIMESTAMP(timestamp) PARTITION BY YEAR WAL DEDUP UPSERT KEYS(timestamp)", "note "),
    ],
)  # fmt: skip
def test_a_table_of_another_shape(
    store: QuestDBStore, questdb: QuestDBServer, number: int, table: str, message: str
) -> None:
    key = SeriesKey("QUEST", f"SHAPE{number}", "1h")
    ask(questdb, f"CREATE TABLE 'bars.QUEST.SHAPE{number}.1h' {table}")
    for act in (lambda: store.read(key), lambda: store.append(key, rows([0]))):
        with pytest.raises(
            StoreSchemaError, match=rf"bars.QUEST.SHAPE{number}.1h .* is not as Maestro makes it: {message}"
        ):
            act()


def test_a_table_without_deduplication(store: QuestDBStore, questdb: QuestDBServer) -> None:
    key, table = SeriesKey("QUEST", "TWICE", "1h"), "bars.QUEST.TWICE.1h"
    columns = "timestamp TIMESTAMP, open DOUBLE, high DOUBLE, low DOUBLE, close DOUBLE, volume DOUBLE"
    ask(questdb, f"CREATE TABLE '{table}' ({columns}) TIMESTAMP(timestamp) PARTITION BY YEAR BYPASS WAL")
    for _ in range(2):
        ask(questdb, f"INSERT INTO '{table}' VALUES (0, 1, 1, 1, 1, 1)")
    try:
        with pytest.raises(StoreSchemaError, match="several rows with one timestamp"):
            store.read(key)
        for act in (lambda: store.append(key, rows([0])), lambda: store.delete(key)):
            with pytest.raises(StoreSchemaError, match="timestamp not designated and key of deduplication"):
                act()
    finally:
        ask(questdb, f"DROP TABLE '{table}'")  # it would be listed as a series, and can be deleted as none


def test_foreign_tables_are_no_series(store: QuestDBStore, questdb: QuestDBServer) -> None:
    for table in ("trades", "bars.QUEST", "bars.QUEST.X.Y.1h.new"):
        ask(
            questdb, f"CREATE TABLE '{table}' (timestamp TIMESTAMP, a DOUBLE) TIMESTAMP(timestamp) PARTITION BY DAY WAL"
        )
    assert not [info for info in store.series() if info.key.symbol in ("TRADES", "X.Y")]


@pytest.mark.parametrize("url", ["localhost:9000", "http://", "ftp://x", "http://u:p@host", "http://host/path", ""])
def test_addresses_that_are_none(url: str) -> None:
    with pytest.raises(SettingsError, match="not the address of a QuestDB server") as caught:
        QuestDBStore(url)
    assert "u:p" not in str(caught.value)
