"""ccxt's own client of Binance against the fake exchange: exact bars, pages, sync, and errors in words."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pytest

from maestro.cli import main
from maestro.data.sources.protocol import Page
from maestro.data.sources.registry import open_source
from maestro.errors import SettingsError, SourceError
from maestro.testing import FakeExchange, Faults, NoFaults, VirtualClock, settings_for
from tests.support.exchange.markets import ExchangeMarket
from tests.support.exchange.truth import HOUR_US, hourly, settlements, stamp_us

pytest.importorskip("ccxt")
LATER = 10**10  # [s] long after every bar
PROVIDER = "CCXT-BINANCE"


@pytest.fixture(scope="module")
def exchange() -> Iterator[FakeExchange]:
    with FakeExchange(ExchangeMarket()) as running:
        yield running


def pull(
    exchange: FakeExchange, tmp_path: Path, start: int, end: int, *, symbol: str = "BTC/USDT", series: str = "bars",
    timeframe: str = "1h", provider: str = PROVIDER,
) -> list[Page]:  # fmt: skip
    settings = settings_for(exchange.url, tmp_path, tries=8)

    async def run() -> list[Page]:
        async with open_source(provider, settings, clock=exchange.clock, rng=random.Random(0)) as source:
            return [page async for page in source.pages(symbol, series, timeframe, start, end)]

    return asyncio.run(run())


def test_every_bar_once_and_exact(exchange: FakeExchange, tmp_path: Path) -> None:
    truth = hourly().head(2_500)
    exchange.reset(ExchangeMarket({("BTCUSDT", "bars", "1h"): truth}), VirtualClock(LATER), NoFaults())
    start, end = stamp_us(truth, 0), stamp_us(truth, -1) + HOUR_US
    pages = pull(exchange, tmp_path, start, end)
    assert pl.concat([page.frame for page in pages]).equals(truth)
    assert [page.start for page in pages] == [start, *(page.end for page in pages[:-1])]
    assert pages[-1].end == end
    assert not any(page.gaps for page in pages)


def test_the_bar_that_is_still_open_is_left_out(exchange: FakeExchange, tmp_path: Path) -> None:
    truth = hourly().head(100)
    start, end = stamp_us(truth, 0), stamp_us(truth, -1) + HOUR_US
    exchange.reset(ExchangeMarket({("BTCUSDT", "bars", "1h"): truth}), VirtualClock((end - 1) / 1e6), NoFaults())
    pages = pull(exchange, tmp_path, start, end)
    assert pl.concat([page.frame for page in pages]).equals(truth.head(99))


def test_funding_of_a_perpetual(exchange: FakeExchange, tmp_path: Path) -> None:
    paid = settlements().head(300)
    market = ExchangeMarket({("BTCUSDT", "bars", "1h"): hourly().head(5), ("BTCUSDT", "funding", ""): paid})
    exchange.reset(market, VirtualClock(LATER), NoFaults())
    pages = pull(
        exchange, tmp_path, stamp_us(paid, 0), stamp_us(paid, -1) + 1, symbol="BTC/USDT:USDT", series="funding"
    )
    assert pl.concat([page.frame for page in pages]).equals(paid)


def test_failures_of_the_network_are_tried_again(exchange: FakeExchange, tmp_path: Path) -> None:
    truth = hourly().head(1_500)
    market = ExchangeMarket({("BTCUSDT", "bars", "1h"): truth}, cap=100)
    faults = Faults(5, 0.3, ("5xx", "drop", "429", "torn json"))
    exchange.reset(market, VirtualClock(LATER), faults)
    pages = pull(exchange, tmp_path, stamp_us(truth, 0), stamp_us(truth, -1) + HOUR_US)
    assert pl.concat([page.frame for page in pages]).equals(truth)
    assert len(faults.met) == 4


@pytest.mark.parametrize(
    ("changed", "error", "words"),
    [
        ({"symbol": "NO/SUCH"}, SourceError, "Binance refused: .*NO/SUCH"),
        ({"timeframe": "7m"}, SettingsError, "Binance has no bars of '7m'; it has 1s, 1m, .*1mo"),
        ({"series": "basis"}, SettingsError, "Binance has no basis in ccxt"),
        ({"provider": "CCXT-KRAKKEN"}, SettingsError, "ccxt has no exchange 'krakken'.*kraken"),
        ({"provider": "NOWHERE"}, SettingsError, "there is no source 'NOWHERE'"),
    ],
)
def test_what_is_refused(
    changed: dict[str, str], error: type[Exception], words: str, exchange: FakeExchange, tmp_path: Path
) -> None:
    truth = hourly().head(10)
    exchange.reset(ExchangeMarket({("BTCUSDT", "bars", "1h"): truth}), VirtualClock(LATER), NoFaults())
    with pytest.raises(error, match=words):
        pull(exchange, tmp_path, stamp_us(truth, 0), stamp_us(truth, -1), **changed)


def test_fetch_from_the_shell_and_again(
    exchange: FakeExchange, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    truth = hourly().head(50)
    exchange.reset(ExchangeMarket({("BTCUSDT", "bars", "1h"): truth}), VirtualClock(LATER), NoFaults())
    for name, value in {"CCXT_URL": exchange.url, "STATE_DIR": tmp_path, "STORE": tmp_path / "store"}.items():
        monkeypatch.setenv(f"MAESTRO_{name}", str(value))
    first, last = truth["timestamp"][0], truth["timestamp"][-1]
    asked = [
        "data",
        "fetch",
        PROVIDER,
        "BTC/USDT",
        "1h",
        "--from",
        f"{first:%Y-%m-%dT%H:%M}",
        "--to",
        f"{last:%Y-%m-%dT%H:%M}",
    ]
    for new in ("49", "0"):
        with pytest.raises(SystemExit) as ended:
            main([*asked, "--quiet"])
        assert not ended.value.code
        assert new in capsys.readouterr().out
