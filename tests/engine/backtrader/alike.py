"""The comparison that every rule in backtrader must pass."""

from __future__ import annotations

import maestro as ms
from maestro.bars import Bars
from maestro.validation.parity.compare import compare
from tests.engine.libraries import library

library("backtrader", "legacy")


def trades_as_the_compiled_rule(name: str, bars: Bars) -> None:
    """Compare a built-in strategy in backtrader with the compiled one: every fill and the equity."""
    ours, theirs = ms.backtest(bars, name), ms.backtest(bars, name, engine="backtrader")
    assert len(ours.orders) > 0
    agreement = compare(ours, theirs)
    assert agreement.exact, agreement
