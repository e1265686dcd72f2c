"""The commands that write, each with what it works on and what it is for."""

from __future__ import annotations

import json
import shutil
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import polars as pl

import maestro as ms
from benchmarks.reliability import data_commands
from benchmarks.reliability.kills import Case, Driver, killed, nothing, parquet, when_there
from maestro import ledger
from maestro.data.stores import SeriesKey

KEY = SeriesKey("KRAKEN", "BTCUSD", "1h")
_TABLES = ("folds", "trials", "trades", "equity")
_WALK = ("EmaCrossStrategy", "--data", "sample:AAPL", "--splitter", "rolling:3,2,1", "--trials", 10)
_PASSWORD = "correct horse battery staple"
Area = Callable[[int, Path], Iterator[str]]


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
    tries: int, folder: Path, how: Driver, words: tuple[object, ...], result: Callable[[Path], object],
    whole: bool = True,
) -> Iterator[str]:  # fmt: skip
    """Kill a command that works on one finished run, ``{}`` in its words."""
    wf = ms.walk_forward(
        ms.load("sample:AAPL"), "EmaCrossStrategy", splitter="rolling:3,2,1", trials=10, runs_dir=folder / "runs",
        executor="serial",
    )  # fmt: skip

    def prepare(place: Path) -> object:
        shutil.copytree(folder / "runs", place / "runs")
        return wf.id

    yield from how(tries, folder, Case(words, prepare, result, whole))


def _book(path: Path) -> object:
    return len(json.loads(path.read_bytes()))


def _page(path: Path) -> object:
    text = path.read_text(encoding="utf-8")
    return text.startswith("<!DOCTYPE html>") and text.rstrip().endswith("</html>")


def walk_forward(tries: int, folder: Path, how: Driver = killed) -> Iterator[str]:
    """Kill ``maestro walk-forward --report``: tables, ledger and page equal those of an uninterrupted run."""

    def result(place: Path) -> object:
        return tables(place), when_there("report.html", _page)(place)

    words = ("walk-forward", *_WALK, "--no-progress", "--report", "report.html")
    yield from how(tries, folder, Case(words, nothing, result, whole=False))


def walk_forward_many(tries: int, folder: Path, how: Driver = killed) -> Iterator[str]:
    """Kill ``maestro walk-forward-many``: runs, list and table equal those of an uninterrupted call."""
    for symbol in ("A", "B"):
        (folder / "series").mkdir(exist_ok=True)
        ms.synthetic_bars(600, timeframe="1d", seed=ord(symbol)).to_frame().write_csv(
            folder / "series" / f"{symbol}.csv"
        )

    def result(place: Path) -> object:
        lists = sorted((place / "runs/universes").glob("*.json"))
        many = [ms.load_walk_forwards(path.stem, place / "runs").table.drop("id").write_json() for path in lists]
        return tables(place), many, when_there("table.csv", pl.read_csv)(place) is not None

    words = ("walk-forward-many", "EmaCrossStrategy", "--data", folder / "series", "--splitter", "rolling:3,1",
             "--trials", 3, "--out", "table.csv", "--no-progress")  # fmt: skip
    yield from how(tries, folder, Case(words, nothing, result, whole=False))


def backtest(tries: int, folder: Path, how: Driver = killed) -> Iterator[str]:
    """Kill ``maestro backtest --trades --equity``: each table is complete or absent."""

    def result(place: Path) -> object:
        return [when_there(name, parquet)(place) for name in ("t.parquet", "e.parquet")]

    words = ("backtest", "EmaCrossStrategy", "--data", "sample:AAPL", "--trades", "t.parquet", "--equity", "e.parquet")
    yield from how(tries, folder, Case(words, nothing, result, whole=False))


