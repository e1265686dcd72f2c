"""Fixtures of the tests of ``maestro data``."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pytest

from maestro.testing import FakeExchange
from tests.support.exchange.markets import ExchangeMarket
from tests.support.exchange.truth import HOUR_US, STAMP, hourly, stamp_us

BARS = hourly().head(500)
END_US = stamp_us(BARS, -1) + HOUR_US


@pytest.fixture
def exchange(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeExchange]:
    """An exchange that has closed its books some time ago, and settings that point at it."""
    eight = BARS.gather_every(8).select("timestamp", (pl.col("volume") * 1e-9).alias("funding_rate"))
    series = {("BTCUSDT", "bars", "1h"): BARS, ("BTCUSDT", "funding", ""): eight, ("ETHUSDT", "bars", "1h"): BARS}
    with FakeExchange(ExchangeMarket(series, cap=100)) as running:
        for name, value in {"BINANCE_URL": running.url, "STATE_DIR": tmp_path, "STORE": tmp_path / "store"}.items():
            monkeypatch.setenv(f"MAESTRO_{name}", str(value))
        monkeypatch.chdir(tmp_path)
        yield running


def dates() -> list[str]:
    return [
        "--from",
        f"{BARS['timestamp'][0]:%Y-%m-%dT%H:%MZ}",
        "--to",
        f"{pl.Series([END_US]).cast(STAMP)[0]:%Y-%m-%d %H:%M}",
    ]
