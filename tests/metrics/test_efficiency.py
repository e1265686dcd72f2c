"""Walk-forward efficiency: one definition, also of an account that was ruined."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import maestro as ms
from maestro.cli.walk_forward import document
from maestro.metrics import efficiency, mean_annual_return
from maestro.reports import compare_runs, gather
from maestro.reports.page.walk_forward import render
from maestro.validation import preliminary_verdict


def test_worked_values() -> None:
    assert mean_annual_return([0.2, -0.1], [3, 1]) == pytest.approx(1.2**0.75 * 0.9**0.25 - 1)
    assert mean_annual_return([0.2, -0.1], [3, 1]) == pytest.approx(0.1167, abs=5e-5)
    assert mean_annual_return([0.2, math.nan, 5.0], [1, 1, 0]) == pytest.approx(0.2)
    assert math.isnan(mean_annual_return([math.nan], [1]))
    assert math.isnan(mean_annual_return([], []))
    assert mean_annual_return([-1.0, 0.0], [1, 1]) == pytest.approx(-1.0, abs=1e-5)
    assert efficiency(0.06, 0.12) == 0.5
    assert math.isnan(efficiency(0.06, 0.0))
    assert math.isnan(efficiency(0.06, -0.1))
    assert math.isnan(efficiency(math.nan, 0.1))


class AlwaysLong(ms.Strategy):
    """Buys the first bar and holds."""

    wait = ms.Int(1, 1, 3)

    def warmup(self, params: Any = None) -> int:
        return 0

    def signals(self, bars: ms.Bars) -> ms.Signals:
        entry = np.zeros(len(bars), np.bool_)
        entry[self.wait :] = True
        return ms.Signals(long_entry=entry, long_exit=np.zeros(len(bars), np.bool_))


@pytest.fixture(scope="module")
def ruined() -> ms.WalkForward:
    """Three times leveraged, profitable in sample and out of sample until the last fold, which ruins it."""
    rng = np.random.default_rng(5)
    n = 1_000
    close = 100 * np.exp(np.cumsum(rng.normal(0.0006, 0.004, n)))
    close[960:] *= np.linspace(1.0, 0.5, 40)
    frame = ms.synthetic_bars(n, 1, timeframe="1h").to_frame().with_columns(
        open=np.concatenate(([close[0]], close[:-1])), close=close, high=np.maximum(close, np.roll(close, 1)) * 1.001,
        low=np.minimum(close, np.roll(close, 1)) * 0.999,
    )  # fmt: skip
    frame = frame.with_columns(high=frame["close"].clip(lower_bound=frame["open"]) * 1.001,
                               low=frame["close"].clip(upper_bound=frame["open"]) * 0.999)  # fmt: skip
    bars = ms.Bars.from_frame(frame, timeframe="1h", provider="TEST", symbol="CRASH")
    return ms.walk_forward(
        bars, AlwaysLong, splitter=ms.Rolling(n_splits=5), trials=3, workers=1,
        sizing=ms.Sizing.percent(3.0, max_exposure=3.0),
    )  # fmt: skip


def test_a_ruined_run_has_no_efficiency_anywhere(ruined: ms.WalkForward, tmp_path: Path) -> None:
    assert ruined.metrics["ruined"] == 1
    assert ruined.folds["oos_ruined"].to_list() == [0.0] * (len(ruined.folds) - 1) + [1.0]
    assert ruined.in_sample_annual_return > 0
    assert math.isnan(ruined.metrics["annual_return"])
    evidence, verdict = gather(ruined), preliminary_verdict(ruined)
    for value in (ruined.efficiency, evidence.efficiency, evidence.oos_annual, document(ruined)["efficiency"]):
        assert math.isnan(value)
    assert verdict["efficiency"].outcome == "fail"
    assert verdict["efficiency"].value is None
    assert "ruined" in verdict["efficiency"].meaning
    assert "Ruin" in [warning.title for warning in verdict.warnings]
    assert 'Annual return</div><div class="value ">–' in render(ruined).replace("&#8211;", "–")
    shown = compare_runs([ruined]).metrics.filter(metric="Efficiency").row(0)
    assert shown[1] == "–"


def test_every_place_shows_the_same_efficiency() -> None:
    made = ms.walk_forward(ms.load("sample:AAPL"), "EmaCrossStrategy", trials=4, workers=1)
    assert made.efficiency == made.metrics["annual_return"] / made.in_sample_annual_return
    assert gather(made).efficiency == preliminary_verdict(made)["efficiency"].value == made.efficiency
