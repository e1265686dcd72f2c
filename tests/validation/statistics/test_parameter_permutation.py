"""Fixed sets over the tested bars: known values, the run's own metric, and refusals."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

import maestro as ms
from maestro.engine import Simulator
from maestro.errors import SettingsError
from maestro.metrics import from_returns
from maestro.validation import parameter_permutation


@pytest.fixture(scope="module")
def wf() -> ms.WalkForward:
    return ms.walk_forward(ms.load_sample("AAPL"), "EmaCrossStrategy", trials=8, workers=1)


def test_a_value_is_the_metric_of_the_set_over_the_tested_bars(wf: ms.WalkForward) -> None:
    found = parameter_permutation(wf, metric="annual_return")
    assert found.observed == pytest.approx(wf.metrics["annual_return"], rel=1e-12)
    first = wf.trials.filter(wf.trials["state"] == "complete").sort("fold", "trial").row(0, named=True)
    assert wf.plan is not None
    assert wf.bars is not None
    params = wf.plan.space.from_row(first)
    books = Simulator(wf.bars, costs=wf.plan.costs, sizing=wf.plan.sizing, cash=wf.plan.cash, close_at_end=True).record(
        wf.plan.strategy(**params).evaluate(wf.bars)
    )
    returns = np.diff(np.log(np.concatenate(([wf.plan.cash], books.equity))))
    tested = np.isin(wf.bars.time, wf.equity["timestamp"].to_physical().to_numpy())
    expected = from_returns(np.expm1(returns[tested]), periods_per_year=wf.spec.periods_per_year)["annual_return"]
    assert found.values[0] == pytest.approx(expected, rel=1e-9)


def test_median_and_rank_of_known_values(wf: ms.WalkForward) -> None:
    found = replace(parameter_permutation(wf), values=np.array([0.0, 1.0, 2.0, np.nan]), observed=1.0)
    assert found.median == 1.0
    assert found.rank == 0.5
    assert replace(found, observed=3.0).rank == 1.0
    assert math.isnan(replace(found, values=np.array([np.nan])).rank)
    assert math.isnan(replace(found, observed=math.nan).rank)
    assert "median 1" in repr(found)
    assert "3 sets" not in found._repr_html_()
    assert "4 sets that the run tried" in found._repr_html_()


def test_an_unknown_metric_is_refused(wf: ms.WalkForward) -> None:
    with pytest.raises(SettingsError, match="Did you mean 'sharpe_ratio'"):
        parameter_permutation(wf, metric="sharp_ratio")
