"""Commands killed at random moments: the same command afterwards ends as if nothing had happened."""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import polars as pl

import maestro as ms
from maestro.data.stores import SeriesKey
from maestro.data.stores.parquet import ParquetStore
from maestro.errors import MaestroError

_KEY = SeriesKey("KRAKEN", "BTCUSD", "1h")


def _maestro(*words: object) -> list[str]:
    return [sys.executable, "-m", "maestro", *map(str, words)]


def _environment(folder: Path) -> dict[str, str]:
    places = {f"MAESTRO_{name.upper()}_DIR": str(folder / name) for name in ("state", "ledger", "runs")}
    temporary = folder / "temporary"
    temporary.mkdir(exist_ok=True)
    return {**os.environ, **places, **dict.fromkeys(("TMPDIR", "TEMP", "TMP"), str(temporary))}


def _killed(command: list[str], folder: Path, after: float) -> None:
    quiet = subprocess.DEVNULL
    process = subprocess.Popen(command, cwd=folder, env=_environment(folder), stdout=quiet, stderr=quiet)
    time.sleep(after)
    process.send_signal(signal.SIGKILL if os.name == "posix" else signal.SIGTERM)
    process.wait()


def _each(
    tries: int, folder: Path, command: list[str], result: Callable[[Path], object], prepare: Callable[[Path], None]
) -> Iterator[str]:
    """Yield what went wrong in each try; an empty string is a success."""
    rng = random.Random(0)
    whole = folder / "whole"
    whole.mkdir()
    prepare(whole)
    began = time.perf_counter()
    subprocess.run(command, cwd=whole, env=_environment(whole), check=True, capture_output=True)
    seconds, expected = time.perf_counter() - began, result(whole)
    for number in range(tries):
        place = folder / str(number)
        place.mkdir()
        prepare(place)
        _killed(command, place, rng.uniform(0.3, 1.1) * seconds)
        done = subprocess.run(command, cwd=place, env=_environment(place), capture_output=True, text=True)
        if done.returncode:
            yield f"exit code {done.returncode}: {done.stderr.strip()[-200:]}"
        else:
            parts = [path.name for path in (*place.rglob("*.part"), *place.glob("temporary/maestro-*"))]
            yield f"left {parts}" if parts else "" if result(place) == expected else "another result"
        shutil.rmtree(place)


def walk_forward(tries: int, folder: Path) -> Iterator[str]:
    """Kill ``maestro walk-forward``: the tables of the run that goes on equal those of one that was not killed."""
    command = _maestro(
        "walk-forward", "EmaCrossStrategy", "--data", "sample:AAPL", "--splitter", "rolling:6,2,1", "--trials", 20,
        "--no-progress",
    )  # fmt: skip

    def result(place: Path) -> object:
        [run] = ms.runs.list_runs(place / "runs")["id"]
        wf = ms.load_run(run, place / "runs")
        ledgers = subprocess.run(
            _maestro("ledger", "verify"), cwd=place, env=_environment(place), capture_output=True, text=True
        )
        return [getattr(wf, name).write_json() for name in ("folds", "trials", "trades", "equity")], ledgers.returncode

    yield from _each(tries, folder, command, result, lambda place: None)


def data_import(tries: int, folder: Path) -> Iterator[str]:
    """Kill ``maestro data import``: the series holds every row afterwards."""
    source = folder / "bars.csv"
    ms.synthetic_bars(20_000, timeframe="1h", seed=1).to_frame().write_csv(source)
    command = _maestro(
        "data", "import", source, "--provider", "KRAKEN", "--symbol", "BTCUSD", "--timeframe", "1h", "--yes",
        "--store", "store",
    )  # fmt: skip
    yield from _each(tries, folder, command, _stored, lambda place: None)


def data_export(tries: int, folder: Path) -> Iterator[str]:
    """Kill ``maestro data export --force`` onto an earlier export: the file is one export or the other."""
    rows = _rows(20_000)
    store = ParquetStore(folder / "store")
    store.append(_KEY, rows)
    store.close()
    command = _maestro("data", "export", _KEY, "out.parquet", "--force", "--store", folder / "store")

    def prepare(place: Path) -> None:
        rows.head(10).write_parquet(place / "out.parquet")

    yield from _each(
        tries, folder, command, lambda place: pl.read_parquet(place / "out.parquet").hash_rows().sum(), prepare
    )


def data_rm(tries: int, folder: Path) -> Iterator[str]:
    """Kill ``maestro data rm``: every row is in the store or in the trash."""
    rows = _rows(20_000)
    command = _maestro("data", "rm", _KEY, "--yes", "--store", "store")
    rng = random.Random(6)
    for number in range(tries):
        place = folder / str(number)
        place.mkdir()
        store = ParquetStore(place / "store")
        store.append(_KEY, rows)
        _killed(command, place, rng.uniform(0.2, 1.5))
        copies = [pl.read_parquet(path) for path in (place / "state/trash").glob("*.parquet")]
        try:
            kept = pl.concat([store.read(_KEY).select(rows.columns), *(copy.select(rows.columns) for copy in copies)])
            yield "" if kept.unique().sort("timestamp").equals(rows) else f"{len(kept.unique())} rows of {len(rows)}"
        except MaestroError as error:
            yield str(error)[:200]
        shutil.rmtree(place)


def _rows(count: int) -> pl.DataFrame:
    frame = ms.synthetic_bars(count, timeframe="1h", seed=1).to_frame()
    return frame.select(pl.col(frame.columns[0]).alias("timestamp"), *frame.columns[1:])


def _stored(place: Path) -> object:
    store = ParquetStore(place / "store")
    try:
        return store.read(_KEY).hash_rows().sum()
    finally:
        store.close()
