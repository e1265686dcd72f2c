"""Sources by their provider's name."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from maestro.data.sources.registry import is_fetched, open_source
from maestro.data.stores import SeriesKey
from maestro.errors import SettingsError
from maestro.testing import settings_for


@pytest.mark.parametrize(
    ("key", "expected"),
    [("BINANCE:BTCUSDT:1h", True), ("BITMEX:XBTUSD:1d", True), ("MYFILES:BTCUSD:1h", False),
     ("KRAKEN:BTCUSD:1h", False)],
)  # fmt: skip
def test_which_series_a_source_has(key: str, expected: bool) -> None:
    assert is_fetched(SeriesKey.parse(key)) is expected


def test_an_unknown_provider_is_refused_with_the_nearest_name(tmp_path: Path) -> None:
    async def run() -> None:
        async with open_source("BINANCEE", settings_for("http://localhost:1", tmp_path)):
            pass

    with pytest.raises(SettingsError, match=r"BINANCEE.*maestro data import FILE"):
        asyncio.run(run())
