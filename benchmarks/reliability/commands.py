"""The commands that write, each with what it works on and what it is for."""

from __future__ import annotations

import json
import shutil
import sqlite3
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import polars as pl

import maestro as ms
from benchmarks.reliability.kills import Case, killed
from maestro import ledger
from maestro.data.stores import SeriesKey
from maestro.data.stores.parquet import ParquetStore
from maestro.operations.backup import restore
from maestro.operations.backup.archives import Archives
from maestro.service.jobs import Database
from maestro.testing import FakeExchange
from tests.support.exchange.markets import ExchangeMarket

KEY = SeriesKey("KRAKEN", "BTCUSD", "1h")
_TABLES = ("folds", "trials", "trades", "equity")
_WALK = ("EmaCrossStrategy", "--data", "sample:AAPL", "--splitter", "rolling:3,2,1", "--trials", 10)
_PASSWORD = "correct horse battery staple"
Driver = Callable[[int, Path, Case], Iterator[str]]
Area = Callable[[int, Path], Iterator[str]]


def rows(count: int) -> pl.DataFrame:
    """Rows of a series, as a store takes them."""
    frame = ms.synthetic_bars(count, timeframe="1h", seed=1).to_frame()
    return frame.select(pl.col(frame.columns[0]).alias("timestamp"), *frame.columns[1:])


def tables(place: Path) -> object:
    """Tables of the runs in a place, and whether its ledgers are whole; unfinished runs have none."""
    found = {}
    for run, status in ms.runs.list_runs(place / "runs").select("id", "status").iter_rows():
        if status == "done":
            wf = ms.load_run(run, place / "runs")
            found[run] = [getattr(wf, name).write_json() for name in _TABLES]
        elif status == "damaged":
            raise RuntimeError(f"{run} is damaged")
    return found, [finding.text for finding in ledger.verify(place / "ledger") if finding.severity == "error"]


def _run(
    tries: int, folder: Path, how: Driver, words: tuple[object, ...], result: Callable[[Path], object]
) -> Iterator[str]:  # fmt: skip
    """Kill a command that works on one finished run, ``{}`` in its words."""
    wf = ms.walk_forward(
        ms.load("sample:AAPL"), "EmaCrossStrategy", splitter="rolling:3,2,1", trials=10, runs_dir=folder / "runs",
        executor="serial",
    )  # fmt: skip

    def prepare(place: Path) -> object:
        shutil.copytree(folder / "runs", place / "runs")
        return wf.id

    yield from how(tries, folder, Case(words, prepare, result))


def _nothing(place: Path) -> object:
    return ""


def _file(name: str, whole: Callable[[Path], object]) -> Callable[[Path], object]:
    return lambda place: whole(place / name) if (place / name).exists() else None


def _book(path: Path) -> object:
    return len(json.loads(path.read_bytes()))


def _parquet(path: Path) -> object:
    return pl.read_parquet(path).write_json()


def _page(path: Path) -> object:
    text = path.read_text(encoding="utf-8")
    return text.startswith("<!DOCTYPE html>") and text.rstrip().endswith("</html>")


def walk_forward(tries: int, folder: Path, how: Driver = killed) -> Iterator[str]:
    """Kill ``maestro walk-forward --report``: tables, ledger and page equal those of a run that was not killed."""

    def result(place: Path) -> object:
        return tables(place), _file("report.html", _page)(place)

    words = ("walk-forward", *_WALK, "--no-progress", "--report", "report.html")
    yield from how(tries, folder, Case(words, _nothing, result, whole=False))


def walk_forward_many(tries: int, folder: Path, how: Driver = killed) -> Iterator[str]:
    """Kill ``maestro walk-forward-many``: runs, list and table equal those of a call that was not killed."""
    for symbol in ("A", "B"):
        (folder / "series").mkdir(exist_ok=True)
        ms.synthetic_bars(600, timeframe="1d", seed=ord(symbol)).to_frame().write_csv(
            folder / "series" / f"{symbol}.csv"
        )

    def result(place: Path) -> object:
        lists = sorted((place / "runs/universes").glob("*.json"))
        many = [ms.load_walk_forwards(path.stem, place / "runs").table.drop("id").write_json() for path in lists]
        return tables(place), many, _file("table.csv", pl.read_csv)(place) is not None

    words = ("walk-forward-many", "EmaCrossStrategy", "--data", folder / "series", "--splitter", "rolling:3,1",
             "--trials", 3, "--out", "table.csv", "--no-progress")  # fmt: skip
    yield from how(tries, folder, Case(words, _nothing, result, whole=False))


