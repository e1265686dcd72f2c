"""Performance per regime: the parts of a sample add up to it, and belong to states that were known before."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import polars as pl
import pytest

import maestro as ms
from maestro.errors import SettingsError

BARS = ms.load_sample("AAPL")
WF = ms.walk_forward(BARS, "EmaCrossStrategy", trials=10, executor="serial")
TABLE = WF.by_regime()


def test_the_parts_of_the_out_of_sample_stretch_add_up_to_it() -> None:
    out = TABLE.filter(pl.col("sample") == "out")
    assert out["bars"].sum() == len(WF.equity)
    assert out["share"].sum() == pytest.approx(1.0)
    total = math.prod(1.0 + value for value in out["total_return"]) - 1.0
    assert total == pytest.approx(WF.metrics["total_return"], rel=1e-9)
    assert out["trades"].sum() == WF.metrics["num_trades"]
    assert out["fees"].sum() == pytest.approx(WF.metrics["fees"], rel=1e-9)


def test_returns_belong_to_the_state_known_at_the_close_before() -> None:
    state = ms.regimes(BARS).state
    row = {int(t): k for k, t in enumerate(BARS.time)}
    places = [row[int(t)] for t in WF.equity["timestamp"].to_physical()]
    returns = WF.equity["return"].to_numpy()
    before = state[np.array(places) - 1]
    for k in (0, 1):
        found = TABLE.filter((pl.col("sample") == "out") & (pl.col("state") == k))
        assert found["bars"][0] == int((before == k).sum())
        assert found["total_return"][0] == pytest.approx(np.prod(1 + returns[before == k]) - 1, rel=1e-9)


def test_the_training_windows_are_the_other_sample() -> None:
    inside = TABLE.filter(pl.col("sample") == "in")
    good = WF.folds.filter(pl.col("error").is_null())["fold"]
    lengths = [WF.spec.windows[fold][1] - WF.spec.windows[fold][0] for fold in good]
    assert inside["bars"].sum() == sum(lengths)
    assert inside["share"].sum() == pytest.approx(1.0)
    assert inside["state"].null_count() == 1  # bars before the first fit


def test_a_run_from_disk_gives_the_same(tmp_path: Any) -> None:
    wf = ms.walk_forward(BARS, "RSIStrategy", trials=5, executor="serial", runs_dir=tmp_path)
    loaded = ms.load_run(wf.id, tmp_path)
    assert ms.validation.by_regime(loaded, bars=BARS).equals(wf.by_regime())


def test_impossible_settings_are_refused() -> None:
    with pytest.raises(SettingsError, match=r"give ms\.Regimes"):
        WF.by_regime("calm")
    with pytest.raises(SettingsError, match="are not longer than train"):
        WF.by_regime(train="90y")
