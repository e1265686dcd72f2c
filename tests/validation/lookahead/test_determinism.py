"""A strategy must be deterministic, keep nothing between calls, and leave its bars as they are."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

import maestro as ms
from maestro.bars import Bars
from maestro.validation.lookahead.determinism import mutation, randomness, statefulness
from maestro.validation.lookahead.probing import Refused, ask, private
from tests.support.rules import Cross
from tests.validation.lookahead import leaky
from tests.validation.lookahead.test_check import check, hours, row_of


def test_a_cache_that_was_filled_before_is_found_too() -> None:
    ms.backtest(hours(), leaky.CachedByName)
    assert hours().name in leaky._MEANS
    found = check(leaky.CachedByName)
    assert "state" in found.failed
    assert "something is kept by the name" in row_of(found, "state")["finding"]


@lru_cache
def few() -> Bars:
    return ms.synthetic_bars(300, seed=1)


def test_an_honest_strategy_passes_each_check() -> None:
    whole = ask(Cross(), private(few()))
    assert mutation([whole]).passed
    assert randomness(Cross, few(), whole).passed
    assert statefulness(Cross, few(), whole, 150).passed


def test_a_write_into_the_bars_is_a_mutation_whether_it_succeeds_or_not() -> None:
    whole = ask(Cross(), private(few()))
    whole.changed = "bars.close was changed at 3 bars, first at bar 7"
    found = mutation([whole])
    assert (found.passed, found.columns) == (False, ("close",))
    tried = mutation([Refused(ValueError("assignment destination is read-only"))])
    assert tried.passed is False
    assert "Work on a copy" in tried.words
    assert mutation([Refused(ValueError("another reason"))]).passed


def test_a_second_answer_that_differs_is_randomness() -> None:
    generator = np.random.default_rng(0)

    class Draws(ms.Strategy):
        def signals(self, bars: Bars) -> ms.Signals:
            return ms.Signals(generator.random(len(bars)) < 0.1)

    found = randomness(Draws, few(), ask(Draws(), private(few())))
    assert found.passed is False
    assert "draws at random without a seed" in found.words
    assert found.bar is not None


def test_an_error_at_the_second_call_is_a_finding() -> None:
    calls = []

    class Once(ms.Strategy):
        def signals(self, bars: Bars) -> ms.Signals:
            calls.append(len(bars))
            if len(calls) > 1:
                raise RuntimeError("asked before")
            return ms.Signals(bars.close > bars.open)

    found = randomness(Once, few(), ask(Once(), private(few())))
    assert (found.passed, "RuntimeError: asked before" in found.words) == (False, True)


def test_signals_that_do_not_come_from_the_bars_are_state() -> None:
    fixed = np.arange(1_000) % 7 == 0

    class Deaf(ms.Strategy):
        def signals(self, bars: Bars) -> ms.Signals:
            return ms.Signals(fixed[: len(bars)], fixed[1 : len(bars) + 1])

    found = statefulness(Deaf, few(), ask(Deaf(), private(few())), 150)
    assert found.passed is False
    assert "from a cache or a file" in found.words
