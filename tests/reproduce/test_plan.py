"""The plan of a recorded run: the live one, the same built from the specification, or a refusal that says why."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import maestro as ms
from maestro.errors import RunError, StrategyError
from maestro.reproduce.plan import recorded_plan, repeatable, windows_of
from maestro.walkforward.fold import run_fold

FEW: dict[str, Any] = {"splitter": "rolling:4,2,1", "trials": 6, "workers": 1}
BARS = ms.synthetic_bars(900, seed=3)


class Mine(ms.Strategy):
    n = ms.Int(20, 2, 90)

    def signals(self, bars: ms.Bars) -> ms.Signals:
        long = bars.close > ms.indicators.sma(bars.close, self.n)
        return ms.Signals(long, ~long)


class Other(ms.Strategy):
    n = ms.Int(20, 2, 90)

    def signals(self, bars: ms.Bars) -> ms.Signals:
        long = bars.close < ms.indicators.sma(bars.close, self.n)
        return ms.Signals(long, ~long)


def test_a_live_plan_is_the_object_itself() -> None:
    wf = ms.walk_forward(BARS, "EmaCrossStrategy", **FEW)
    assert wf.plan is not None
    assert recorded_plan(wf) is wf.plan


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"search": "sobol", "select": {"sharpe_ratio": 1.0, "vwr": 0.1}, "cash": 5_000, "seed": 11},
        {"space": {"fast": (5, 9), "slow": (30, 40, 5)}, "costs": ms.Costs(0.002, 0.0), "fill": "close"},
        {"params": {"fast": 12}, "sizing": "volatility:0.3,2", "select": "pareto:sharpe_ratio,-volatility"},
    ],
)
def test_a_plan_from_disk_gives_the_same_fold(tmp_path: Path, settings: dict[str, Any]) -> None:
    made = ms.walk_forward(BARS, "EmaCrossStrategy", runs_dir=tmp_path, **FEW, **settings)
    wf = ms.load_run(made.id, tmp_path)
    plan, live = recorded_plan(wf), made.plan
    assert live is not None
    assert plan.space.to_dict() == live.space.to_dict()
    for name in ("strategy", "method", "trials", "seed", "selection", "costs", "sizing", "cash", "fill", "first"):
        assert getattr(plan, name) == getattr(live, name), name
    result = run_fold(plan, BARS, windows_of(wf)[1], 1)
    recorded = wf.trials.filter(fold=1)
    assert result.trials.equals(recorded.cast(dict(result.trials.schema)))
    assert not repeatable(wf, plan)


def test_the_first_trial_is_part_of_the_plan(tmp_path: Path) -> None:
    made = ms.walk_forward(BARS, ms.strategy("RSIStrategy", period=9), runs_dir=tmp_path, **FEW)
    assert [one["period"] for one in recorded_plan(ms.load_run(made.id, tmp_path)).first] == [9]


def test_a_user_defined_strategy_is_asked_for(tmp_path: Path) -> None:
    wf = ms.load_run(ms.walk_forward(BARS, Mine, runs_dir=tmp_path, **FEW).id, tmp_path)
    with pytest.raises(StrategyError, match="user-defined strategy Mine, whose code is not on disk; give its class"):
        recorded_plan(wf)
    assert recorded_plan(wf, Mine).strategy is Mine
    with pytest.raises(StrategyError, match="was made with Mine, given is Other"):
        recorded_plan(wf, Other)
    Other.__name__ = "Mine"
    try:
        with pytest.raises(RunError, match="Mine is not the code of run"):
            recorded_plan(wf, Other)
    finally:
        Other.__name__ = "Other"


def test_a_search_by_an_object_repeats_only_live(tmp_path: Path) -> None:
    import optuna

    sampler = optuna.samplers.RandomSampler()
    made = ms.walk_forward(BARS, "EmaCrossStrategy", search=sampler, runs_dir=tmp_path, **FEW)
    assert not repeatable(made, recorded_plan(made))
    wf = ms.load_run(made.id, tmp_path)
    assert "not on disk" in repeatable(wf, recorded_plan(wf))


def test_windows_are_those_of_the_folds() -> None:
    wf = ms.walk_forward(BARS, "EmaCrossStrategy", **FEW)
    windows = windows_of(wf)
    assert len(windows) == len(wf.folds)
    stamps = BARS.to_frame()["timestamp"]
    for window, row in zip(windows, wf.folds.iter_rows(named=True), strict=True):
        assert stamps[window.train_start] == row["train_start"]
        assert stamps[window.test_stop - 1] == row["test_end"]