def sweep(tries: int, folder: Path, how: Driver = killed) -> Iterator[str]:
    """Kill ``maestro sweep --out`` over an earlier table: the file is the old or the new table."""
    earlier = ms.sweep(ms.load("sample:AAPL"), "EmaCrossStrategy", n=5).table

    def prepare(place: Path) -> object:
        earlier.write_parquet(place / "sets.parquet")
        return ""

    words = ("sweep", "EmaCrossStrategy", "--data", "sample:AAPL", "-n", 200, "--out", "sets.parquet", "--no-progress")
    case = Case(words, prepare, when_there("sets.parquet", parquet))
    yield from how(tries, folder, case)


def report(tries: int, folder: Path, how: Driver = killed) -> Iterator[str]:
    """Kill ``maestro report RUN``: the page is complete or absent."""
    yield from _run(tries, folder, how, ("report", "{}", "--out", "report.html"), when_there("report.html", _page))


def tearsheet(tries: int, folder: Path, how: Driver = killed) -> Iterator[str]:
    """Kill ``maestro report RUN --tearsheet``: page and tear sheet are each complete or absent."""

    def sheet(path: Path) -> object:
        return path.read_text(encoding="utf-8").rstrip().endswith("</html>")

    def result(place: Path) -> object:
        return when_there("own.html", _page)(place), when_there("own-tearsheet.html", sheet)(place)

    words = ("report", "{}", "--tearsheet", "--out", "own.html")
    yield from _run(tries, folder, how, words, result, whole=False)


def robustness(tries: int, folder: Path, how: Driver = killed) -> Iterator[str]:
    """Kill ``maestro robustness --out``: the page is complete or absent."""
    words = ("robustness", "{}", "--part", "neighbourhood", "--out", "maps.html")
    yield from _run(tries, folder, how, words, when_there("maps.html", _page))


def verdict(tries: int, folder: Path, how: Driver = killed) -> Iterator[str]:
    """Kill ``maestro verdict``: the run has a complete verdict or none, and its tables are unchanged."""

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


def runs_parquet(tries: int, folder: Path, how: Driver = killed) -> Iterator[str]:
    """Kill ``maestro runs export`` to a folder of Parquet files: all of its files or none."""

    def result(place: Path) -> object:
        return {path.name: parquet(path) if path.suffix == ".parquet" else path.read_bytes()
                for path in (place / "run.parquet").glob("*")}  # fmt: skip

    yield from _run(tries, folder, how, ("runs", "export", "{}", "--to", "run.parquet"), result)


def runs_workbook(tries: int, folder: Path, how: Driver = killed) -> Iterator[str]:
    """Kill ``maestro runs export`` to a workbook: it is complete or absent."""

    def whole(path: Path) -> object:
        with zipfile.ZipFile(path) as book:
            return book.testzip() is None and len(book.namelist())

    yield from _run(tries, folder, how, ("runs", "export", "{}", "--to", "run.xlsx"), when_there("run.xlsx", whole))


def runs_remove(tries: int, folder: Path, how: Driver = killed) -> Iterator[str]:
    """Kill ``maestro runs remove``: the complete run is in its place or in the trash."""

    def result(place: Path) -> object:
        trashed = ms.runs.trashed(place / "runs")["id"].to_list()
        return tables(place), trashed

    yield from _run(tries, folder, how, ("runs", "remove", "{}", "--yes"), result)


def runs_restore(tries: int, folder: Path, how: Driver = killed) -> Iterator[str]:
    """Kill ``maestro runs trash restore``: the complete run is in the trash or in its place."""
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


def new_project(tries: int, folder: Path, how: Driver = killed) -> Iterator[str]:
    """Kill ``maestro new project``: the same command completes the folder, and each file in it is complete."""

    def result(place: Path) -> object:
        return {path.name: path.read_bytes() for path in (place / "study").glob("*")}

    yield from how(tries, folder, Case(("new", "project", "study"), nothing, result, whole=False))


def _notebook(path: Path) -> None:
    import nbformat

    cell = nbformat.v4.new_code_cell("x = 1", metadata={"tags": ["parameters"]})
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    book = nbformat.v4.new_notebook(cells=[cell, nbformat.v4.new_code_cell("print(x)")], metadata=kernel)
    nbformat.write(book, path)


