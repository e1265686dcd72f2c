"""A run on disk is opened in the Walk-forward app by a link, or says why not."""

from __future__ import annotations

from pathlib import Path

import pytest

import maestro as ms
from maestro.apps.runs.app import App as RunsApp
from maestro.apps.runs.session import RunsSession
from maestro.apps.walk_forward.app import App as WalkForwardApp
from maestro.apps.walk_forward.job import Job
from maestro.errors import RunError
from tests.apps.shared.test_journey import href, query


def test_a_run_on_disk_is_opened_with_its_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    bars = ms.load("sample:AAPL", start="2005")
    wf = ms.walk_forward(
        bars, "EmaCrossStrategy", splitter="calendar:2y,2y", trials=3, seed=4, space={"fast": (5, 20)},
        sizing="percent:0.5", costs=ms.Costs(fee=0.002), select="vwr", runs_dir="runs",
    )  # fmt: skip
    runs = RunsApp(runs=[wf.id])
    address = href(runs.view.onward.object, "Open")
    app = WalkForwardApp(query=query(address))
    assert not app.problems
    assert app.picker.bars is not None
    assert Job(app.state, app.picker.bars).id == wf.id
    runs.state.runs = []
    assert not runs.view.onward.visible


@pytest.mark.parametrize("select", ["pareto:sharpe_ratio,-volatility", "weighted:sharpe_ratio=0.7,vwr=0.3"])
def test_a_run_of_any_selection_is_opened(select: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    wf = ms.walk_forward(
        ms.load("sample:AAPL", start="2010"), "EmaCrossStrategy", splitter="rolling:2", trials=3, select=select,
        runs_dir="runs",
    )  # fmt: skip
    app = WalkForwardApp(query=query(RunsSession(Path("runs")).link(wf.id)))
    assert app.picker.bars is not None
    assert (app.state.select, Job(app.state, app.picker.bars).id) == (select, wf.id)


def test_a_run_that_the_app_cannot_show_has_a_reason(tmp_path: Path) -> None:
    wf = ms.walk_forward(ms.synthetic_bars(400), "EmaCrossStrategy", splitter="rolling:2", trials=2, runs_dir=tmp_path)
    with pytest.raises(RunError, match=r"not loaded by one call of ms.load"):
        RunsSession(tmp_path).link(wf.id)
    app = RunsApp(runs_dir=str(tmp_path), runs=[wf.id])
    assert "not loaded by one call of ms.load" in app.view.onward.object
