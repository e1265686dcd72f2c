"""No command replaces a file that Maestro did not write, and none says so only after the work."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from maestro.cli import main

FOREIGN = {".csv": b"name,amount\nrent,1200\n", ".parquet": b"PAR1 own work", ".html": b"<html>own</html>",
           ".ipynb": b'{"cells": [], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}', ".md": b"# Own notes\n",
           ".json": b'{"own": 1}'}  # fmt: skip
RULE = ("EmaCrossStrategy", "--data", "sample:AAPL")
COMMANDS = {
    "trades": (("backtest", *RULE, "--trades"), ("own.csv", "own.parquet")),
    "equity": (("backtest", *RULE, "--equity"), ("own.csv", "own.parquet")),
    "sweep": (("sweep", *RULE, "-n", "3", "--out"), ("own.csv", "own.parquet")),
    "many": (
        ("walk-forward-many", *RULE, "--splitter", "rolling:3,1", "--trials", "2", "--out"), ("own.csv", "own.parquet")
    ),
    "executed": (("report", "walk-forward", "--executed"), ("own.ipynb",)),
    "page of a notebook": (("report", "walk-forward", "--out"), ("own.html",)),
    "migration": (("data", "migrate", "--from", "dump", "--report"), ("own.md", "own.json")),
}  # fmt: skip


def run(*words: object) -> int:
    with pytest.raises(SystemExit) as ended:
        main([str(word) for word in words])
    return int(ended.value.code or 0)


@pytest.mark.parametrize("name", COMMANDS)
def test_a_foreign_file_is_refused_before_the_work(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    command, files = COMMANDS[name]
    for file in files:
        place = tmp_path / file
        place.write_bytes(FOREIGN[place.suffix])
        before = sorted(path.name for path in tmp_path.iterdir())
        assert run(*command, place) != 0
        output = capsys.readouterr().err
        assert f"{place} exists and is not" in output
        assert "choose another path, or remove it first" in output
        assert place.read_bytes() == FOREIGN[place.suffix]
        assert sorted(path.name for path in tmp_path.iterdir()) == before, "the work was not begun"


@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_an_earlier_table_is_replaced(ending: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    read = pl.read_csv if ending == "csv" else pl.read_parquet
    for count in (3, 5):
        assert run("sweep", *RULE, "-n", count, "--out", f"sets.{ending}") == 0
        assert len(read(f"sets.{ending}")) == count
        assert run("backtest", *RULE, "--trades", f"t.{ending}", "--equity", f"e.{ending}") == 0
    assert {path.name for path in tmp_path.iterdir()} >= {f"sets.{ending}", f"t.{ending}", f"e.{ending}"}
    assert not list(tmp_path.glob(".*.part"))


def test_a_table_that_cannot_be_written_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "file").write_text("")
    assert run("sweep", *RULE, "-n", "3", "--out", tmp_path / "file" / "sets.csv") == 1
    assert "Not a directory; choose a path that can be written to." in capsys.readouterr().err
