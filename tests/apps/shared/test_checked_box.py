"""A checked box writes valid values to the state, refuses others by name, and follows the state."""

from __future__ import annotations

import pytest

from maestro.apps.backtest.state import BacktestState
from maestro.apps.shared.checked_box import CheckedBox, as_shown
from maestro.apps.shared.page import Message


def fee_box() -> CheckedBox:
    return CheckedBox(BacktestState(fee=0.001), "fee", "Fee", "give a fraction such as 0.001", Message())


@pytest.mark.parametrize("refused", ["much", "", "nan", "inf", "-0.1", "0,001", "1,23"])
def test_refused_text_is_named_and_the_old_value_stays(refused: str) -> None:
    box = fee_box()
    box.widget.value = refused
    assert box.problem.text == f"Fee: {refused!r} is not allowed: give a fraction such as 0.001. 0.001 is kept."
    assert (box.state.fee, box.widget.value) == (0.001, "0.001")


def test_a_valid_text_is_written_and_clears_the_message() -> None:
    box = fee_box()
    box.widget.value = "much"
    box.widget.value = "2e-3"
    assert (box.state.fee, box.widget.value, box.problem.text) == (0.002, "0.002", "")


def test_the_box_follows_the_state() -> None:
    box = fee_box()
    box.state.fee = 0.0
    assert box.widget.value == "0"


def test_an_empty_box_is_none_only_where_none_is_allowed() -> None:
    box = CheckedBox(BacktestState(), "periods_per_year", "Bars per year", "give a number above 0", Message())
    box.widget.value = "365"
    assert box.state.periods_per_year == 365.0
    box.widget.value = " "
    assert (box.state.periods_per_year, box.widget.value) == (None, "")


@pytest.mark.parametrize(("value", "text"), [(None, ""), (100_000.0, "100000"), (0.001, "0.001"), ("a", "a")])
def test_values_are_shown_without_exponent_and_none_as_nothing(value: object, text: str) -> None:
    assert as_shown(value) == text
