"""``maestro walk-forward-many``: text, JSON, page and table, and what is refused."""

from __future__ import annotations

import json
import os
from pathlib import Path

import polars as pl
import pytest

import maestro as ms
from maestro.cli import main

COMMON = ("--splitter", "rolling:3,1,1", "--trials", "3", "--no-progress", "--workers", "1")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("series")
    parts = [ms.synthetic_bars(700, k, "1d").to_frame().with_columns(symbol=pl.lit(s)) for k, s in enumerate("AB")]
    pl.concat(parts).write_parquet(place / "long.parquet")
    pl.DataFrame({"symbol": ["A"], "listed": ["2020-03-01"], "delisted": ["2021-06-01"]}).write_csv(
        place / "members.csv"
    )
    return place


def run(*words: str) -> int:
    with pytest.raises(SystemExit) as left:
        main(["walk-forward-many", *words])
    return int(left.value.code or 0)


def test_it_prints_what_remains_and_writes_page_and_table(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    page, table = tmp_path / "many.html", tmp_path / "many.csv"
    words = ("RSIStrategy", "FundingRateArbitrage", "-d", str(folder / "long.parquet"), *COMMON,
             "--runs-dir", str(tmp_path / "runs"))  # fmt: skip
    assert run(*words, "--report", str(page), "--out", str(table)) == 0
    text = " ".join(capsys.readouterr().out.split())
    assert text.startswith("4 walk-forwards (2 cannot be tested); ")
    assert "failed: FundingRateArbitrage on A 1d and 1 more: no trial of 3" in text
    assert "<svg" in page.read_text("utf-8")
    assert len(pl.read_csv(table)) == 4
    assert run(*words, "--json") == 0
    document = json.loads(capsys.readouterr().out)
    assert document["tested"] == 2
    assert len(document["errors"]) == 2
    assert os.path.isdir(tmp_path / "runs" / document["table"][1]["id"])
    many = ms.load_walk_forwards(document["id"], tmp_path / "runs")
    assert many.significance.sentence == document["sentence"]
    assert "maestro walk-forward-many RSIStrategy" in many.run("A", "RSIStrategy").manifest["command"]


def test_symbols_timeframes_and_membership(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code = run(
        "RSIStrategy", "-d", str(folder / "long.parquet"), *COMMON, "--symbol", "A", "--timeframe", "2d",
        "--membership", str(folder / "members.csv"), "--runs-dir", str(tmp_path), "--json",
    )  # fmt: skip
    assert code == 0
    document = json.loads(capsys.readouterr().out)
    (row,) = document["table"]
    assert (row["symbol"], row["timeframe"]) == ("A", "2d")
    wf = ms.load_walk_forwards(document["id"], tmp_path).run("A")
    assert wf.spec.bars.start.isoformat() >= "2020-03-01"
    assert wf.spec.bars.end.isoformat() < "2021-06-01"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("RSIStrategi",), "RSIStrategy"),
        (("RSIStrategy", "--symbol", "C"), "no symbol 'C'; it has A, B"),
        (("RSIStrategy", "--out", "table.txt"), "another ending"),
        (("RSIStrategy", "--membership", "nothing.csv"), "there is no file nothing.csv"),
    ],
)
def test_bad_input_is_reported_in_one_line(
    words: tuple[str, ...], message: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(*words, "-d", str(folder / "long.parquet"), *COMMON) == 2
    assert message in capsys.readouterr().err