def backtest(tries: int, folder: Path, how: Driver = killed) -> Iterator[str]:
    """Kill ``maestro backtest --trades --equity``: each table is whole or not there."""

    def result(place: Path) -> object:
        return [_file(name, _parquet)(place) for name in ("t.parquet", "e.parquet")]

    words = ("backtest", "EmaCrossStrategy", "--data", "sample:AAPL", "--trades", "t.parquet", "--equity", "e.parquet")
    yield from how(tries, folder, Case(words, _nothing, result, whole=False))


def sweep(tries: int, folder: Path, how: Driver = killed) -> Iterator[str]:
    """Kill ``maestro sweep --out`` onto an earlier table: the file is one table or the other."""
    earlier = ms.sweep(ms.load("sample:AAPL"), "EmaCrossStrategy", n=5).table

    def prepare(place: Path) -> object:
        earlier.write_parquet(place / "sets.parquet")
        return ""

    words = ("sweep", "EmaCrossStrategy", "--data", "sample:AAPL", "-n", 200, "--out", "sets.parquet", "--no-progress")
    case = Case(words, prepare, _file("sets.parquet", _parquet))
    yield from how(tries, folder, case)


def report(tries: int, folder: Path, how: Driver = killed) -> Iterator[str]:
    """Kill ``maestro report RUN``: the page is whole or not there."""
    yield from _run(tries, folder, how, ("report", "{}", "--out", "report.html"), _file("report.html", _page))


def robustness(tries: int, folder: Path, how: Driver = killed) -> Iterator[str]:
    """Kill ``maestro robustness --out``: the page is whole or not there."""
    words = ("robustness", "{}", "--part", "neighbourhood", "--out", "maps.html")
    yield from _run(tries, folder, how, words, _file("maps.html", _page))


def verdict(tries: int, folder: Path, how: Driver = killed) -> Iterator[str]:
    """Kill ``maestro verdict``: the run has its verdict or none, and its tables are as before."""

    def result(place: Path) -> object:
        [wf] = [ms.load_run(path.name, place / "runs") for path in (place / "runs").iterdir()]
        assert wf.folder is not None
        return (wf.folder / "verdict.json").exists() and wf.verdict is not None, tables(place)

    words = ("verdict", "{}", "--permutations", 0, "--data", "sample:AAPL", "--no-progress")
    yield from _run(tries, folder, how, words, result)


def runs_export(tries: int, folder: Path, how: Driver = killed) -> Iterator[str]:
    """Kill ``maestro runs export`` to a folder of CSV files: all of its files or none."""

    def result(place: Path) -> object:
        return {path.name: path.read_bytes() for path in (place / "run.csv").glob("*")}

    yield from _run(tries, folder, how, ("runs", "export", "{}", "--to", "run.csv"), result)


def runs_workbook(tries: int, folder: Path, how: Driver = killed) -> Iterator[str]:
    """Kill ``maestro runs export`` to a workbook: it is whole or not there."""

    def whole(path: Path) -> object:
        with zipfile.ZipFile(path) as book:
            return book.testzip() is None and len(book.namelist())

    yield from _run(tries, folder, how, ("runs", "export", "{}", "--to", "run.xlsx"), _file("run.xlsx", whole))


def runs_remove(tries: int, folder: Path, how: Driver = killed) -> Iterator[str]:
    """Kill ``maestro runs remove``: the run is whole, in its place or in the trash."""

    def result(place: Path) -> object:
        trashed = ms.runs.trashed(place / "runs")["id"].to_list()
        return tables(place), trashed

    yield from _run(tries, folder, how, ("runs", "remove", "{}", "--yes"), result)


def runs_restore(tries: int, folder: Path, how: Driver = killed) -> Iterator[str]:
    """Kill ``maestro runs trash restore``: the run is whole, in the trash or in its place."""
    wf = ms.walk_forward(
        ms.load("sample:AAPL"), "EmaCrossStrategy", splitter="rolling:3,2,1", trials=10, runs_dir=folder / "runs",
        executor="serial",
    )  # fmt: skip
    ms.runs.remove(wf.id, folder / "runs")

    def prepare(place: Path) -> object:
        shutil.copytree(folder / "runs", place / "runs")
        return wf.id

    def result(place: Path) -> object:
        return tables(place), ms.runs.trashed(place / "runs")["id"].to_list()

    yield from how(tries, folder, Case(("runs", "trash", "restore", "{}"), prepare, result))


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
    """Kill ``maestro data import``: the series holds every row afterwards."""
    source = folder / "bars.csv"
    ms.synthetic_bars(5_000, timeframe="1h", seed=1).to_frame().write_csv(source)
    words = ("data", "import", source, "--provider", "KRAKEN", "--symbol", "BTCUSD", "--timeframe", "1h", "--yes")
    yield from how(tries, folder, Case(words, _nothing, _stored, whole=False))


