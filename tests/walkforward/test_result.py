"""The result of a walk-forward: failed folds, notes and figures, from its tables alone."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta

import polars as pl
import pytest

from maestro.walkforward.result import _trials_notes, in_sample_return
from tests.reports.standin import StandIn, stand_in


@pytest.fixture(scope="module")
def wf() -> StandIn:
    return stand_in(folds=4, bars=100, trials=12, failed=(1,), trades_each=6)


def windows(returns: list[float], days: list[int], results: list[float | None]) -> pl.DataFrame:
    start = datetime(2020, 1, 1, tzinfo=UTC)
    return pl.DataFrame(
        {
            "train_start": [start] * len(days), "train_end": [start + timedelta(days=n) for n in days],
            "is_annual_return": returns, "oos_total_return": results,
        }
    )  # fmt: skip


def test_the_return_in_sample_is_compounded_by_the_length_of_the_windows() -> None:
    found = in_sample_return(windows([0.1, 0.4, 9.0], [100, 300, 100], [0.0, 0.0, None]))
    assert found == pytest.approx(math.exp((math.log(1.1) + 3 * math.log(1.4)) / 4) - 1)


def test_failed_folds_are_listed_and_noted(wf: StandIn) -> None:
    assert wf.failed_folds["fold"].to_list() == [1]
    assert wf.notes[-1].startswith("1 of 4 folds failed; their errors are in the table of folds")
    assert ", 1 FAILED" in repr(wf)
    nothing = stand_in(folds=2, bars=50, trials=3, failed=(0, 1))
    assert any(note.startswith("every fold failed") for note in nothing.notes)
    assert math.isnan(nothing.metrics["total_return"])
    assert math.isnan(nothing.efficiency)


def test_a_run_without_a_losing_trade_has_a_note(wf: StandIn) -> None:
    winners = wf.but(trades=wf.trades.with_columns(pnl=pl.col("pnl").abs() + 1.0, **{"return": pl.lit(0.01)}))
    assert math.isnan(winners.metrics["profit_factor"])
    assert any("No closed trade lost" in note for note in winners.notes)
    assert not any("No closed trade lost" in note for note in wf.notes)


def test_the_drawdown_and_the_benchmark_are_those_of_the_tables(wf: StandIn) -> None:
    assert wf.metrics["total_return"] == pytest.approx(wf.equity["equity"][-1] / wf.spec.cash - 1.0)
    assert wf.benchmark["total_return"] == pytest.approx(wf.equity["benchmark"][-1] / wf.spec.cash - 1.0)
    assert wf.metrics["max_drawdown"] == pytest.approx(wf.equity["drawdown"].min())


def test_notes_name_the_fold_with_fewest_trials_left() -> None:
    trials = pl.DataFrame(
        {
            "fold": [0, 0, 1, 1, 1], "state": ["complete", "failed", "failed", "failed", "complete"],
            "error": [None, "ValueError: a", "ValueError: a", "ValueError: b", None],
        }
    )  # fmt: skip
    [note] = _trials_notes(trials, "sharpe_ratio")
    assert "fewest trials left: 1 in fold 0" in note
    assert "3" in note
    assert _trials_notes(trials.filter(state="complete"), "sharpe_ratio") == []
