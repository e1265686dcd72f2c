"""The table of the runs in a folder: one row per run, the newest first, with what was written about it."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

import maestro as ms
from maestro.runs import annotate, list_runs
from maestro.runs.store import MANIFEST


@pytest.fixture
def runs(tmp_path: Path) -> list[str]:
    """Ids of three runs, in the order in which they were made."""
    settings = {"trials": 2, "splitter": "rolling:4,2,1", "workers": 1, "runs_dir": tmp_path}
    return [ms.walk_forward(ms.load_sample("AAPL"), "EmaCrossStrategy", seed=seed, **settings).id for seed in range(3)]


def test_runs_are_rows_with_their_annotations_the_newest_first(runs: list[str], tmp_path: Path) -> None:
    pinned, damaged, plain = runs
    annotate(pinned, tmp_path, add=["plateau", "check"], note="Fees are high", pinned=True)
    (tmp_path / damaged / "annotations.json").write_text("[]")
    table = list_runs(tmp_path)
    assert table["started"].is_sorted(descending=True), "a pin does not move a run"
    found = {row[0]: row[1:] for row in table.select("id", "pinned", "tags", "note").iter_rows()}
    assert found == {
        pinned: (True, ["check", "plateau"], "Fees are high"), damaged: (None, None, None), plain: (False, [], ""),
    }  # fmt: skip
    assert list_runs(tmp_path / "elsewhere").schema == table.schema


def test_a_damaged_run_is_a_row_at_the_end(runs: list[str], tmp_path: Path) -> None:
    (tmp_path / runs[2] / MANIFEST).write_text("{")
    table = list_runs(tmp_path)
    assert table.filter(pl.col("strategy").is_null()).select("id", "status").rows() == [(runs[2], "damaged")]
    assert table["id"][-1] == runs[2]
    assert set(table["status"][:-1]) == {"done"}
