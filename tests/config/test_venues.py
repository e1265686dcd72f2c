"""Costs of venues: published ones, and those of the settings file."""

from __future__ import annotations

from pathlib import Path

import pytest

from maestro.config import VENUES, venue
from maestro.engine import Costs
from maestro.errors import SettingsError
from tests.support.settings import write_settings


def test_costs_of_every_venue_have_a_date_and_a_source() -> None:
    for known in VENUES.values():
        assert -0.001 < known.maker <= known.taker < 0.002
        assert known.date.startswith("202")
        assert known.source
    markets = {(name.split("-")[0], known.market) for name, known in VENUES.items()}
    assert markets == {(name, market) for name in ("BINANCE", "BITMEX", "BYBIT") for market in ("spot", "perpetual")}


def test_costs_of_a_venue_are_those_of_the_file_where_it_has_some(project: Path) -> None:
    assert Costs.of("binance") == Costs.of("BINANCE-SPOT") == Costs(fee=0.001, slippage=0.0005)
    assert Costs.of("BYBIT-PERPETUAL", maker=True) == Costs(fee=0.0002, slippage=0.0005)
    write_settings(project, "costs:\n  BINANCE-SPOT: {taker: 0.00075}\n  desk: {taker: 0.0001, slippage: 0}\n")
    assert Costs.of("BINANCE") == Costs(fee=0.00075, slippage=0.0005)
    assert Costs.of("BINANCE", maker=True) == Costs(fee=0.001, slippage=0.0005)
    assert venue("BINANCE").source.endswith("maestro.yaml:2")
    assert Costs.of("DESK") == Costs(fee=0.0001, slippage=0.0)
    with pytest.raises(SettingsError, match=r"no costs are known for 'KRAKN'.*DESK.*costs.KRAKN.taker"):
        Costs.of("KRAKN")
