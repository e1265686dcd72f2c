"""One fold and all of them: what is chosen and tested, where failures stay, gaps, overlaps, and the stitched whole."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import Any

import numpy as np
import optuna
import polars as pl
import pytest

import maestro as ms
from maestro import metrics as m
from maestro._core.formatting import percent
from maestro.bars import Bars
from maestro.engine import Backtest
from tests.support.rules import FALLING, RISING, THREE, Cross, FailsAbove, FailsOnTest, NeverTrades

COSTS = ms.Costs(fee=0.002, slippage=0.001)


@pytest.fixture(scope="module")
def wf() -> ms.WalkForward:
    return ms.walk_forward(RISING, Cross, **THREE, costs=COSTS)


def test_the_metrics_of_the_choice_equal_its_backtest_in_and_out_of_sample(wf: ms.WalkForward) -> None:
    for row, window in zip(wf.folds.iter_rows(named=True), wf.spec.windows, strict=True):
        a, b, c, d = window
        params = {"fast": row["fast"], "slow": row["slow"]}
        inside = ms.backtest(RISING[a:b], Cross, params=params, costs=COSTS, close_at_end=True)
        outside = ms.backtest(RISING[a:d], Cross, params=params, costs=COSTS, window=(c - a, d - a), close_at_end=True)
        for name in m.NAMES:
            assert row[f"is_{name}"] == pytest.approx(inside.metrics[name], abs=0, rel=0, nan_ok=True), name
            assert row[f"oos_{name}"] == pytest.approx(outside.metrics[name], abs=0, rel=0, nan_ok=True), name
        part = wf.trades.filter(fold=row["fold"]).drop("fold")
        assert part.equals(outside.trades)


def test_stamps_are_those_of_the_first_and_last_bars(wf: ms.WalkForward) -> None:
    stamps = RISING.to_frame()["timestamp"]
    for row, (a, b, c, d) in zip(wf.folds.iter_rows(named=True), wf.spec.windows, strict=True):
        expected = [stamps[k] for k in (a, b - 1, c, d - 1)]
        assert [row[n] for n in ("train_start", "train_end", "test_start", "test_end")] == expected


def test_the_best_trial_is_chosen_and_marked(wf: ms.WalkForward) -> None:
    for row in wf.folds.iter_rows(named=True):
        trials = wf.trials.filter(fold=row["fold"])
        assert len(trials) == 6
        best = trials.filter("chosen")
        assert len(best) == 1
        assert best["sharpe_ratio"].item() == trials.filter(state="complete")["sharpe_ratio"].max()
        assert (best["fast"].item(), best["slow"].item()) == (row["fast"], row["slow"])


def test_the_stitched_equity_is_the_chain_of_the_folds(wf: ms.WalkForward) -> None:
    equity, expected = 100_000.0, []
    for row, (a, _, c, d) in zip(wf.folds.iter_rows(named=True), wf.spec.windows, strict=True):
        bt = ms.backtest(
            RISING[a:d], Cross, params={"fast": row["fast"], "slow": row["slow"]}, costs=COSTS, window=(c - a, d - a),
            close_at_end=True,
        )  # fmt: skip
        for value in bt.returns:
            equity *= 1.0 + value
            expected.append(equity)
    assert wf.equity["equity"].to_numpy() == pytest.approx(np.array(expected), rel=1e-12)
    growth = np.prod([1 + r for r in wf.folds["oos_total_return"]])
    assert wf.equity["equity"][-1] == pytest.approx(100_000 * growth, rel=1e-12)
    peak = np.maximum.accumulate(np.concatenate(([100_000.0], expected)))[1:]
    assert wf.equity["drawdown"].to_numpy() == pytest.approx(np.array(expected) / peak - 1, abs=1e-12)
    close = RISING.close[600:]
    assert wf.equity["benchmark"].to_numpy() == pytest.approx(100_000 * close / RISING.open[600])
    assert wf.equity["close"].to_list() == close.tolist()


def test_the_metrics_are_those_of_the_stitched_stretch(wf: ms.WalkForward) -> None:
    expected = m.from_equity(wf.equity["equity"].to_numpy(), 100_000.0, periods_per_year=8_760)
    for name, value in expected.items():
        assert wf.metrics[name] == pytest.approx(value, nan_ok=True), name
    assert set(wf.metrics) == set(m.NAMES)
    pnl = wf.trades["pnl"]
    assert wf.metrics["num_trades"] == len(pnl) == wf.folds["oos_num_trades"].sum()
    assert wf.metrics["win_rate"] == pytest.approx((pnl > 0).mean())
    assert wf.metrics["profit_factor"] == pytest.approx(pnl.filter(pnl > 0).sum() / -pnl.filter(pnl <= 0).sum())
    assert wf.metrics["fees"] == pytest.approx(wf.trades["fees"].sum())
    assert wf.metrics["exposure"] == pytest.approx((wf.equity["position"] != 0).mean())
    assert wf.metrics["final_equity"] == wf.equity["equity"][-1]


def test_efficiency_by_hand(wf: ms.WalkForward) -> None:
    hours = [b - a for a, b, *_ in wf.spec.windows]
    inside = wf.folds["is_annual_return"].to_list()
    growth = sum(math.log1p(r) * (n - 1) for r, n in zip(inside, hours, strict=True)) / sum(n - 1 for n in hours)
    assert wf.in_sample_annual_return == pytest.approx(math.expm1(growth), rel=1e-9)
    if growth > 0:
        outside = (wf.equity["equity"][-1] / 100_000) ** (8_760 / len(wf.equity)) - 1
        assert wf.efficiency == pytest.approx(outside / math.expm1(growth), rel=1e-9)
    else:
        assert math.isnan(wf.efficiency)


def test_a_loss_in_sample_has_no_efficiency() -> None:
    lost = ms.walk_forward(FALLING, Cross, **{**THREE, "trials": 1}, costs=ms.Costs(fee=0.02))
    assert lost.in_sample_annual_return < 0
    assert math.isnan(lost.efficiency)


def test_windows_that_overlap_take_a_bar_from_the_earlier_fold() -> None:
    wf = ms.walk_forward(RISING, Cross, splitter=ms.Rolling(n_splits=5, test_folds=2), trials=4)
    windows = wf.spec.windows
    assert any(a[3] > b[2] for a, b in pairwise(windows))
    stamps = RISING.to_frame()["timestamp"]
    assert wf.equity["timestamp"].to_list() == stamps[windows[0][2] : windows[-1][3]].to_list()
    owner = np.full(len(RISING), -1)
    for fold, (_, _, c, d) in reversed(list(enumerate(windows))):
        owner[c:d] = fold
    assert wf.equity["fold"].to_list() == owner[windows[0][2] :].tolist()


def test_purge_and_embargo_are_taken_out() -> None:
    wf = ms.walk_forward(RISING, Cross, **{**THREE, "splitter": ms.Rolling(n_splits=4, purge=24, embargo=12)})
    assert [(c - b) for _, b, c, _ in wf.spec.windows] == [36, 36, 36]
    assert ((wf.folds["test_start"] - wf.folds["train_end"]).dt.total_hours() == 37).all()
    assert len(wf.equity) == 3 * (300 - 12)


# -- failures ---------------------------------------------------------------------------------


def test_a_fold_that_fails_has_an_error_and_nulls_and_counts_in_nothing() -> None:
    wf = ms.walk_forward(RISING, FailsAbove, **THREE)
    good, *bad = wf.folds.iter_rows(named=True)
    assert good["error"] is None
    for row in bad:
        assert "no trial of 6 has a defined sharpe_ratio" in row["error"]
        assert "ValueError: the first open is 10" in row["error"]
        assert all(row[name] is None for name in row if name.startswith(("is_", "oos_")))
        assert row["fast"] is None
    assert wf.equity["fold"].unique().to_list() == [0]
    assert wf.metrics["total_return"] == pytest.approx(good["oos_total_return"])
    assert any("2 of 3 folds failed" in note for note in wf.notes)
    assert "2 FAILED" in repr(wf)
    failed = wf.trials.filter(pl.col("fold") > 0, pl.col("state") == "failed")
    assert failed["error"].str.starts_with("ValueError: the first open").all()
    assert failed["sharpe_ratio"].is_null().all()
    assert not wf.trials.filter(pl.col("fold") > 0)["chosen"].any()


def test_a_result_in_which_every_fold_failed_states_it() -> None:
    wf = ms.walk_forward(RISING, NeverTrades, **THREE)
    assert wf.folds["error"].str.contains("no trial of 6 has a defined sharpe_ratio \\(6 undefined\\)").all()
    assert all(math.isnan(value) for value in wf.metrics.values())
    assert math.isnan(wf.efficiency)
    assert len(wf.equity) == len(wf.trades) == 0
    assert any("every fold failed" in note for note in wf.notes)
    assert "3 FAILED" in repr(wf)
    assert wf.trials["state"].unique().to_list() == ["undefined"]


def test_a_choice_that_fails_on_the_test_window_is_a_failed_fold() -> None:
    wf = ms.walk_forward(RISING[:550], FailsOnTest, splitter=ms.Rolling(n_splits=4), trials=4)
    for row in wf.folds.iter_rows(named=True):
        assert row["error"] == "the chosen parameters failed on the test window: RuntimeError: too long for me"
        assert row["is_sharpe_ratio"] is not None
        assert row["oos_sharpe_ratio"] is None


@pytest.mark.parametrize("search", ["tpe", "random", "sobol", "grid", optuna.samplers.TPESampler()])
def test_sets_that_do_not_fit_into_the_training_window_take_no_trial(search: Any) -> None:
    wf = ms.walk_forward(RISING[:300], "EmaCrossStrategy", splitter=ms.Rolling(n_splits=4), trials=25, search=search)
    assert wf.trials["error"].null_count() == len(wf.trials)
    assert len(wf.trials) == 75 if search != "grid" else 40 < len(wf.trials) <= 75
    assert wf.trials.filter(pl.col("state") != "infeasible")["slow"].max() <= 60
    assert "left out: they need a warm-up longer than half of the 120 bars of the shortest training" in wf.notes[0]


def test_sets_that_never_fit_are_infeasible_trials_once_as_many_proposals_were_dropped() -> None:
    wf = ms.walk_forward(RISING[:60], "EmaCrossStrategy", splitter=ms.Rolling(n_splits=4), trials=9)
    assert wf.trials["state"].to_list() == ["infeasible"] * 27
    failed = wf.trials.filter(pl.col("error").is_not_null())
    assert failed["error"].str.contains("more than half of the 24 bars given").all()
    assert "All of the sets" in wf.notes[0]
    assert any(
        f"({percent(1.0, 0)}) failed and are in no figure" in note and "0 in fold 0" in note for note in wf.notes
    )


class Explodes(ms.Strategy):
    """Goes short at three times the equity, which a jump of the price ruins."""

    n = ms.Int(1, 1, 2)

    def signals(self, bars: Bars) -> ms.Signals:
        entry = np.zeros(len(bars), bool)
        entry[self.n :: 7] = True
        return ms.Signals(short_entry=entry)


def test_a_ruined_account_stays_ruined_in_the_folds_that_follow() -> None:
    n = 600
    close = 100 + np.cos(np.arange(n) / 3.0)
    close[370:] *= 3.0  # inside the first test window (from 300)
    frame = pl.DataFrame(
        {
            "timestamp": np.arange(n) * 3_600 + 1_600_000_000, "open": close, "high": close, "low": close,
            "close": close, "volume": 1.0,
        }
    )  # fmt: skip
    bars = Bars.from_frame(frame, symbol="JUMP", timeframe="1h")
    wf = ms.walk_forward(
        bars, Explodes, splitter=ms.Expanding(n_splits=3), trials=2, sizing=ms.Sizing.percent(1.0),
        costs=ms.Costs(fee=0.0, slippage=0.0), select="total_return",
    )  # fmt: skip
    assert wf.folds["error"].null_count() == 3
    ruined = [row["fold"] for row in wf.folds.iter_rows(named=True) if row["oos_ruined"]]
    assert ruined, "the jump is meant to ruin a short position"
    equity = wf.equity["equity"].to_numpy()
    at = int(np.argmax(equity <= 0))
    assert (equity[at:] == equity[at]).all()
    assert (wf.equity["return"].to_numpy()[at + 1 :] == 0).all()
    assert wf.metrics["ruined"] == 1.0
    assert math.isnan(wf.metrics["sharpe_ratio"])
    assert any("ruined" in note for note in wf.notes)


# -- searches ---------------------------------------------------------------------------------


def test_a_warm_start_tries_the_choice_of_the_fold_before() -> None:
    wf = ms.walk_forward(RISING, Cross, **THREE, warm_start=True)
    names = ["fast", "slow"]
    for fold in (1, 2):
        before = wf.folds.filter(fold=fold - 1).select(names).row(0)
        early = wf.trials.filter(pl.col("fold") == fold, pl.col("trial") < 2).select(names).rows()
        assert before in early
    cold = ms.walk_forward(RISING, Cross, **THREE)
    assert cold.id != wf.id


def test_an_instance_is_the_first_trial_after_the_defaults() -> None:
    wf = ms.walk_forward(RISING, Cross(fast=7, slow=33), **THREE)
    for fold in range(3):
        early = wf.trials.filter(pl.col("fold") == fold, pl.col("trial") < 2).select("fast", "slow").rows()
        assert (7, 33) in early
    assert wf.id != ms.walk_forward(RISING, Cross, **THREE).id


def test_fixed_parameters_and_other_ranges() -> None:
    wf = ms.walk_forward(RISING, Cross, **THREE, params={"fast": 4}, space={"slow": (10, 30, 5)}, search="grid")
    assert wf.trials["fast"].unique().to_list() == [4]
    assert wf.trials.filter(fold=0)["slow"].to_list() == [10, 15, 20, 25, 30]
    assert wf.folds["fast"].to_list() == [4, 4, 4]


@pytest.mark.parametrize("search", ["random", "sobol"])
def test_batches_try_exactly_as_many_as_asked_for(search: str) -> None:
    wf = ms.walk_forward(RISING, Cross, **THREE, search=search)
    assert wf.trials.group_by("fold").len().sort("fold")["len"].to_list() == [6, 6, 6]
    assert wf.trials["state"].unique().to_list() == ["complete"]


def test_optuna_samplers_and_pruners_are_taken_and_give_the_same_twice() -> None:
    import optuna

    first = ms.walk_forward(RISING, Cross, **THREE, search=optuna.samplers.RandomSampler(seed=1))
    again = ms.walk_forward(RISING, Cross, **THREE, search=optuna.samplers.RandomSampler(seed=99))
    assert first.id == again.id  # the run's seed counts, not the sampler's
    assert first.trials.equals(again.trials)
    pruned = ms.walk_forward(
        RISING, Cross, splitter=ms.Rolling(n_splits=4), trials=15, search=optuna.samplers.RandomSampler(),
        pruner=optuna.pruners.MedianPruner(n_startup_trials=3),
    )  # fmt: skip
    assert pruned.trials["error"].str.starts_with("Pruned after stage").any()
    assert pruned.folds["error"].null_count() == 3
    assert pruned.id != first.id


def test_the_test_sees_the_training_window_as_history_and_no_more() -> None:
    class Looks(Cross):
        def signals(self, bars: Bars) -> ms.Signals:
            seen.append((bars.time[0], len(bars)))
            return super().signals(bars)

    seen: list[tuple[int, int]] = []
    wf = ms.walk_forward(RISING, Looks, **{**THREE, "trials": 1}, executor="serial")
    expected = []
    for a, b, _, d in wf.spec.windows:
        expected += [(RISING.time[a], b - a), (RISING.time[a], d - a)]
    assert seen == expected


def test_backtests_of_folds_are_ordinary_ones(wf: ms.WalkForward) -> None:
    row = wf.folds.row(0, named=True)
    bt = ms.backtest(RISING, Cross, params={"fast": row["fast"], "slow": row["slow"]}, costs=COSTS)
    assert isinstance(bt, Backtest)
    assert wf.trades.columns == ["fold", *bt.trades.columns]
