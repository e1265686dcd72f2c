"""The name of an old table says its series."""

from __future__ import annotations

import pytest

from maestro.data.legacy.names import series_of
from maestro.errors import SettingsError


@pytest.mark.parametrize(
    ("table", "series"),
    [
        ("trade_BITMEX_XBTUSD_1m", "BITMEX:XBTUSD:1m"),
        ("trade_BINANCE_BTC_USDT_1h", "BINANCE:BTC_USDT:1h"),
        ("trade_BINANCE_BTC_USDT_PERP_4h", "BINANCE:BTC_USDT_PERP:4h"),
        ("trade_bitfinex_tBTCUSD_1D", "BITFINEX:TBTCUSD:1d"),
        ("trade_KRAKEN_XBT-EUR_60m", "KRAKEN:XBT-EUR:1h"),
        ("trade_BITMEX_XBT_5_15min", "BITMEX:XBT_5:15m"),
    ],
)
def test_the_series_of_a_table_name(table: str, series: str) -> None:
    assert str(series_of(table)) == series


@pytest.mark.parametrize(
    "table", ["trade_X_Y", "trade_X_Y_1M", "trade_X_Y_h", "trade_X_1h", "trade__Y_1h", "trade_X_Y_3y"]
)
def test_a_table_name_without_a_series_is_refused_with_a_remedy(table: str) -> None:
    with pytest.raises(SettingsError, match=rf"--table {table}=PROVIDER:SYMBOL"):
        series_of(table)
    assert str(series_of(table, "X:Y:1w")) == "X:Y:1w"
