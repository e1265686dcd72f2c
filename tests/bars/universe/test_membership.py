"""Membership: spans as users write them, and bars cut to them."""

from __future__ import annotations

from datetime import date

import polars as pl
import pytest

import maestro as ms
from maestro.bars.universe.membership import Span, cut, membership_of
from maestro.errors import SettingsError

DAY = 86_400_000_000


def test_a_mapping_and_a_frame_are_equivalent() -> None:
    mapping = {"A": ("2020-01-02", "2020-02-01"), "B": "2020-01-05", "C": (None, date(2020, 3, 1))}
    frame = pl.DataFrame(
        {"symbol": ["A", "B", "C"], "listed": ["2020-01-02", "2020-01-05", None],
         "delisted": ["2020-02-01", None, "2020-03-01"]}
    )  # fmt: skip
    spans = membership_of(mapping, ["A", "B", "C", "D"])
    assert spans == membership_of(frame, ["A", "B", "C", "D"])
    assert spans["A"].text == "from 2020-01-02 until 2020-02-01"
    assert Span().text == "always"


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"X": "2020"}, "not in the universe"),
        ({"A": ("2021", "2020")}, "is not after listed"),
        ({"A": ("yesterday", None)}, "not a moment"),
        (pl.DataFrame({"symbol": ["A", "A"], "listed": ["2020", "2021"]}), "twice"),
        (pl.DataFrame({"name": ["A"]}), "has the columns symbol, listed, delisted"),
    ],
)
def test_impossible_membership_is_refused(given: object, message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        membership_of(given, ["A", "B"])


def test_bars_outside_are_left_out_and_noted() -> None:
    bars = ms.synthetic_bars(100, timeframe="1d")
    span = Span(int(bars.time[10]), int(bars.time[60]))
    inside = cut(bars, span)
    assert len(inside) == 50
    assert inside.time[0] == span.listed
    assert inside.time[-1] + DAY == span.delisted
    assert "50 bars outside are left out" in inside.notes[-1]
    assert cut(bars, Span(0)).notes == bars.notes
