"""The Fernando strategy: its rule, its bracket and ladder, its two cases."""

from __future__ import annotations

import numpy as np

import maestro as ms
from tests.strategies import markets
from tests.strategies.contract import RuleContract, family


class TestFernando(RuleContract):
    names = family("fernando")


def test_fernando_hands_over_its_bracket_and_ladder() -> None:
    bracket = ms.strategy("FernandoStrategy", stop_loss=0.04).signals(markets.random_market(1)).bracket
    assert bracket is not None
    assert (bracket.long_stop, bracket.long_target) == (0.04, 0.04)
    rows = [(0.03, 0.01, 0.24), (0.20, 0.15, 0.29), (0.25, 0.20, 0.34)]
    rows += [(0.30, 0.25, 0.39), (0.35, 0.30, 0.44), (0.40, 0.35, 0.49)]
    np.testing.assert_allclose(bracket.ladder, rows, rtol=1e-14)


def test_fernando_reaches_both_of_its_cases() -> None:
    found = {"a": 0, "b": 0}
    for bars in (markets.bitfinex(), markets.bitfinex("ETHUSD"), markets.bitfinex("LTCUSD"), markets.perpetual()):
        for bb_period in (20, 40):
            signals = ms.strategy("FernandoStrategy", bb_period=bb_period, bb_std=1.5).signals(bars)
            assert signals.bracket is not None
            in_b = ~np.isnan(signals.bracket.long_level)
            found["b"] += int(in_b.sum())
            found["a"] += int((signals.long_entry & ~in_b).sum())
            assert signals.long_entry[in_b].all()
    assert found["a"] > 50
    assert found["b"] > 0
