"""Choices of a run: unchanged they give the run's own figures to the bit."""

from __future__ import annotations

import math
from typing import Any

import pytest

import maestro as ms
from maestro.validation.robustness.choices import choices_of


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"splitter": "rolling:8,3,1,purge=12,embargo=7"},
        {"splitter": ms.Calendar(train="2w", test="1w", step="4d")},  # test windows overlap
        {"splitter": "expanding:5", "fill": "close", "sizing": "volatility:0.5"},
        {"splitter": "adaptive:6,2", "strategy": "RSIStrategy"},
        {"strategy": "ScalpRSIStrategy", "costs": ms.Costs(fee=0.0, slippage=0.0)},
    ],
)
def test_unchanged_choices_give_the_runs_own_figures_to_the_bit(bars: ms.Bars, settings: dict[str, Any]) -> None:
    run = ms.walk_forward(bars, **{"strategy": "EmaCrossStrategy", "trials": 6, "workers": 1, **settings})
    found = choices_of(run).stitched()
    for name in ("sharpe_ratio", "total_return", "annual_return", "volatility", "max_drawdown"):
        assert found.metrics[name] == run.metrics[name] or math.isnan(run.metrics[name]), name
    assert found.returns.tolist() == run.equity["return"].to_list()
    assert found.stamps.tolist() == run.equity["timestamp"].to_physical().to_list()
