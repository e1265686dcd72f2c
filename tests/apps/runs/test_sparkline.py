"""The small curve of a run's equity, and its efficiency."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

import maestro as ms
from maestro.apps.runs.sparkline import HEIGHT, WIDTH, curve_of, svg


def points(text: str) -> list[tuple[float, float]]:
    found = re.search('points="([^"]+)"', text)
    assert found is not None
    return [(float(x), float(y)) for x, y in (pair.split(",") for pair in found[1].split())]


def test_the_curve_has_few_points_and_begins_and_ends_where_the_equity_does() -> None:
    text = svg(np.linspace(100.0, 300.0, 5_000))
    shown = points(text)
    assert len(shown) == 60
    assert all(0 <= x <= WIDTH and 0 <= y <= HEIGHT for x, y in shown)
    assert shown[0][1] > shown[-1][1]
    assert "Equity rises from 100 to 300" in text
    assert "Equity falls from 3 to 1" in svg(np.array([3.0, np.nan, 2.0, 1.0]))
    assert svg(np.array([1.0])) == ""
    assert len({y for _, y in points(svg(np.full(9, 5.0)))}) == 1


def test_efficiency_is_that_of_the_run_and_damaged_tables_give_none(tmp_path: Path) -> None:
    settings = {"trials": 3, "splitter": "rolling:4,2,1", "workers": 1, "runs_dir": tmp_path}
    wf = ms.walk_forward(ms.load_sample("AAPL"), "EmaCrossStrategy", **settings)
    efficiency, text = curve_of(wf.folder, "first", wf.metrics["annual_return"])
    assert efficiency == pytest.approx(wf.efficiency)
    assert text.startswith("<svg")
    (wf.folder / "equity.parquet").write_bytes(b"nothing")
    assert curve_of(wf.folder, "first", wf.metrics["annual_return"])[1] == text  # kept while nothing has changed
    assert curve_of(wf.folder, "second", wf.metrics["annual_return"]) == (None, "")
