"""Probing: private copies, answers without the warm-up, and every difference with its bar and values."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import maestro as ms
from maestro.bars import Bars
from maestro.validation.lookahead.probing import Answer, Refused, ask, differences, private
from tests.support.rules import Cross


@pytest.fixture(scope="module")
def bars() -> Bars:
    return ms.synthetic_bars(60, seed=1)


def answer(entries: list[int], n: int = 6, **more: Any) -> Answer:
    flags = {name: np.zeros(n, np.bool_) for name in ("long_entry", "long_exit", "short_entry", "short_exit")}
    flags["long_entry"][entries] = True
    return Answer(flags, **more)


def test_a_private_window_shares_nothing_and_cannot_be_written(bars: Bars) -> None:
    part = private(bars, 10, 20, close=bars.close * 1.0)
    assert len(part) == 10
    assert not np.shares_memory(part.open, bars.open)
    np.testing.assert_array_equal(part.open, bars.open[10:20])
    with pytest.raises(ValueError, match="read-only"):
        part.open[0] = 1.0


def test_signals_within_the_warm_up_do_not_count(bars: Bars) -> None:
    class Early(Cross):
        def signals(self, bars: Bars) -> ms.Signals:
            return ms.Signals(np.ones(len(bars), np.bool_))

    found = ask(Early(slow=30), private(bars))
    assert not found.flags["long_entry"][:29].any()
    assert found.flags["long_entry"][-1]


@pytest.mark.parametrize(
    ("returned", "reason"),
    [
        (lambda bars: None, "signals() returned NoneType for 60 bars; return ms.Signals"),
        (lambda bars: ms.Signals(bars.close[1:] > 0), "signals() returned 59 values for 60 bars"),
        (lambda bars: bars.close[1_000], "IndexError"),
    ],
)
def test_a_broken_contract_is_refused(bars: Bars, returned: Any, reason: str) -> None:
    class Broken(ms.Strategy):
        def signals(self, bars: Bars) -> ms.Signals:
            return returned(bars)  # type: ignore[no-any-return]

    with pytest.raises(Refused) as refused:
        ask(Broken(), private(bars))
    assert reason in str(refused.value)


def test_equal_answers_have_no_difference_and_flags_name_the_first_bar() -> None:
    whole = answer([1, 4])
    assert differences(whole, answer([1, 4])) == []
    [found] = differences(whole, answer([1, 3, 4]))
    assert (found.signal, found.bars, found.first) == ("long_entry", (3,), (False, True))


def test_a_part_is_compared_at_its_place() -> None:
    whole = answer([1, 4])
    assert differences(whole, answer([2], n=4), offset=2) == []
    assert differences(whole, answer([1], n=4)) == []
    assert differences(whole, answer([1, 3], n=4), stop=3) == []
    assert differences(whole, answer([0, 1], n=4), begin=1) == []


def test_levels_count_at_entries_only_and_but_for_rounding() -> None:
    level = np.array([1.0, 2.0, 3.0, 4.0, 5.0, np.nan])
    whole = answer([1], levels={"stop": level})
    assert differences(whole, answer([1], levels={"stop": level * (1 + 1e-12)})) == []
    elsewhere = level.copy()
    elsewhere[3] = 9.0
    assert differences(whole, answer([1], levels={"stop": elsewhere})) == []
    [found] = differences(whole, answer([1], levels={"stop": level + 0.1}))
    assert (found.signal, found.bars) == ("stop", (1,))
    [missing] = differences(whole, answer([1]))
    assert missing.signal == "stop"


def test_constants_count_where_something_is_traded() -> None:
    one, two = ({"stop_unit": unit} for unit in ("price", "percent"))
    [found] = differences(answer([2], constants=one), answer([2], constants=two))
    assert (found.signal, found.first) == ("stop_unit", ("price", "percent"))
    assert differences(answer([], constants=one), answer([], constants=two)) == []
