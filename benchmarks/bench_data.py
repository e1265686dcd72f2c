"""Bars in and out of the stores, beside pandas' CSV reader and psycopg, on the same rows in the same run.

Made-up bars: a year of hours and a million minutes. The QuestDB server is started for it, on free ports, in a temporary
folder; `tools/setup_test_services` fetches what it needs.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import numpy as np
import pandas as pd
import psycopg

import maestro as ms
from maestro.data.stores import CachedStore, ParquetStore, QuestDBStore, RecentStore, SeriesKey
from maestro.data.stores.questdb_server import QuestDBServer, fetch_jar, find_jar, free_port

HOURS, MINUTES = SeriesKey("BENCH", "HOURS", "1h"), SeriesKey("BENCH", "MINUTES", "1m")
N_HOURS, N_MINUTES = 5 * 8_760, 1_000_000
YEAR = 8_760


def best_and_median(work: Callable[[], object], runs: int) -> tuple[float, float]:
    """Smallest and median time of a call [s], after as many calls again (a JVM compiles what is called often)."""
    for _ in range(runs):
        work()
    rounds = []
    for _ in range(runs):
        started = time.perf_counter()
        work()
        rounds.append(time.perf_counter() - started)
    return min(rounds), sorted(rounds)[runs // 2]


def show(name: str, reach: str, work: Callable[[], object], runs: int = 25) -> None:
    """Print a line of the table of times."""
    best, median = best_and_median(work, runs)
    print(f"{name:58}{reach:>12}{best * 1e3:>11.2f} ms{median * 1e3:>11.2f} ms", flush=True)


def show_rate(name: str, reach: str, rows: int, work: Callable[[], object], runs: int = 3) -> None:
    """Print a line of the table of rates."""
    best, median = best_and_median(work, runs)
    print(f"{name:58}{reach:>12}{rows / best:>12,.0f}/s{rows / median:>12,.0f}/s", flush=True)


def as_bars(store: ParquetStore | QuestDBStore, key: SeriesKey, start: int | None, end: int | None) -> str:
    """Rows read, validated as bars and fingerprinted."""
    return ms.Bars.from_frame(store.read(key, start, end), timeframe=key.timeframe).fingerprint


def psycopg_rows(connection: psycopg.Connection[tuple[object, ...]], key: SeriesKey, where: str) -> pd.DataFrame:
    """The same rows by the PostgreSQL protocol, in binary, into a frame."""
    with connection.cursor(binary=True) as cursor:
        cursor.execute(f'SELECT * FROM "{".".join(key.path)}"{where}'.encode())
        names = [column.name for column in cursor.description or ()]
        return pd.DataFrame(cursor.fetchall(), columns=names)


def main() -> None:
    """Print the tables."""
    jar = find_jar(Path(".questdb")) or fetch_jar(Path(".questdb"))
    hours, minutes = ms.synthetic_bars(N_HOURS, seed=1), ms.synthetic_bars(N_MINUTES, seed=2, timeframe="1m")
    year = hours.between("2022-01-01", "2023-01-01")
    assert len(year) == YEAR
    start, end = int(year.time[0]), int(year.time[-1]) + 1
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        server = QuestDBServer(folder / "questdb", jar, port=0, pg_port=free_port())
        server.start()
        try:
            measure(folder, server, hours, minutes, start, end)
        finally:
            server.kill()


def measure(folder: Path, server: QuestDBServer, hours: ms.Bars, minutes: ms.Bars, start: int, end: int) -> None:
    """Write, check that all bits are there, read."""
    parquet, questdb = ParquetStore(folder / "rows"), QuestDBStore(server.url)
    cached = CachedStore(questdb, folder / "cache")
    recent = RecentStore(parquet)
    million = minutes.to_frame()
    print(f"{'writing a million minute bars, until every reader sees them':58}{'reach':>12}{'best':>14}{'median':>14}")

    def written(store: ParquetStore | QuestDBStore) -> Callable[[], object]:
        def write() -> None:
            store.delete(MINUTES)
            assert store.append(MINUTES, million).inserted == N_MINUTES

        return write

    show_rate("QuestDB", "500,000", N_MINUTES, written(questdb))
    show_rate("Parquet", "", N_MINUTES, written(parquet))
    with closing(questdb):
        for store in (parquet, questdb):
            store.append(HOURS, hours.to_frame())
            assert as_bars(store, HOURS, None, None) == hours.fingerprint
            assert as_bars(store, MINUTES, None, None) == minutes.fingerprint
        for key, bars in ((HOURS, hours), (MINUTES, minutes)):
            rows = bars.between("2022-01-01", "2023-01-01") if key is HOURS else bars
            rows.to_frame().to_pandas().to_csv(folder / f"{key.symbol}.csv", index=False)
        recent.read(HOURS)
        login = f"host=127.0.0.1 port={server.pg_port} user=admin password=quest dbname=qdb"
        with psycopg.connect(login, autocommit=True) as connection:
            where = f" WHERE timestamp >= {start} AND timestamp < {end}"
            assert len(psycopg_rows(connection, HOURS, where)) == YEAR
            print(f"\n{'reading a year of hourly bars (8,760 of 43,800)':58}{'reach':>12}{'best':>14}{'median':>14}")
            show("in memory", "0.1 ms", lambda: recent.read(HOURS, start, end), 501)
            show("in memory, a window of bars", "0.1 ms", lambda: hours[YEAR : 2 * YEAR], 501)
            show("Parquet, rows", "", lambda: parquet.read(HOURS, start, end))
            show("Parquet, validated and fingerprinted", "4 ms", lambda: as_bars(parquet, HOURS, start, end))
            show("QuestDB, rows", "10 ms", lambda: questdb.read(HOURS, start, end))
            show("QuestDB, validated and fingerprinted", "10 ms", lambda: as_bars(questdb, HOURS, start, end))
            show("QuestDB behind the Parquet cache, second time", "", lambda: cached.read(HOURS, start, end))
            show("pandas.read_csv of these rows alone", "", lambda: read_csv(folder / "HOURS.csv"))
            show("psycopg, binary, into a frame", "", lambda: psycopg_rows(connection, HOURS, where))
            print(f"\n{'reading a million minute bars':58}{'reach':>12}{'best':>14}{'median':>14}")
            show("Parquet, rows", "", lambda: parquet.read(MINUTES), 7)
            show("QuestDB, rows", "1,500 ms", lambda: questdb.read(MINUTES), 7)
            show("QuestDB, validated and fingerprinted", "1,500 ms", lambda: as_bars(questdb, MINUTES, None, None), 7)
            show("pandas.read_csv", "", lambda: read_csv(folder / "MINUTES.csv"), 3)
            show("psycopg, binary, into a frame", "", lambda: psycopg_rows(connection, MINUTES, ""), 2)


def read_csv(path: Path) -> pd.DataFrame:
    """What a person without a store does."""
    frame = pd.read_csv(path, parse_dates=["timestamp"])
    assert np.isfinite(frame["close"].to_numpy()).all()
    return frame


if __name__ == "__main__":
    main()
