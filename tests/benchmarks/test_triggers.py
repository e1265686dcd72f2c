"""The comparison of triggers: intervals over series, and a table that counts what is left out."""

from __future__ import annotations

import math

from benchmarks.triggers import interval, lines


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
        "windows": 4,
        "reasons": ["regime", "longest gap"],
    }
    rows = [
        {"series": "a", "strategy": "S", "states": states, **cell}
        for states in (2, 3)
        for cell in (whole, {**whole, "calendar": math.nan}, {"error": "too few bars"})
    ]
    text = lines(rows)
    assert text[2].startswith("| 2 | 1 | +1.00 [+1.00, +1.00] | +0.50 [+0.50, +0.50] | \N{MINUS SIGN}1.00 ")
    assert text[2].endswith("| 0.25 |")
    assert "1 cells failed and 1 have no defined Sharpe ratio on one side" in text[5]
    assert text[6] == "  - a, S: too few bars"
