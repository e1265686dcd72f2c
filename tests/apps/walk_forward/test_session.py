"""What the Walk-forward app computes: its runs, a fold's curve, the map of trials; all as the library gives it."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.request import urlopen

import numpy as np
import polars as pl
import pytest

import maestro as ms
from maestro.apps.shared import studies
from maestro.apps.walk_forward import session
from maestro.apps.walk_forward.app import App
from maestro.apps.walk_forward.runner import Runner
from maestro.apps.walk_forward.state import WalkForwardState
from maestro.errors import RunCancelled, SettingsError
from maestro.execution.jobs import RunProgress
from tests.apps.walk_forward.conftest import ended
from tests.support.patience import GIVE_UP


def test_the_lines_of_python_give_the_run_that_is_shown(bars: ms.Bars, wf: ms.WalkForward) -> None:
    code = WalkForwardState(trials=12).python()
    code = code.replace("ms.load('sample:AAPL')", "given").replace("runs_dir='runs'", "executor='serial'")
    names: dict[str, Any] = {"given": bars}
    exec(code, names)
    assert names["wf"].id == wf.id
    assert names["wf"].folds.equals(wf.folds)


def test_the_curve_of_a_fold_ends_at_its_returns(bars: ms.Bars, wf: ms.WalkForward) -> None:
    for fold in range(len(wf.folds)):
        curve = session.fold_curve(wf, bars, fold, "EmaCrossStrategy")
        row = wf.folds.row(fold, named=True)
        inside = curve.filter(pl.col("part") == "in sample")["growth"][-1]
        assert inside == pytest.approx(1 + row["is_total_return"], rel=1e-12)
        assert curve["growth"][-1] / inside == pytest.approx(1 + row["oos_total_return"], rel=1e-12)
        assert (curve["timestamp"][0], curve["timestamp"][-1]) == (row["train_start"], row["test_end"])


def test_the_map_holds_every_trial_once(wf: ms.WalkForward) -> None:
    cells = session.cells(wf, "fast", "slow", "sharpe_ratio", steps=6)
    scored = wf.trials.filter(pl.col("sharpe_ratio").is_finite())
    assert cells["trials"].sum() == len(scored)
    assert np.average(cells["mean"], weights=cells["trials"]) == pytest.approx(scored["sharpe_ratio"].mean())
    one = session.cells(wf, "fast", "slow", "sharpe_ratio", fold=3, steps=6)
    assert one["trials"].sum() == len(scored.filter(pl.col("fold") == 3))


@pytest.mark.parametrize(
    ("values", "most", "bins"),
    [
        (np.arange(5, 24), 24, 19), (np.arange(5, 24), 10, 10), (np.arange(10, 130, 5), 24, 24), ([7, 7], 24, 1),
        (np.arange(11) / 10, 24, 11), (np.random.default_rng(1).uniform(size=900), 24, 24),
    ],
)  # fmt: skip
def test_the_map_of_a_grid_has_no_empty_stripes(values: Any, most: int, bins: int) -> None:
    low, width = session._bins(np.asarray(values, float), most)
    held = np.minimum(((np.asarray(values, float) - low) / width).astype(int), most - 1)
    assert len(np.unique(held)) == held.max() + 1 == bins


def finished(runner: Runner, ended: list[Any]) -> Any:
    runner.wait(GIVE_UP)
    assert len(ended) == 1
    return ended.pop()


def test_a_run_is_cancelled_goes_on_and_is_judged(bars: ms.Bars, tmp_path: Path) -> None:
    state = WalkForwardState(trials=300, runs_dir=str(tmp_path))
    runner, ended = Runner(), []
    runner.start(state, bars, lambda *result: ended.append(result))
    with pytest.raises(SettingsError, match="a job is running"):
        runner.start(state, bars, lambda *_: None)
    runner.cancel()
    result, error = finished(runner, ended)
    assert result is None
    assert isinstance(error, RunCancelled)
    runner.start(state, bars, lambda *result: ended.append(result))
    result, error = finished(runner, ended)
    assert error is None
    assert result.folds.equals(session.run(state, bars, keep=False).folds)
    assert isinstance(runner.progress, RunProgress)
    assert (runner.progress.percent, runner.progress.folds_done) == (100, 9)
    runner.judge(result, bars, None, lambda *found: ended.append(found))
    found, error = finished(runner, ended)
    assert error is None
    assert found.conclusion in ("robust", "inconclusive", "fitted", "not enough data")
    assert ms.load_run(result.id, tmp_path).verdict.conclusion == found.conclusion


def test_a_page_that_is_closed_leaves_a_run_that_goes_on_or_lets_it_end(bars: ms.Bars, tmp_path: Path) -> None:
    for choice, stopped in (("resumable", True), ("end", False)):
        page = App(bars, trials=2, runs_dir=str(tmp_path))
        page.close.value = choice
        page._closed()
        assert page.runner._cancel.is_set() is stopped


def test_studies_are_served_and_their_server_ends(wf: ms.WalkForward) -> None:
    dashboard = session.Dashboard()
    address = dashboard.open(wf)
    folder = dashboard._folder
    until = time.monotonic() + GIVE_UP
    while True:
        try:
            found = json.loads(urlopen(address.replace("/dashboard", "/api/studies"), timeout=5).read())
            break
        except (URLError, OSError):
            assert time.monotonic() < until
            time.sleep(0.2)
    assert len(found["study_summaries"]) == 9
    dashboard.stop()
    assert folder is not None
    assert not folder.exists()
    with pytest.raises((URLError, OSError)):
        urlopen(address, timeout=5)


def test_a_dashboard_below_the_apps_has_a_relative_address_until_it_ends(wf: ms.WalkForward) -> None:
    dashboard = session.Dashboard()
    before = dict(studies._PORTS)
    address = dashboard.open(wf, below=True)
    assert address == f"studies/{dashboard._token}/dashboard"
    assert studies._PORTS.keys() - before.keys() == {dashboard._token}
    dashboard.stop()
    assert dashboard._token not in studies._PORTS


def test_a_strategy_that_raises_is_named_and_the_app_lives_on(bars: ms.Bars, tmp_path: Path) -> None:
    class Broken(ms.Strategy):
        n = ms.Int(5, 2, 9)

        def signals(self, bars: ms.Bars) -> ms.Signals:
            raise ZeroDivisionError("division by zero")

    page = App(bars, own=Broken, trials=3, runs_dir=str(tmp_path))
    page.begin()
    ended(page)
    assert page.wf is not None
    assert len(page.wf.failed_folds) == len(page.wf.folds)
    assert "ZeroDivisionError" in page.wf.folds["error"][0]
    page.state.strategy = "RSIStrategy"
    page.begin()
    ended(page)
    assert not len(page.wf.failed_folds)
