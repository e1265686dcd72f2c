"""A plan simulates training and test windows as the walk-forward did, with the bars per year of the run."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

import maestro as ms
from maestro.reproduce.bars import recorded_bars
from maestro.reproduce.plan import windows_of
from maestro.validation.robustness.choices import choices_of
from maestro.walkforward.fold import evaluator

BARS = ms.load_sample("AAPL")[:1_500]
OTHER_YEAR = ms.Bars.from_frame(BARS.to_frame(), provider=BARS.provider, symbol=BARS.symbol, periods_per_year=100.0)


@pytest.fixture(scope="module")
def wf() -> ms.WalkForward:
    return ms.walk_forward(
        OTHER_YEAR, "EmaCrossStrategy", splitter="rolling:6,2,1", trials=8, executor="serial", sizing="percent:0.5",
        costs=ms.Costs(0.002, 0.001), cash=5_000.0,
    )  # fmt: skip


def test_simulators_have_the_settings_of_the_run(wf: ms.WalkForward) -> None:
    assert wf.plan is not None
    window = windows_of(wf)[1]
    test, train = wf.plan.test_simulator(OTHER_YEAR, window), wf.plan.simulator(window.training(OTHER_YEAR))
    for simulator in (test, train):
        assert simulator.settings[:3].tolist() == [0.002, 0.001, 5_000.0]
        assert 100.0 in simulator.settings  # bars per year
        assert simulator.bars.periods_per_year == 100.0
    assert (test.begin, test.end) == window.tested
    assert len(test.bars) == window.test_stop - window.train_start
    costs = wf.plan.test_simulator(OTHER_YEAR, window, costs=ms.Costs(0.0, 0.0))
    assert costs.settings[:2].tolist() == [0.0, 0.0]
    assert np.array_equal(costs.settings[2:], test.settings[2:])


def test_every_window_gives_the_numbers_of_its_fold(wf: ms.WalkForward) -> None:
    plan = wf.plan
    assert plan is not None
    for row, window in zip(wf.folds.to_dicts(), windows_of(wf), strict=True):
        params = plan.space.from_row(row)
        bt = plan.backtest(plan.test_simulator(OTHER_YEAR, window), params)
        inside = evaluator(plan, window.training(OTHER_YEAR))(params)
        for k, (name, value) in enumerate(bt.metrics.items()):
            assert np.array_equal(value, row[f"oos_{name}"], equal_nan=True)
            assert np.array_equal(inside[k], row[f"is_{name}"], equal_nan=True)
        kept = wf.equity.filter(pl.col("fold") == row["fold"])
        assert np.array_equal(bt.equity["position"].to_numpy(), kept["position"].to_numpy())


def test_repeated_tests_keep_the_bars_per_year_of_the_run(wf: ms.WalkForward) -> None:
    """Whatever bars are given: the same bars count 252 a year if nothing else is given."""
    assert BARS.periods_per_year != 100.0
    assert recorded_bars(wf, BARS).periods_per_year == 100.0
    again = choices_of(wf, BARS).stitched().metrics
    assert again["sharpe_ratio"] == pytest.approx(wf.metrics["sharpe_ratio"], rel=1e-12)
    assert again["annual_return"] == pytest.approx(wf.metrics["annual_return"], rel=1e-12)
    entries = [ms.validation.random_entries(wf, bars, repetitions=5) for bars in (BARS, OTHER_YEAR)]
    assert np.array_equal(entries[0].null, entries[1].null)
    assert entries[0].replayed == entries[1].replayed