def data_export(tries: int, folder: Path, how: Driver = killed) -> Iterator[str]:
    """Kill ``maestro data export --force`` onto an earlier export: the file is one export or the other."""
    _filled(folder)

    def prepare(place: Path) -> object:
        rows(10).write_parquet(place / "out.parquet")
        return ""

    words = ("data", "export", KEY, "out.parquet", "--force", "--store", folder / "store")
    case = Case(words, prepare, _file("out.parquet", _parquet))
    yield from how(tries, folder, case)


def data_rm(tries: int, folder: Path, how: Driver = killed) -> Iterator[str]:
    """Kill ``maestro data rm``: every row is in the store or in the trash."""

    def result(place: Path) -> object:
        store = ParquetStore(place / "store")
        try:
            kept = store.read(KEY) if KEY in [info.key for info in store.series()] else rows(1).head(0)
        finally:
            store.close()
        copies = [pl.read_parquet(path) for path in sorted((place / "state/trash").glob("*.parquet"))]
        names = rows(1).columns
        whole = pl.concat([kept.select(names), *(copy.select(names) for copy in copies)]).unique().sort("timestamp")
        if not whole.equals(rows(5_000)):
            raise RuntimeError(f"{len(whole)} rows of 5000")
        return len(kept)

    yield from how(tries, folder, Case(("data", "rm", KEY, "--yes"), _filled, result))


def data_fetch(tries: int, folder: Path, how: Driver = killed) -> Iterator[str]:
    """Kill ``maestro data fetch``: the series holds every row of the exchange afterwards."""
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
    """Kill ``maestro user add``: the user is there with role and password, or not at all."""
    (folder / "password").write_text(_PASSWORD)

    def prepare(place: Path) -> object:
        Database(place / "service").close()
        return ""

    words = ("user", "add", "ada", "--role", "admin", "--password-file", folder / "password")
    yield from how(tries, folder, Case(words, prepare, _accounts))


def user_key(tries: int, folder: Path, how: Driver = killed) -> Iterator[str]:
    """Kill ``maestro user key``: a key of the user is there, or none."""
    yield from how(tries, folder, Case(("user", "key", "ada", "--label", "ci"), _with_user, _accounts))


def user_remove(tries: int, folder: Path, how: Driver = killed) -> Iterator[str]:
    """Kill ``maestro user remove``: the user is there, or not at all."""
    yield from how(tries, folder, Case(("user", "remove", "ada"), _with_user, _accounts))


def backup_create(tries: int, folder: Path, how: Driver = killed) -> Iterator[str]:
    """Kill ``maestro backup create``: each backup that is listed is whole and restores every row."""

    def prepare(place: Path) -> object:
        Database(place / "service").close()
        _filled(place)
        return ""

    def result(place: Path) -> object:
        kept, damaged = Archives(place / "backups").kept()
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
    """Kill ``maestro backup restore``: the folder is whole or not there."""
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
    yield from how(tries, folder, Case(words, _nothing, result))


def new_project(tries: int, folder: Path, how: Driver = killed) -> Iterator[str]:
    """Kill ``maestro new project``: the same command completes the folder, and each file in it is whole."""

    def result(place: Path) -> object:
        return {path.name: path.read_bytes() for path in (place / "study").glob("*")}

    yield from how(tries, folder, Case(("new", "project", "study"), _nothing, result, whole=False))


def notebook(tries: int, folder: Path, how: Driver = killed) -> Iterator[str]:
    """Kill ``maestro report NOTEBOOK --executed``: page and notebook are whole or not there."""
    import nbformat

    cell = nbformat.v4.new_code_cell("x = 1", metadata={"tags": ["parameters"]})
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    book = nbformat.v4.new_notebook(cells=[cell, nbformat.v4.new_code_cell("print(x)")], metadata=kernel)
    nbformat.write(book, folder / "own.ipynb")

    def result(place: Path) -> object:
        return _file("own.html", _page)(place), _file("ran.ipynb", _book)(place)

    words = ("report", folder / "own.ipynb", "--executed", "ran.ipynb", "--out", "own.html", "--no-progress")
    yield from how(tries, folder, Case(words, _nothing, result, whole=False))


AREAS: dict[str, Area] = {
    "kill-walk-forward": walk_forward, "kill-many": walk_forward_many, "kill-backtest": backtest, "kill-sweep": sweep,
    "kill-report": report, "kill-notebook": notebook, "kill-robustness": robustness, "kill-verdict": verdict,
    "kill-runs-export": runs_export, "kill-workbook": runs_workbook, "kill-runs-remove": runs_remove,
    "kill-runs-restore": runs_restore, "kill-import": data_import, "kill-export": data_export, "kill-rm": data_rm,
    "kill-fetch": data_fetch, "kill-user-add": user_add, "kill-user-key": user_key, "kill-user-remove": user_remove,
    "kill-backup": backup_create, "kill-restore": backup_restore, "kill-new": new_project,
}  # fmt: skip
"""Each kills a command that writes at random moments; with another driver it does something else to it."""
