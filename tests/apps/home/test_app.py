"""The home page: recent runs, series and apps, each with a link."""

from __future__ import annotations

import re
import threading
from html import unescape
from pathlib import Path
from urllib.parse import parse_qsl, unquote_plus, urlsplit

import pytest

import maestro as ms
from maestro.apps.home.app import RUNS, App
from maestro.apps.walk_forward.app import App as WalkForwardApp
from maestro.errors import RunCancelled
from maestro.execution.events import FoldDone
from tests.support.patience import GIVE_UP


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


def test_an_interrupted_run_is_resumed_by_one_link(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MAESTRO_RUNS_DIR", str(tmp_path))
    bars, cancel = ms.load_sample("AAPL"), threading.Event()
    with pytest.raises(RunCancelled):
        ms.walk_forward(
            bars, "MACDStrategy", trials=2, runs_dir=tmp_path, executor="serial", cancel=cancel,
            progress=lambda event: cancel.set() if isinstance(event, FoldDone) else None,
        )  # fmt: skip
    [cell] = re.findall("<td class='status'>interrupted(.*?)</td>", App().runs.object)
    [address] = re.findall("<a href='([^']+)'>Resume</a>", cell)
    query = dict(parse_qsl(urlsplit(unescape(address)).query))
    page = WalkForwardApp(query=query)
    assert page.problems == []
    page.runner.wait(GIVE_UP)
    page.look()
    assert page.wf is not None
    assert [run["status"] for run in ms.runs.list_runs(tmp_path).iter_rows(named=True)] == ["done"]
    assert "resume" not in page.state.link()
    assert "Resume" not in App(served=("market", "runs")).runs.object


def test_without_runs_the_page_shows_how_to_make_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MAESTRO_RUNS_DIR", str(tmp_path / "none"))
    assert "There is no run in " in App().runs.object


def test_names_of_runs_and_folders_stay_text(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "<img src=x>").mkdir()
    monkeypatch.setenv("MAESTRO_RUNS_DIR", str(tmp_path))
    assert "<img" not in App().runs.object
    assert "&lt;img src=x&gt;" in App().runs.object
