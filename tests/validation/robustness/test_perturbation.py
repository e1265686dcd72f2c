"""Perturbations: undisturbed choices give the run; delays, noise and missing bars are seeded."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import polars as pl
import pytest

import maestro as ms
from maestro.errors import SettingsError
from maestro.strategies.signals import Bracket
from maestro.validation import perturbations
from maestro.validation.robustness.perturbation import delayed
from tests.validation.robustness.rules import Foresight


def test_undisturbed_is_the_run_and_draws_are_seeded(wf: ms.WalkForward) -> None:
    found = perturbations(wf, repetitions=3, seed=5)
    assert found.base["sharpe_ratio"] == wf.metrics["sharpe_ratio"]
    assert found.base["num_trades"] == len(wf.trades)
    assert found.table.equals(perturbations(wf, repetitions=3, seed=5).table)
    other = perturbations(wf, repetitions=3, seed=6).table
    drawn = pl.col("kind").is_in(["missing", "noise"])
    assert not found.table.filter(drawn).equals(other.filter(drawn))
    assert found.table.filter(~drawn).equals(other.filter(~drawn))
    assert found.summary["repetitions"].to_list() == [1, 1, 1, 1, 3, 3, 3, 3, 3, 3]


def test_next_to_no_noise_and_no_missing_bar_change_nothing(wf: ms.WalkForward) -> None:
    found = perturbations(wf, delays=(), missing=(1e-9,), noise=(1e-9,), repetitions=2).table
    assert found["sharpe_ratio"].to_list() == [pytest.approx(wf.metrics["sharpe_ratio"], abs=1e-4)] * 5
    assert found.filter(kind="missing")["sharpe_ratio"].to_list() == [wf.metrics["sharpe_ratio"]] * 2


def test_a_rule_that_knows_the_next_bar_is_undone_by_a_bars_delay(bars: ms.Bars) -> None:
    free = ms.Costs(fee=0.0, slippage=0.0)
    run = ms.walk_forward(bars, Foresight(width=60.0), trials=3, workers=1, params={"width": 60.0}, costs=free)
    rows = perturbations(run, repetitions=5, missing=(0.05,), noise=(0.05,)).summary
    by_kind = {(row["kind"], row["level"]): row["sharpe_50"] for row in rows.to_dicts()}
    assert by_kind["as it was", None] > 20
    assert by_kind["delay", 1.0] < 0.3 * by_kind["as it was", None]
    assert by_kind["missing", 0.05] > 0.6 * by_kind["as it was", None]


def test_delayed_signals_come_later_and_not_from_before_the_window() -> None:
    n = 8
    at = np.zeros(n, np.bool_)
    at[[1, 4, 6]] = True
    stop = np.arange(1.0, n + 1)
    given = ms.Signals(at, ~at, stop=stop, stop_unit="price")
    late = delayed(given, 2, 3)
    assert np.flatnonzero(late.long_entry).tolist() == [6]
    assert late.long_exit.tolist() == [False] * 5 + [True, False, True]
    assert late.stop is not None
    assert late.stop.tolist()[5:] == [4.0, 5.0, 6.0]
    assert np.isnan(late.stop[:5]).all()
    assert late.stop_unit == "price"
    levels = np.arange(10.0, 10.0 + n)
    bracket = Bracket(0.1, 0.2, levels, levels + 1, np.zeros((0, 3)))
    moved = delayed(ms.Signals(at, bracket=bracket), 1, 0).bracket
    assert moved is not None
    assert moved.long_level.tolist()[1:] == levels[:-1].tolist()
    assert moved.short_level[3] == levels[2] + 1


def test_a_rule_with_orders_of_its_own_cannot_be_delayed(bars: ms.Bars) -> None:
    name = next(one for one in ms.strategies() if "Grid" in one)
    run = ms.walk_forward(bars, name, trials=2, workers=1)
    found = perturbations(run, repetitions=1)
    assert "orders of its own" in found.notes[0]
    assert "delay" not in set(found.table["kind"])
    assert found.base["sharpe_ratio"] == run.metrics["sharpe_ratio"] or math.isnan(run.metrics["sharpe_ratio"])


def test_folds_that_raise_are_counted(bars: ms.Bars) -> None:
    class Strict(ms.Strategy):
        n = ms.Int(5, 2, 9)

        def signals(self, bars: ms.Bars) -> ms.Signals:
            if len(bars) % 100:
                raise ms.errors.StrategyError("wants whole hundreds of bars")
            up = bars.close > bars.open
            return ms.Signals(up, ~up)

    run = ms.walk_forward(bars, Strict, trials=2, workers=1)
    found = perturbations(run, delays=(), noise=(), missing=(0.1,), repetitions=2)
    assert found.table["failed"].sum() > 0
    assert "raised under a disturbance" in found.notes[0]


@pytest.mark.parametrize(
    "given", [{"delays": (0,)}, {"missing": (0.95,)}, {"noise": (0.0,)}, {"repetitions": 0}, {"seed": -1}]
)
def test_impossible_disturbances_are_refused(wf: ms.WalkForward, given: dict[str, Any]) -> None:
    with pytest.raises(SettingsError):
        perturbations(wf, **given)
