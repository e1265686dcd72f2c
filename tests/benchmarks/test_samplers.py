"""The comparison of samplers: when a search stops, equal times, and tables that leave out cells without a number."""

from __future__ import annotations

import math
from typing import Any

import pytest

import maestro as ms
from benchmarks import samplers

MINUS = "\N{MINUS SIGN}"


def test_a_search_stops_after_so_many_trials_without_a_better_score() -> None:
    assert samplers.stop([1.0, 2.0, 2.0, 1.0, 3.0], 2) == 4
    assert samplers.stop([1.0, 2.0, None, 3.0], 2) == 4
    assert samplers.stop([math.nan, math.nan, 1.0], 2) == 2
    assert samplers.stop([1.0, 2.0], 5) == 2


def test_a_search_that_stops_is_a_shorter_search() -> None:
    bars = ms.synthetic_bars(900, seed=2)
    wf, row = samplers.measured(bars, "RSIStrategy", "tpe", 14, 0)
    never, fixed = samplers.early(wf, "RSIStrategy", 0, patience=14)
    assert (never["mean"], fixed["mean"]) == (14, 14)
    assert never["is"] == fixed["is"] == row["is"]
    assert never["oos"] == fixed["oos"] == row["oos"]
    early, _ = samplers.early(wf, "RSIStrategy", 0, patience=2)
    assert early["mean"] < 14
    assert early["is"] <= row["is"]


def test_trials_in_the_time_of_tpe_lie_on_the_line_through_two_budgets() -> None:
    times = {("tpe", 100): 5.0, ("random", 100): 1.0, ("random", 300): 2.0, ("sobol", 100): 6.0, ("sobol", 300): 7.0}
    assert samplers.trials_of_equal_time(times) == {"random": 900, "sobol": 100}


def rows_of(series: str, planted: bool, worse: float) -> list[dict[str, Any]]:
    """One cell in which TPE has 2 in sample and 1 out of sample, and every other search `worse` less."""
    what = [(name, str(n)) for name in samplers.SAMPLERS for n in samplers.BUDGETS]
    what += [(name, "same time") for name in samplers.SAME_TIME]
    if not planted:
        what += [(f"stop {n}", kind) for n in samplers.PATIENCE for kind in ("early", "fixed")]
        what += [("defaults", "1"), ("buy and hold", "0")]
    return [
        {"series": series, "strategy": "S", "seed": 0, "planted": planted, "sampler": name, "trials": trials,
         "is": 2.0 - worse * (name != "tpe"), "oos": 1.0 - worse * (name != "tpe"), "seconds": 0.5,
         "mean": 40.0 if name.startswith("stop") else None}
        for name, trials in what
    ]  # fmt: skip


def test_differences_are_of_the_same_cells_and_cells_without_a_number_are_counted() -> None:
    rows = [row for planted in (False, True) for name in "ab" for row in rows_of(name, planted, 0.25)]
    ruined = rows_of("c", False, 0.0)
    ruined[3]["oos"] = math.nan
    text = samplers.lines([*rows, *ruined], {"random": 900, "sobol": 700})
    tpe = next(line for line in text if line.startswith("| tpe | 100 |"))
    assert tpe == "| tpe | 100 | +2.00 [+2.00, +2.00] | +1.00 [+1.00, +1.00] |  |  | 0.50 |"
    random = next(line for line in text if line.startswith("| random | 900 (time of 100 with TPE)"))
    assert f"| {MINUS}0.25 [{MINUS}0.25, {MINUS}0.25] | {MINUS}0.25 [" in random
    assert "2 cells: 2 series, 1 strategies, 1 seed; 1 more have no Sharpe ratio somewhere and are left out." in text
    assert any(line.startswith("| stops after 20 trials without a better one | 40 |") for line in text)


@pytest.mark.parametrize("symbol", ["IBM", "SPY"])
def test_without_the_shared_data_series_of_the_repository_take_their_place(symbol: str) -> None:
    bars = samplers._daily(samplers.pl.read_parquet(samplers.SLICE), symbol)
    assert (bars.symbol, len(bars), bars.timeframe) == (symbol, 3_000, "1d")
