"""Damaged, hostile and foreign files: refused or named, never believed and never replaced."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import random
import shutil
import zipfile
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import polars as pl

import maestro as ms
from maestro.apps.shared import access
from maestro.data.stores import SeriesKey
from maestro.data.stores.parquet import ParquetStore
from maestro.errors import MaestroError
from maestro.runs import remove
from tests.support.backtests import stored

_KEY = SeriesKey("KRAKEN", "BTCUSD", "1h")


def _run(folder: Path) -> ms.WalkForward:
    return ms.walk_forward(
        ms.load("sample:AAPL"), "EmaCrossStrategy", splitter="rolling:6,2,1", trials=5, runs_dir=folder,
        executor="serial",
    )  # fmt: skip


def _flipped(content: bytes, rng: random.Random) -> bytes:
    position = rng.randrange(len(content))
    return content[:position] + bytes([content[position] ^ (1 << rng.randrange(8))]) + content[position + 1 :]


def flips_of_runs(tries: int, folder: Path) -> Iterator[str]:
    """Flip a bit in a run's manifest or tables: a clear error, or the same values."""
    wf = _run(folder / "runs")
    whole = [getattr(wf, name) for name in ("folds", "trials", "trades", "equity")]
    files = [path for path in sorted((folder / "runs" / wf.id).iterdir()) if path.suffix in (".json", ".parquet")]

    def same(_: Path) -> bool:
        again = ms.load_run(wf.id, folder / "runs")
        tables = [getattr(again, name) for name in ("folds", "trials", "trades", "equity")]
        return all(a.equals(b, null_equal=True) for a, b in zip(whole, tables, strict=True))

    return _flips(tries, files, same, seed=1)


def flips_of_backtests(tries: int, folder: Path) -> Iterator[str]:
    """Flip a bit in the manifest or tables of a backtest stored by the service: a clear error, or the same rows."""
    store = stored(ms.backtest(ms.load("sample:AAPL"), "EmaCrossStrategy"), folder)

    def rows() -> list[str]:
        again = store.load()
        return [again.equity.write_json(), again.trades.write_json(), again.orders.write_json(), str(again.metrics)]

    whole = rows()
    return _flips(tries, sorted(store.folder.iterdir()), lambda _: rows() == whole, seed=10)


def flips_of_series(tries: int, folder: Path) -> Iterator[str]:
    """Flip a bit in a stored series or its manifest: a clear error, or the same rows."""
    frame = ms.synthetic_bars(2_000, timeframe="1h", seed=1).to_frame()
    rows = frame.select(pl.col(frame.columns[0]).alias("timestamp"), *frame.columns[1:])
    with closing(ParquetStore(folder / "store")) as store:
        store.append(_KEY, rows)
        whole = store.read(_KEY)
    files = [path for path in sorted((folder / "store").rglob("*")) if path.suffix in (".json", ".parquet")]

    def same(_: Path) -> bool:
        with closing(ParquetStore(folder / "store")) as opened:
            return opened.read(_KEY).equals(whole)

    return _flips(tries, files, same, seed=2)


def flips_of_data(tries: int, folder: Path) -> Iterator[str]:
    """Flip a bit in a data file without a checksum: bars or a clear error, never an unhandled exception."""
    frame = ms.synthetic_bars(300, seed=1).to_frame()
    frame.write_parquet(folder / "bars.parquet")
    frame.write_ipc(folder / "bars.feather")
    (folder / "bars.csv.gz").write_bytes(gzip.compress(frame.write_csv().encode()))
    files = [folder / name for name in ("bars.parquet", "bars.feather", "bars.csv.gz")]

    return _flips(tries, files, lambda path: bool(len(ms.load(path))), seed=3)


