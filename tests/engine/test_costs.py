"""Costs: fractions in their bounds, and those of a venue."""

from __future__ import annotations

from typing import Any

import pytest

from maestro.engine.costs import Costs
from maestro.errors import SettingsError


def test_costs_are_plain_fractions() -> None:
    assert Costs(1e-3).to_dict() == {"fee": 0.001, "slippage": 0.0005}
    assert Costs(fee=0, slippage=0).to_dict() == {"fee": 0.0, "slippage": 0.0}
    assert Costs(fee=-0.0001).fee == -0.0001  # a rebate


@pytest.mark.parametrize("given", [{"fee": 0.5}, {"fee": -0.02}, {"slippage": -0.001}, {"fee": True}, {"fee": "0.1 %"},
                                   {"slippage": float("nan")}])  # fmt: skip
def test_what_is_not_a_fraction_is_refused(given: dict[str, Any]) -> None:
    [name] = given
    with pytest.raises(SettingsError, match=f"{name}=.* is not a fraction from .* to below 0.5; 0.1 % is 0.001"):
        Costs(**given)


def test_a_maker_pays_other_fees_than_a_taker() -> None:
    taker, maker = Costs.of("BYBIT-PERPETUAL"), Costs.of("BYBIT-PERPETUAL", maker=True)
    assert maker.fee < taker.fee
    assert maker.slippage == taker.slippage
