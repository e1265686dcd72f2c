"""Tables of decisions: what is undefined or ruinous is said, and is not a number."""

from __future__ import annotations

import math
import re
from types import SimpleNamespace
from typing import Any

import numpy as np
import polars as pl

from maestro.reports.tables.decision import (
    kelly_html,
    parameter_permutation_html,
    random_entries_html,
    retiming_html,
    without_best_html,
)


def words(html: Any) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", str(html)).replace("\N{NARROW NO-BREAK SPACE}", " ").split())


def test_a_size_that_ruins_and_one_that_is_unknown_are_no_numbers() -> None:
    growth = {"traded": -math.inf, "half": math.nan, "full": math.log(1.02)}
    shown = words(kelly_html(SimpleNamespace(half=math.nan, full=0.5, growth=growth, summary="A summary.")))
    assert "As traded 1.00 × ruined" in shown
    assert "Half Kelly – –" in shown
    assert "Full Kelly 0.50 × +2.00 %" in shown
    assert "A summary." in shown


def test_times_that_cannot_be_ranked_have_no_rank() -> None:
    found = SimpleNamespace(
        random=np.array([math.nan]), metric="sharpe_ratio", own=1.0, calendar=0.5, rank=math.nan, repetitions=9,
        pvalue=math.nan,
    )  # fmt: skip
    shown = words(retiming_html(found))
    assert "The rank is not defined." in shown
    assert "nan" not in shown.lower()
    found.random, found.rank, found.pvalue = np.array([0.2, 0.4, math.nan]), 0.75, 0.25
    assert "At random times, median 0.30" in words(retiming_html(found))


def test_ranks_are_shown_with_the_number_of_runs() -> None:
    found = SimpleNamespace(
        metric="total_return", observed=0.1, rank=0.8, null=np.zeros(1_500), positions=1, pvalue=0.0123
    )
    shown = words(random_entries_html(found))
    assert "80 % of 1,500 runs with 1 position entered at random" in shown
    assert "+10.0 %" in shown
    assert "(p = 0.0123)" in shown


def test_the_bias_of_tpe_and_failed_sets_are_shown() -> None:
    found = SimpleNamespace(
        metric="sharpe_ratio",
        values=np.array([1.0, 2.0]),
        median=1.5,
        observed=1.8,
        rank=0.5,
        search="random",
        failed=0,
    )
    plain = words(parameter_permutation_html(found))
    assert "TPE" not in plain
    assert "could not be simulated" not in plain
    found.search, found.failed = "tpe:seed", 1
    shown = words(parameter_permutation_html(found))
    assert "TPE proposes more sets" in shown
    assert "1 set could not be simulated" in shown


def test_results_without_the_best_trades_are_counted_in_words() -> None:
    without = pl.DataFrame({"best": [1, 5], "total_return": [0.05, -0.01], "share": [0.5, 1.1]})
    shown = words(without_best_html(SimpleNamespace(total_return=0.1, without=without)))
    assert "Without the best trade +5.0 % 50.0 %" in shown
    assert "Without the best 5 trades −1.0 %" in shown or "Without the best 5 trades -1.0 %" in shown
