"""`ms.plan`: the id and the estimate of a walk-forward, and its refusals, without running it."""

from __future__ import annotations

from pathlib import Path

import pytest

import maestro as ms
from maestro.errors import SettingsError, SplitError


def test_the_plan_has_the_id_that_the_run_gets(tmp_path: Path) -> None:
    bars = ms.load_sample("IBM")
    planned = ms.plan(bars, "RSIStrategy", splitter="rolling:4,2,1", trials=5, seed=2)
    wf = ms.walk_forward(bars, "RSIStrategy", splitter="rolling:4,2,1", trials=5, seed=2, runs_dir=tmp_path)
    assert (planned.id, planned.spec) == (wf.id, wf.spec)
    assert (planned.folds, planned.trials) == (len(wf.folds), 5)
    assert str(planned) == f"Planned({wf.id}: {len(wf.folds)} folds, 5 trials each)"


def test_the_estimate_grows_with_the_work() -> None:
    bars = ms.load_sample("IBM")
    few, many = (ms.plan(bars, "RSIStrategy", trials=trials).estimate() for trials in (10, 100_000))
    assert 0 < few < many


def test_what_cannot_run_is_refused() -> None:
    bars = ms.load_sample("IBM")
    with pytest.raises(SettingsError, match="trials=0"):
        ms.plan(bars, "RSIStrategy", trials=0)
    with pytest.raises(SplitError):
        ms.plan(bars[:20], "RSIStrategy", splitter="rolling:19,2,1")
