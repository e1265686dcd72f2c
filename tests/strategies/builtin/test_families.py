"""Every built-in strategy belongs to one family, whose tests compare it with a written rule."""

from __future__ import annotations

import maestro as ms
from tests.strategies.contract import family
from tests.strategies.plain_rules import RULES, WARMUP

FAMILIES = ("classic", "derivatives", "fernando", "grid", "scalping")


def test_every_strategy_is_in_a_family_that_is_tested() -> None:
    assert sorted(name for module in FAMILIES for name in family(module)) == sorted(ms.strategies())
    assert all(family(module) for module in FAMILIES)


def test_the_references_are_complete() -> None:
    assert set(RULES) == set(WARMUP) == set(ms.strategies())
