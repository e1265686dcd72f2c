"""The tables of folds and trials: searched parameters, errors only if there are any, headings and units."""

from __future__ import annotations

import maestro as ms
from maestro.apps.walk_forward.tables import appearance, fold_table, trial_table
from maestro.walkforward.columns import parameter_names


def test_fixed_parameters_are_left_out_and_times_are_texts() -> None:
    wf = ms.walk_forward(
        ms.synthetic_bars(600, seed=3), "EmaCrossStrategy", splitter="rolling:3,2,1", trials=2, workers=1,
        params={"slow": 60}, space={"fast": (5, 20)},
    )  # fmt: skip
    table = fold_table(wf)
    assert "fast" in table.columns
    assert not {"slow", "error"} & set(table.columns)
    assert table["test_start"].to_list() == [f"{when:%Y-%m-%d %H:%M}" for when in wf.folds["test_start"]]
    assert table["is_sharpe_ratio"].to_list() == wf.folds["is_sharpe_ratio"].to_list()
    look = appearance(table, parameter_names(wf.folds))
    assert look["titles"]["train_start"] == "Train from"
    assert look["titles"]["oos_max_drawdown"] == "Largest drawdown, OOS"
    assert "fast" not in look["titles"], "the name of a parameter is the strategy's"
    assert look["formatters"]["is_total_return"].format == "0,0.0 %"
    trials = trial_table(wf)
    assert "error" not in trials.columns
    assert appearance(trials, parameter_names(wf.folds))["titles"]["sharpe_ratio"] == "Sharpe ratio"


def test_windows_of_daily_bars_are_days() -> None:
    wf = ms.walk_forward(
        ms.load_sample("AAPL")[:600], "EmaCrossStrategy", splitter="rolling:3,2,1", trials=2, workers=1
    )
    assert fold_table(wf)["test_end"].to_list() == [f"{when:%Y-%m-%d}" for when in wf.folds["test_end"]]
