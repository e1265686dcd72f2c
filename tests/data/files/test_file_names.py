"""Provider, symbol, timeframe and date from the name of a file."""

from __future__ import annotations

from datetime import date

import pytest

from maestro.data.files.file_names import date_of, provider_of, symbol_of, timeframe_of


@pytest.mark.parametrize(
    ("name", "provider", "symbol", "timeframe"),
    [
        ("KRAKEN_BTCUSD_1h.csv", "KRAKEN", "BTCUSD", "1h"),
        ("binance_usdm_ETHUSDT_4h.parquet", "BINANCE-PERPETUAL", "ETHUSDT", "4h"),
        ("DAT_ASCII_EURUSD_M1_2024.csv", "HISTDATA", "EURUSD", "1m"),
        ("BTC_USDT-15m.json", "", "BTC/USDT", "15m"),
        ("BTC_USDT_USDT-1h-futures.feather", "", "BTC/USDT:USDT", "1h"),
        ("XAUUSD15min.csv", "", "", ""),
        ("XAUUSD_15min.csv", "", "XAUUSD", "15m"),
        ("GBPJPY_H4.csv", "", "GBPJPY", "4h"),
        ("prices.csv", "", "", ""),
        ("HISTORICAL_PRICES_12345678.csv", "", "", ""),
    ],
)
def test_provider_symbol_and_timeframe_of_a_name(name: str, provider: str, symbol: str, timeframe: str) -> None:
    assert (provider_of(name), symbol_of(name), timeframe_of(name)) == (provider, symbol, timeframe)


def test_the_date_of_a_name() -> None:
    assert date_of("20240102_trade.zip") == date(2024, 1, 2)
    assert date_of("BTCUSDT-1m-2024-01-31.zip") == date(2024, 1, 31)
    assert date_of("20241399.csv") is None
    assert date_of("120240102.csv") is None
