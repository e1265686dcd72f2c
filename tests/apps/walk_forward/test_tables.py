"""The tables of folds and trials: searched parameters, errors only if there are any, headings and units."""

from __future__ import annotations

import maestro as ms
from maestro.apps.walk_forward.tables import appearance, fold_table, trial_table


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
    look = appearance(table, wf)
    assert look["titles"]["train_start"] == "Train from"
    assert look["titles"]["oos_max_drawdown"] == "Largest drawdown, OOS"
    assert "fast" not in look["titles"], "the name of a parameter is the strategy's"
    assert look["formatters"]["is_total_return"].format == "0,0.0 %"
    trials = trial_table(wf)
    assert "error" not in trials.columns
    assert appearance(trials, wf)["titles"]["sharpe_ratio"] == "Sharpe ratio"


def test_windows_of_daily_bars_are_days() -> None:
    wf = ms.walk_forward(
        ms.load_sample("AAPL")[:600], "EmaCrossStrategy", splitter="rolling:3,2,1", trials=2, workers=1
    )
    assert fold_table(wf)["test_end"].to_list() == [f"{when:%Y-%m-%d}" for when in wf.folds["test_end"]]


def test_a_parameter_that_is_a_fraction_has_four_decimals_at_most() -> None:
    wf = ms.walk_forward(
        ms.synthetic_bars(600, seed=3), "BollingerBandsStrategy", splitter="rolling:3,2,1", trials=2, workers=1
    )
    look = appearance(fold_table(wf), wf)
    assert look["formatters"]["num_std"].format == "0,0.[0000]"
    assert "num_std" not in look["titles"]
