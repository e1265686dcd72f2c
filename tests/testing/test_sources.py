"""Every built-in source keeps the contract of sources."""

from __future__ import annotations

from maestro.data.sources.registry import SOURCES
from maestro.testing import SourceContract
from tests.support.exchange.markets import ExchangeMarket


class TestBinance(SourceContract):
    provider, symbol, market = "BINANCE", "BTCUSDT", ExchangeMarket


class TestBinancePerpetual(SourceContract):
    provider, symbol, market = "BINANCE-PERPETUAL", "BTCUSDT", ExchangeMarket


class TestBitmex(SourceContract):
    provider, symbol, market = "BITMEX", "XBTUSD", ExchangeMarket


def test_every_built_in_source_is_held_to_it() -> None:
    assert {contract.provider for contract in SourceContract.__subclasses__()} >= set(SOURCES.builtin)
