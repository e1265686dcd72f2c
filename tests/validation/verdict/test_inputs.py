"""The inputs of a verdict: the number of trials behind a run."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

import maestro as ms
from maestro.ledger import Ledger
from maestro.validation.verdict.inputs import count_trials


def test_trials_are_those_of_the_ledger_or_of_the_run(wf: ms.WalkForward, tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.setenv("MAESTRO_LEDGER_DIR", str(tmp_path))
    own, _, message = count_trials(wf, wf.bars)
    assert own == len(wf.trials.filter(pl.col("state") != "infeasible"))
    assert "of this run only" in message
    book = Ledger(wf.bars)  # type: ignore[arg-type]
    book.record("by hand", sharpes=np.random.default_rng(0).normal(0, 0.03, 5_000).tolist())
    count, variance, message = count_trials(wf, None)
    assert count == 5_000
    assert variance == pytest.approx(0.0009, rel=0.1)
    assert "ledger" in message


def test_unnamed_bars_are_found_in_the_ledger_without_the_bars(tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.setenv("MAESTRO_LEDGER_DIR", str(tmp_path))
    bars = ms.Bars.from_frame(ms.load("sample:IBM").to_frame(), timeframe="1d")
    made = ms.walk_forward(bars, "EmaCrossStrategy", trials=3, workers=1)
    Ledger(bars).record("by hand", sharpes=np.random.default_rng(0).normal(0, 0.03, 700).tolist())
    assert count_trials(made, None).distinct == count_trials(made, bars).distinct >= 700