def notebook(tries: int, folder: Path, how: Driver = killed) -> Iterator[str]:
    """Kill ``maestro report NOTEBOOK --executed``: page and notebook are each complete or absent."""
    _notebook(folder / "own.ipynb")

    def result(place: Path) -> object:
        return when_there("own.html", _page)(place), when_there("ran.ipynb", _book)(place)

    words = ("report", folder / "own.ipynb", "--executed", "ran.ipynb", "--out", "own.html", "--no-progress")
    yield from how(tries, folder, Case(words, nothing, result, whole=False))


def report_batch(tries: int, folder: Path, how: Driver = killed) -> Iterator[str]:
    """Kill ``maestro report NOTEBOOK --batch``: each page, notebook and record is complete; finished ones are kept."""
    _notebook(folder / "own.ipynb")
    (folder / "batch.yaml").write_text("each: {x: [1, 2]}\n")

    def result(place: Path) -> object:
        reports = place / "reports"
        done = {path.name: json.loads(path.read_bytes())["status"] for path in sorted(reports.glob("*.json"))}
        pages = {path.name: _page(path) for path in sorted(reports.glob("*.html"))}
        rows = when_there("index.html", lambda path: path.read_text(encoding="utf-8").count("waiting"))(reports)
        return done, pages, rows, {path.name: _book(path) for path in sorted(reports.glob("*.ipynb"))}

    words = ("report", folder / "own.ipynb", "--batch", folder / "batch.yaml", "--no-progress")
    yield from how(tries, folder, Case(words, nothing, result, whole=False))


def parity(tries: int, folder: Path, how: Driver = killed) -> Iterator[str]:
    """Kill ``maestro parity --write``: the page is complete or absent."""

    def whole(path: Path) -> object:
        return len(path.read_text(encoding="utf-8").splitlines())

    words = ("parity", "EmaCrossStrategy", "--data", "sample:AAPL,2005,2006", "--engine", "backtrader", "--write",
             "p.md", "--no-progress")  # fmt: skip
    yield from how(tries, folder, Case(words, nothing, when_there("p.md", whole)))


def runs_empty(tries: int, folder: Path, how: Driver = killed) -> Iterator[str]:
    """Kill ``maestro runs trash empty``: all outside the trash is unchanged, and the trash is empty afterwards."""
    for seed in range(4):
        wf = ms.walk_forward(
            ms.load("sample:AAPL"), "EmaCrossStrategy", splitter="rolling:3,2,1", trials=2, runs_dir=folder / "runs",
            executor="serial", seed=seed,
        )  # fmt: skip
        if seed:
            ms.runs.remove(wf.id, folder / "runs")

    def prepare(place: Path) -> object:
        shutil.copytree(folder / "runs", place / "runs")
        return ""

    def result(place: Path) -> object:
        return tables(place), len(ms.runs.trashed(place / "runs"))

    yield from how(tries, folder, Case(("runs", "trash", "empty", "--yes"), prepare, result, whole=False))


AREAS: dict[str, Area] = {
    "kill-walk-forward": walk_forward, "kill-many": walk_forward_many, "kill-backtest": backtest, "kill-sweep": sweep,
    "kill-report": report, "kill-tearsheet": tearsheet, "kill-notebook": notebook, "kill-batch": report_batch,
    "kill-robustness": robustness, "kill-verdict": verdict, "kill-parity": parity, "kill-runs-export": runs_export,
    "kill-runs-parquet": runs_parquet, "kill-workbook": runs_workbook, "kill-runs-remove": runs_remove,
    "kill-runs-restore": runs_restore, "kill-runs-empty": runs_empty, "kill-new": new_project,
    **data_commands.AREAS,
}  # fmt: skip
"""Each kills a command that writes at random moments; with another driver it does something else to it."""
