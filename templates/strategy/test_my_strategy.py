"""Requirements that MyStrategy must meet, whatever it earns."""

from __future__ import annotations

from my_strategy import MyStrategy

from maestro.testing import StrategyContract


class TestMyStrategy(StrategyContract):
    """It does not look ahead, trades, follows its parameters, and has a result in every fold.

    Override the fixture `bars` to test it on your own bars; add tests of your rule below.
    """

    strategy = MyStrategy
