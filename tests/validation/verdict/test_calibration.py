"""How often the verdict is right, in small: noise is never robust, a large planted edge mostly is."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
import pytest

import maestro as ms
from maestro.errors import SettingsError
from maestro.validation.verdict.calibration import calibrate, planted_bars, shares


def test_planted_bars_hold_a_trend_and_are_valid() -> None:
    bars = ms.load("sample:AAPL")
    made = planted_bars(bars, 0.5, duration=50, seed=1)
    ms.Bars.from_frame(made.to_frame(), timeframe="1d")
    assert made.synthetic
    assert made.name.endswith("AAPL-PLANTED:1d")
    steps = np.diff(np.log(made.close))
    slow = np.convolve(steps, np.ones(10) / 10, "valid")
    plain = np.convolve(np.diff(np.log(planted_bars(bars, 0.0, seed=1).close)), np.ones(10) / 10, "valid")
    assert slow.std() > 1.3 * plain.std()
    with pytest.raises(SettingsError, match="edge="):
        planted_bars(bars, -1.0)


def test_noise_is_never_robust_and_a_large_edge_mostly_is() -> None:
    bars = ms.load("sample:AAPL")
    common: dict[str, Any] = {"trials": 12, "workers": 1}
    noise = calibrate(bars, "EmaCrossStrategy", series=6, permutations=5, **common)
    assert (noise["conclusion"] != "robust").all()
    edge = calibrate(bars, "EmaCrossStrategy", edge=0.5, duration=30, series=3, **common)
    assert (edge["conclusion"] == "robust").sum() >= 2
    table = shares(pl.concat([noise, edge]))
    total = table.filter(pl.col("what") == "conclusion").group_by("edge").agg(pl.col("share").sum())["share"]
    np.testing.assert_allclose(total.to_numpy(), 1.0)
    with pytest.raises(SettingsError, match="too few"):
        calibrate(bars, "EmaCrossStrategy", series=5)
