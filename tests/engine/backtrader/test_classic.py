"""Classic rules in backtrader: equal to the compiled rules where much is undefined."""

from __future__ import annotations

import pytest

from maestro.bars import Bars
from tests.engine.backtrader.alike import trades_as_the_compiled_rule
from tests.strategies.contract import family


@pytest.mark.parametrize("name", family("classic"))
def test_it_trades_as_the_compiled_rule(name: str, made_up: Bars) -> None:
    trades_as_the_compiled_rule(name, made_up)
