"""Trial returns simulated again: equal to what the search scored, once each, bounded, from bars found again."""

from __future__ import annotations

import threading
from dataclasses import replace

import numpy as np
import polars as pl
import pytest

import maestro as ms
from maestro.errors import BarsError, RunCancelled, SettingsError, StrategyError
from maestro.metrics import from_returns
from maestro.validation import trial_returns, trials_pbo


@pytest.fixture(scope="module")
def wf(tmp_path_factory: pytest.TempPathFactory) -> ms.WalkForward:
    bars = ms.load("sample:AAPL")
    return ms.walk_forward(bars, "EmaCrossStrategy", trials=15, runs_dir=tmp_path_factory.mktemp("runs"), workers=1)


def test_a_folds_returns_are_those_that_the_search_scored(wf: ms.WalkForward) -> None:
    found = trial_returns(wf, fold=3)
    scored = wf.trials.filter(pl.col("fold") == 3)
    assert found.sets["times"].sum() == len(scored.filter(pl.col("state") != "infeasible"))
    for column, row in enumerate(found.sets.to_dicts()):
        trial = scored.filter(pl.col("trial") == row["trial"]).row(0, named=True)
        own = from_returns(found.returns[:, column], periods_per_year=wf.spec.periods_per_year)
        assert own["sharpe_ratio"] == pytest.approx(trial["sharpe_ratio"], rel=1e-9, nan_ok=True), trial
        assert own["total_return"] == pytest.approx(trial["total_return"], abs=1e-12)
    assert len(found.stamps) == len(found.returns) == len(found.market)


def test_all_folds_together_hold_each_set_once(wf: ms.WalkForward) -> None:
    found = trial_returns(wf)
    assert not found.sets.select("fast", "slow").is_duplicated().any()
    chosen = wf.trials.filter("chosen").select("fast", "slow").unique()
    assert len(found.sets.filter("chosen")) == len(chosen)
    assert found.returns.shape == (len(ms.load("sample:AAPL")), len(found.sets))
    assert found.failed == found.left_out == 0
    assert "periods x" in repr(found)


def test_periods_compound(wf: ms.WalkForward) -> None:
    fine, coarse = trial_returns(wf), trial_returns(wf, periods=100)
    assert coarse.returns.shape[0] == 100
    np.testing.assert_allclose(np.prod(1 + coarse.returns, axis=0), np.prod(1 + fine.returns, axis=0), rtol=1e-10)
    np.testing.assert_allclose(np.prod(1 + coarse.market), np.prod(1 + fine.market), rtol=1e-10)
    assert (np.diff(coarse.stamps) > 0).all()
    assert set(coarse.stamps) <= set(fine.stamps)


def test_at_most_so_many_sets_with_all_that_were_chosen(wf: ms.WalkForward) -> None:
    chosen = trial_returns(wf).sets["chosen"].sum()
    one, same, other = (trial_returns(wf, most=chosen + 5, seed=seed) for seed in (1, 1, 2))
    assert one.sets["chosen"].sum() == chosen
    assert len(one.sets) == chosen + 5
    assert one.sets.equals(same.sets)
    assert not one.sets.equals(other.sets)
    assert one.left_out == len(trial_returns(wf).sets) - chosen - 5


def test_memory_is_bounded(wf: ms.WalkForward) -> None:
    with pytest.raises(SettingsError, match="above max_bytes"):
        trial_returns(wf, max_bytes=1_000)


def test_what_is_always_in_the_market_has_no_timing() -> None:
    class Always(ms.Strategy):
        """Buys at once and holds."""

        level = ms.Int(1, 1, 5)

        def warmup(self, params: object = None) -> int:
            return 0

        def signals(self, bars: ms.Bars) -> ms.Signals:
            return ms.Signals(long_entry=np.ones(len(bars), bool))

    wf = ms.walk_forward(
        ms.load("sample:IBM"), Always, splitter="rolling:4,2,1", trials=5, costs=ms.Costs(0.0, 0.0), workers=1
    )
    found = trial_returns(wf)
    assert np.abs(found.returns[5:]).max() > 0.05
    assert np.abs(found.timing[5:]).max() < 1e-4


def test_a_loaded_run_gives_the_same_matrix(wf: ms.WalkForward) -> None:
    loaded = ms.load_run(wf.folder)  # type: ignore[arg-type]
    assert loaded.bars is None
    np.testing.assert_array_equal(trial_returns(loaded).returns, trial_returns(wf).returns)


def test_other_bars_are_refused(wf: ms.WalkForward) -> None:
    with pytest.raises(BarsError, match="these are not the bars of run"):
        trial_returns(wf, ms.load("sample:IBM"))


def test_an_unknown_strategy_of_a_loaded_run_is_named(wf: ms.WalkForward) -> None:
    loaded = ms.load_run(wf.folder)  # type: ignore[arg-type]
    loaded.spec = replace(loaded.spec, strategy="MyRule")
    with pytest.raises(StrategyError, match=r"user-defined strategy MyRule.*give its class: strategy="):
        trial_returns(loaded)
    with pytest.raises(StrategyError, match="was made with MyRule, given is RSIStrategy"):
        trial_returns(loaded, strategy="RSIStrategy")


def test_cancelling_stops(wf: ms.WalkForward) -> None:
    stop = threading.Event()
    stop.set()
    with pytest.raises(RunCancelled):
        trial_returns(wf, cancel=stop)


def test_an_impossible_fold(wf: ms.WalkForward) -> None:
    with pytest.raises(SettingsError, match="no fold 9; the folds are 0 to 8"):
        trial_returns(wf, fold=9)


def test_pbo_of_the_trials(wf: ms.WalkForward) -> None:
    whole, one = trials_pbo(wf), trials_pbo(wf, fold=2, n_blocks=8)
    assert 0.0 <= whole.pbo <= 1.0
    assert len(whole.logits) == 12_870
    assert len(one.logits) == 70
