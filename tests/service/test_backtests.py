"""A backtest as a job: in a process of its own for a slow engine, which ends when it is cancelled or dies."""

from __future__ import annotations

import multiprocessing
import os
import threading
import time
from pathlib import Path
from typing import Any

import pytest

import maestro as ms
from maestro.errors import RunCancelled, RunError
from maestro.runs.backtests import BacktestStore
from maestro.service import backtests
from maestro.service.backtests import PlannedBacktest, run_and_keep
from tests.support.patience import GIVE_UP


def planned(engine: str, **changed: Any) -> PlannedBacktest:
    return PlannedBacktest(
        ms.load("sample:AAPL"), ms.strategy("EmaCrossStrategy"), costs=ms.Costs(), sizing=ms.Sizing.percent(1.0),
        cash=1e5, fill="next_open", engine=engine, **changed,
    )  # fmt: skip


def sleeps(planned: PlannedBacktest, runs_dir: Path, sending: Any) -> None:
    (runs_dir / "began").touch()
    time.sleep(GIVE_UP)


def dies(planned: PlannedBacktest, runs_dir: Path, sending: Any) -> None:
    os._exit(9)


def fails(planned: PlannedBacktest, runs_dir: Path, sending: Any) -> None:
    sending.send("the engine has no such order")


def test_a_backtest_that_is_there_is_not_run_again_unless_it_is_damaged(tmp_path: Path) -> None:
    one = planned("fast")
    run_and_keep(one, tmp_path, threading.Event())
    manifest = BacktestStore(tmp_path, one.id).folder / "manifest.json"
    first = manifest.stat().st_mtime_ns
    run_and_keep(one, tmp_path, threading.Event())
    assert manifest.stat().st_mtime_ns == first
    manifest.write_bytes(b"{}")
    run_and_keep(one, tmp_path, threading.Event())
    assert (
        BacktestStore(tmp_path, one.id).load().metrics
        == ms.backtest(ms.load("sample:AAPL"), "EmaCrossStrategy").metrics
    )


def test_another_engine_is_stopped_with_its_process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backtests, "_child", sleeps)
    stop = threading.Event()

    def stop_when_it_began() -> None:
        while not (tmp_path / "began").exists():
            time.sleep(0.01)
        stop.set()

    asking = threading.Thread(target=stop_when_it_began)
    asking.start()
    before = set(multiprocessing.active_children())
    with pytest.raises(RunCancelled, match="no result is kept"):
        run_and_keep(planned("backtrader"), tmp_path, stop)
    asking.join()
    assert set(multiprocessing.active_children()) <= before
    assert not (tmp_path / "backtests").exists()


@pytest.mark.parametrize(("end", "words"), [(dies, "backtrader died"), (fails, "no such order")])
def test_a_failure_in_its_process_is_reported(
    end: Any, words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(backtests, "_child", end)
    with pytest.raises(RunError, match=words):
        run_and_keep(planned("backtrader"), tmp_path, threading.Event())


def test_an_engine_that_is_not_installed_is_refused_before(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(ms.errors.MissingExtraError, match="backtrader"):
        planned("backtrader")