def _flips(tries: int, files: list[Path], same: Callable[[Path], bool], *, seed: int) -> Iterator[str]:
    """Flip a bit of one file after the other, read, and put the file back; `same` compares what is read."""
    rng = random.Random(seed)
    for number in range(tries):
        path = files[number % len(files)]
        content = path.read_bytes()
        path.write_bytes(_flipped(content, rng))
        try:
            yield "" if same(path) else f"{path.name}: other values"
        except MaestroError:
            yield ""
        except BaseException as error:  # a panic of Polars is none of Exception
            if isinstance(error, KeyboardInterrupt):
                raise
            yield f"{path.name}: {type(error).__name__}: {str(error)[:80]}"
        path.write_bytes(content)


def links(tries: int, folder: Path) -> Iterator[str]:
    """Request files or runs outside the allowed folders by a link to an app: rejected in every spelling of the path."""
    (folder / "data").mkdir()
    (folder / "secret.csv").write_text("secret")
    (folder / "data/link.csv").symlink_to(folder / "secret.csv")
    rng = random.Random(4)
    parts = ["..", ".", "data", "link.csv", "secret.csv", "", "etc", "shadow", "%2e%2e", "~", "\0", "x" * 300]
    access.restrict([folder / "data"])
    try:
        for _ in range(tries):
            name = "/".join([str(folder / "data"), *(rng.choice(parts) for _ in range(rng.randrange(1, 7)))])
            try:
                leads = Path(name).resolve()
                outside = not leads.is_relative_to((folder / "data").resolve())
            except (OSError, ValueError):
                outside = True
            opened = not access.refuse_data(name), not access.refuse_runs(name)
            yield f"opened {name!r}" if outside and any(opened) else ""
    finally:
        access.restrict(None)


def bombs(tries: int, folder: Path) -> Iterator[str]:
    """Load files that unpack from a few kB to 60 MB of zeros, with a limit of 10 MB: rejected with a clear error."""
    import os

    data = b"timestamp,open,high,low,close,volume\n" + b"2024-01-01,1,1,1,1,1\n" * 3_000_000
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("bars.csv", data)
    made = {"zip": buffer.getvalue(), "gz": gzip.compress(data), "bz2": bz2.compress(data), "xz": lzma.compress(data)}
    before = os.environ.get("MAESTRO_FILES_UNPACKED")
    os.environ["MAESTRO_FILES_UNPACKED"] = "10MB"
    try:
        for number in range(tries):
            kind = list(made)[number % len(made)]
            path = folder / f"bars.csv.{kind}"
            path.write_bytes(made[kind])
            try:
                ms.load(path)
                yield f"{kind}: loaded"
            except MaestroError as error:
                yield "" if "files.unpacked" in str(error) else f"{kind}: {error}"
    finally:
        if before is None:
            del os.environ["MAESTRO_FILES_UNPACKED"]
        else:
            os.environ["MAESTRO_FILES_UNPACKED"] = before


def foreign_folders(tries: int, folder: Path) -> Iterator[str]:
    """Remove folders that are not runs, and export over files that Maestro did not write: rejected, nothing changes."""
    runs = folder / "work/runs"
    wf = _run(runs)
    places = {
        "..": folder / "work", ".": runs, "../other": folder / "work/other", "notes": runs / "notes",
        "0123456789abcdef": runs / "0123456789abcdef",
    }  # fmt: skip
    for name in ("../other", "notes", "0123456789abcdef"):
        places[name].mkdir()
        (places[name] / "manifest.json").write_text('{"maestro": "series"}')
        (places[name] / "own.txt").write_text("own")
    files = [folder / f"year-end.{ending}" for ending in ("xlsx", "csv", "parquet")]
    for path in files:
        path.write_bytes(b"PK own work")
    jobs = [*places, *files]

    def state() -> dict[str, bytes]:
        return {str(path): path.read_bytes() for path in folder.rglob("*") if path.is_file() and path.name != "lock"}

    before = state()
    for number in range(tries):
        job = jobs[number % len(jobs)]
        try:
            wf.export(job) if isinstance(job, Path) else remove(job, runs)
            yield f"{job}: not refused"
        except MaestroError:
            yield "" if state() == before else f"{job}: files changed"
    shutil.rmtree(folder / "work")
