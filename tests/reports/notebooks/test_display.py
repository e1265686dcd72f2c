"""Key figures of a result: metrics, and of a walk-forward the conclusion of its verdict."""

from __future__ import annotations

from pathlib import Path

import pytest

import maestro as ms
from maestro.errors import SettingsError
from maestro.reports.notebooks.batch import Record
from maestro.reports.notebooks.batch_index import index_page
from maestro.reports.notebooks.display import HEADLINES, headline_of, tiles


def test_a_walk_forward_hands_over_its_verdict_and_the_index_shows_it(tmp_path: Path) -> None:
    settings = {"trials": 3, "splitter": "rolling:4,2,1", "workers": 1, "runs_dir": tmp_path}
    wf = ms.walk_forward(ms.load_sample("AAPL"), "EmaCrossStrategy", **settings)
    found = headline_of(wf)
    assert list(found) == [*HEADLINES, "verdict"]
    assert found["verdict"] == wf.verdict.name
    assert found["verdict"] in str(tiles(found))
    record = Record("one", "k", {}, "done", headline=[[name, value] for name, value in found.items()])
    page = index_page([record], "04_walk_forward_report.ipynb")
    assert "Verdict" in page
    assert found["verdict"] in page
    (wf.folder / "verdict.json").write_text("{")
    assert headline_of(ms.load_run(wf.id, tmp_path))["verdict"].startswith("damaged: ")


def test_a_backtest_has_none_and_other_things_no_key_figures() -> None:
    assert "verdict" not in headline_of(ms.backtest(ms.load_sample("AAPL"), "EmaCrossStrategy"))
    assert headline_of({"verdict": "robust"}) == {"verdict": "robust"}
    with pytest.raises(SettingsError, match="a list has no metrics"):
        headline_of([])
