"""The comparison of triggers: intervals over series, and a table that counts what is left out."""

from __future__ import annotations

import math

import numpy as np

from benchmarks.triggers import interval, lines, rank


def test_an_interval_is_drawn_over_series_and_not_over_cells() -> None:
    assert interval([1.0, 1.0, 1.0], ["a", "a", "b"]) == "+1.00 [+1.00, +1.00]"
    assert interval([0.0, 2.0], ["a", "b"]) == "+1.00 [+0.00, +2.00]"
    assert interval([0.0, 2.0], ["a", "a"]) == "+1.00 [+1.00, +1.00]"


def test_cells_without_a_number_are_counted_and_not_averaged() -> None:
    whole = {
        "own": 1.0,
        "calendar": 0.5,
        "random": 2.0,
        "rank": 0.25,
        "why": ["", "", "", "ruined"],
        "windows": 4,
        "reasons": ["regime", "longest gap"],
    }
    ruined = {**whole, "calendar": math.nan, "rank": 0.75, "why": ["", "ruined", "", ""]}
    rows = [
        {"series": "a", "strategy": "S", "states": states, **cell}
        for states in (2, 3)
        for cell in (whole, ruined, {"error": "too few bars"})
    ]
    text = lines(rows)
    assert text[2].startswith("| 2 | 1 | +1.00 [+1.00, +1.00] | +0.50 [+0.50, +0.50] | \N{MINUS SIGN}1.00 ")
    assert text[2].endswith("| 0.50 |")
    assert "1 cells failed. 1 cells have no Sharpe ratio on one side (the calendar ruined in 1)" in text[5]
    assert text[5].endswith("of all runs at random times 25% were ruined and 0% never traded.")
    assert text[6] == "  - a, S: too few bars"


def test_a_ruined_run_ranks_last() -> None:
    assert rank(np.array([1.0, 0.0, 0.5, math.nan])) == 1.0
    assert rank(np.array([math.nan, 0.0, 0.5, math.nan])) == 0.25
