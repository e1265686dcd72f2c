"""The home page: recent runs, series and apps, each with a link."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import unquote_plus

import pytest

import maestro as ms
from maestro.apps.home.app import RUNS, App


def test_it_links_to_runs_series_and_the_apps_that_are_served(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MAESTRO_RUNS_DIR", str(tmp_path / "runs"))
    bars = ms.synthetic_bars(1_500, seed=5)
    made = [
        ms.walk_forward(bars, "RSIStrategy", splitter="rolling:3,1,1", trials=2, seed=seed, runs_dir=tmp_path / "runs")
        for seed in range(RUNS + 1)
    ]
    page = App(served=("market", "runs"))
    assert re.findall("href='([^']+)'", page.apps.object) == ["./market", "./runs"]
    linked = [unquote_plus(link) for link in re.findall("href='([^']+)'", page.runs.object)]
    assert len(linked) == RUNS
    assert set(linked) < {f'./runs?runs=["{wf.id}"]' for wf in made}
    assert "<p>1 more is in the Runs app.</p>" in page.runs.object
    assert "./market?data=sample%3AAAPL" in page.series.object
    assert "./backtest" not in page.series.object


def test_without_runs_the_page_shows_how_to_make_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MAESTRO_RUNS_DIR", str(tmp_path / "none"))
    assert "There is no run in " in App().runs.object


def test_names_of_runs_and_folders_stay_text(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "<img src=x>").mkdir()
    monkeypatch.setenv("MAESTRO_RUNS_DIR", str(tmp_path))
    assert "<img" not in App().runs.object
    assert "&lt;img src=x&gt;" in App().runs.object
