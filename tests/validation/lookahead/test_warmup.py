"""Warm-ups that are too short are named with the length that is missing; what fades passes, with its size."""

from __future__ import annotations

import maestro as ms
from tests.validation.lookahead import leaky
from tests.validation.lookahead.test_check import check, hours, row_of


def test_the_warm_up_that_is_named_is_the_one_that_is_missing() -> None:
    words = row_of(check(leaky.PartialWindow), "warm-up")["finding"]
    assert "at least 49 " in words  # bar 49 has the whole window of 50


def test_a_fading_difference_is_reported_with_its_size_and_passes() -> None:
    row = row_of(check("EmaCrossStrategy", params={"fast": 20, "slow": 50}), "history")
    assert row["passed"]
    assert "Recursive: " in row["finding"]
    assert "% over" not in row["finding"]
    assert "%) over 12 later beginnings" in row["finding"]


def test_few_bars_leave_open_what_they_cannot_tell() -> None:
    found = ms.validation.lookahead(hours()[:200], "RSIStrategy")
    assert found.passed
    assert [row["check"] for row in found.table.to_dicts() if row["passed"] is None] == ["warm-up", "history"]
    assert "200 bars are too few to tell what fades" in found.table["finding"][1]
    assert ms.validation.lookahead(hours()[:842], "RSIStrategy").table["passed"].all()


def test_without_beginnings_two_checks_are_open_and_not_passed() -> None:
    found = check("RSIStrategy", starts=0)
    assert found.passed
    assert [row["check"] for row in found.table.to_dicts() if row["passed"] is None] == ["warm-up", "history"]
