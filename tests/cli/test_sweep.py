"""``maestro sweep`` writes every set and lists the best, at any width of the terminal."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import polars as pl

from tests.cli.commands import Done, fits


def test_sweep(run: Callable[..., Done], tmp_path: Path) -> None:
    arguments = (
        "sweep",
        "EmaCrossStrategy",
        "-d",
        "sample:AAPL",
        "-n",
        "40",
        "--space",
        "fast=5:25:5",
        "--no-progress",
    )
    document = json.loads(run(*arguments, "--out", "sets.csv", "--top", "3", "--select", "total_return", "--json").out)
    table = pl.read_csv(tmp_path / "sets.csv")
    assert document["sets"] == len(table) == 40
    assert set(table["fast"]) <= {5, 10, 15, 20, 25}
    assert [one["total_return"] for one in document["best"]] == table["total_return"].unique().sort(descending=True)[
        :3
    ].to_list()
    for width in ("80", "120"):
        os.environ["COLUMNS"] = width
        shown = run(*arguments)
        assert fits(shown.out, int(width))
        assert "partly luck" in shown.out
    whole = {tuple(line.split()[-5:]) for line in shown.out.splitlines() if " %" in line}
    os.environ["COLUMNS"] = "45"  # too narrow: the lines are longer, and no figure is cropped
    assert {tuple(line.split()[-5:]) for line in run(*arguments).out.splitlines() if " %" in line} == whole
