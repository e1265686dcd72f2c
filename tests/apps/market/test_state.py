"""The Market app as a command: stored series and files are checked, parts and samples are reported."""

from __future__ import annotations

import pytest

from maestro.apps.market.state import MarketState


@pytest.mark.parametrize(
    ("settings", "command"),
    [
        ({"data": "BINANCE:BTCUSDT:1h"}, "maestro data check BINANCE:BTCUSDT:1h"),
        ({"data": "two.csv#BBB"}, "maestro data check two.csv --symbol BBB"),
    ],
)
def test_whole_series_are_checked_by_data_check(settings: dict[str, str], command: str) -> None:
    assert MarketState(**settings).command() == command


@pytest.mark.parametrize("settings", [{"data": "sample:IBM"}, {"data": "BINANCE:BTCUSDT:1h", "start": "2020"}])
def test_samples_and_parts_are_reported_by_the_notebook(settings: dict[str, str]) -> None:
    command = MarketState(**settings).command()
    assert command.startswith("maestro report 02_data_and_defects")
    assert f"data={settings['data']}" in command


def test_the_notebook_gets_no_indicators() -> None:
    assert "indicators" not in MarketState().frozen()
