"""Binance's klines, funding, open interest and basis become rows: exact, paged, within the budget, closed bars only."""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import Iterator
from pathlib import Path

import httpx
import polars as pl
import pytest

from maestro.config.settings import FetchSettings
from maestro.data.sources.binance import PERPETUAL, SPOT, Binance
from maestro.data.sources.http import Client
from maestro.data.sources.limits import Host
from maestro.data.sources.protocol import Page
from maestro.data.sources.registry import open_source
from maestro.errors import SettingsError, SourceError
from maestro.testing import FakeExchange, Faults, NoFaults, VirtualClock, settings_for
from tests.support.exchange.markets import ExchangeMarket
from tests.support.exchange.truth import HOUR_US, hourly, settlements, stamp_us
from tests.support.real_data import real_path

LATER = 10**10  # [s] long after every bar


@pytest.fixture(scope="module")
def exchange() -> Iterator[FakeExchange]:
    with FakeExchange(ExchangeMarket()) as running:
        yield running


def pull(
    exchange: FakeExchange, tmp_path: Path, symbols: list[str], start: int, end: int, *, series: str = "bars",
    timeframe: str = "1h", provider: str = SPOT,
) -> list[list[Page]]:  # fmt: skip
    """Pages of several symbols asked for at the same time."""
    settings = settings_for(exchange.url, tmp_path)

    async def run() -> list[list[Page]]:
        async with open_source(provider, settings, clock=exchange.clock, rng=random.Random(0)) as source:

            async def one(symbol: str) -> list[Page]:
                return [page async for page in source.pages(symbol, series, timeframe, start, end)]

            return list(await asyncio.gather(*map(one, symbols)))

    return asyncio.run(run())


def rows(pages: list[Page]) -> pl.DataFrame:
    return pl.concat([page.frame for page in pages])


@pytest.mark.parametrize(("provider", "path"), [(SPOT, "/api/v3/klines"), (PERPETUAL, "/fapi/v1/klines")])
def test_every_bar_once_and_exact(exchange: FakeExchange, tmp_path: Path, provider: str, path: str) -> None:
    truth = hourly()
    exchange.reset(ExchangeMarket({("BTCUSDT", "bars", "1h"): truth}), VirtualClock(LATER), NoFaults())
    start, end = stamp_us(truth, 0), stamp_us(truth, -1) + HOUR_US
    [pages] = pull(exchange, tmp_path, ["BTCUSDT"], start, end, provider=provider)
    assert rows(pages).equals(truth)
    assert {request.path for request in exchange.requests} == {path}
    assert len(exchange.requests) == -(-len(truth) // 1_000)  # full pages, and not one more
    assert [page.start for page in pages] == [start, *(page.end for page in pages[:-1])]
    assert pages[-1].end == end
    assert not any(page.gaps for page in pages)


def test_the_numbers_are_those_of_the_text() -> None:
    odd = ["0.1", "0.30000000000000004", "1e-8", "123456789.123456789123", "0.01634790"]
    answer = [[1_499_040_000_000, *odd, 1_499_644_799_999, "1", 1, "1", "1", "0"]]
    frame = _answered(answer)
    assert [frame[name][0] for name in ("open", "high", "low", "close", "volume")] == [float(text) for text in odd]


def test_a_recorded_reply_is_read() -> None:
    frame = _answered(json.loads(real_path("fixtures/nautilus_klines_response.json").read_text()))
    assert frame.row(0)[1:] == (0.0163479, 0.8, 0.015758, 0.015771, 148976.11427815)
    assert stamp_us(frame, 0) == 1_499_040_000_000_000


def _answered(answer: object) -> pl.DataFrame:
    """What the source makes of one answer to a request for one hour."""

    async def run() -> pl.DataFrame:
        transport = httpx.MockTransport(lambda request: httpx.Response(200, json=answer))
        settings = FetchSettings(tries=1)
        host = Host("x.test", {}, clock=VirtualClock(LATER))
        host.budgets = {"weight": _Free()}  # type: ignore[dict-item]
        async with Client("http://x.test", host, settings, transport=transport) as client:
            start = 1_499_040_000_000_000
            pages = Binance(SPOT, client).pages("BTCUSDT", "bars", "1h", start, start + HOUR_US)
            return rows([page async for page in pages])

    return asyncio.run(run())


class _Free:
    def wait(self, cost: float, ticks: float) -> float:
        return 0.0

    def spend(self, cost: float, ticks: float) -> None:
        """Nothing is counted."""


@pytest.mark.parametrize(
    "answer",
    [
        {"code": 0},
        [[1_499_040_000_000, "1", "2"]],
        [[1_499_040_000_000, "1", "2", "x", "1", "1"]],
        [[1_499_040_000_000, "1", None, "1", "1", "1"]],
        [[1_499_040_000_000, "1", "nan", "1", "1", "1"]],
        [["soon", "1", "1", "1", "1", "1"]],
        [[1_499_040_000_000 - 1, "1", "1", "1", "1", "1"]],
        [[1_499_040_000_000, "1", "1", "1", "1", "1"]] * 2,
        ["text"],
    ],
)
def test_an_answer_of_another_shape_is_never_stored(answer: object) -> None:
    with pytest.raises(SourceError, match="an answer that cannot be used"):
        _answered(answer)


def test_the_bar_still_open_is_left_out_until_it_is_closed(exchange: FakeExchange, tmp_path: Path) -> None:
    truth = hourly().head(10)
    market = ExchangeMarket({("BTCUSDT", "bars", "1h"): truth})
    closes = (stamp_us(truth, 9) + HOUR_US) / 1_000_000
    for now, closed in ((closes - 0.001, 9), (closes, 10)):
        exchange.reset(market, VirtualClock(now), NoFaults())
        [pages] = pull(exchange, tmp_path, ["BTCUSDT"], stamp_us(truth, 0), 1 << 60)
        assert rows(pages).equals(truth.head(closed))
        assert not any(page.gaps for page in pages)


def test_holes_front_and_end_are_distinguished_from_short_answers(exchange: FakeExchange, tmp_path: Path) -> None:
    whole = hourly().head(300)
    truth = whole.filter(~pl.int_range(pl.len()).is_between(100, 119) & (pl.int_range(pl.len()) != 200))
    start, end = stamp_us(truth, 0) - 7 * HOUR_US, stamp_us(truth, -1) + 24 * HOUR_US
    for seed in range(10):
        faults = Faults(seed, 0.5, ("short", "empty", "holes"))
        exchange.reset(ExchangeMarket({("BTCUSDT", "bars", "1h"): truth}, cap=60), VirtualClock(LATER), faults)
        [pages] = pull(exchange, tmp_path, ["BTCUSDT"], start, end)
        assert rows(pages).equals(truth), seed
        at = [stamp_us(whole, row) for row in (100, 120, 200, 201)]
        found = [(start, stamp_us(truth, 0)), (at[0], at[1]), (at[2], at[3]), (stamp_us(truth, -1) + HOUR_US, end)]
        assert [gap for page in pages for gap in page.gaps] == found, seed


def test_many_symbols_stay_within_the_weight(exchange: FakeExchange, tmp_path: Path) -> None:
    truth = hourly().head(1_000)
    symbols = [f"S{n}USDT" for n in range(200)]
    market = ExchangeMarket({(symbol, "bars", "1h"): truth for symbol in symbols}, cap=250)
    exchange.reset(market, VirtualClock(LATER // 60 * 60 + 30.0), NoFaults())  # the exchange's minute ends midway
    start, end = stamp_us(truth, 0), stamp_us(truth, -1) + HOUR_US
    pulled = pull(exchange, tmp_path, symbols, start, end, provider=PERPETUAL)
    assert all(rows(pages).equals(truth) for pages in pulled)
    assert exchange.over_limit == 0
    weight = 200 * (5 + 5 + 5 + 2)
    assert weight / 2_400 - 1 < (exchange.requests[-1].time - exchange.requests[0].time) / 60 < weight / 2_400 + 1


def test_a_small_hole_is_a_light_request(exchange: FakeExchange, tmp_path: Path) -> None:
    truth = hourly()
    exchange.reset(ExchangeMarket({("BTCUSDT", "bars", "1h"): truth}), VirtualClock(LATER), NoFaults())
    pull(exchange, tmp_path, ["BTCUSDT"], stamp_us(truth, 50), stamp_us(truth, 60), provider=PERPETUAL)
    assert [request.params["limit"] for request in exchange.requests] == ["10"]


def test_funding_keeps_its_late_stamps(exchange: FakeExchange, tmp_path: Path) -> None:
    truth = settlements()
    exchange.reset(ExchangeMarket({("BTCUSDT", "funding", ""): truth}, cap=70), VirtualClock(LATER), NoFaults())
    start, end = stamp_us(truth, 0) - 100, stamp_us(truth, -1) + 1
    [pages] = pull(exchange, tmp_path, ["BTCUSDT"], start, end, series="funding", timeframe="", provider=PERPETUAL)
    assert rows(pages).equals(truth)
    assert (truth["timestamp"].dt.millisecond() > 0).any()


@pytest.mark.parametrize("series", ["open_interest", "basis"])
def test_statistics_of_the_last_month(exchange: FakeExchange, tmp_path: Path, series: str) -> None:
    stamps = hourly()["timestamp"].head(1_300)
    values = pl.int_range(1_300, eager=True) * 0.37 + 1.25 if series == "open_interest" else pl.Series([0.25] * 1_300)
    truth = pl.DataFrame({"timestamp": stamps, series: values})
    now = stamp_us(truth, -1) / 1_000_000 + 60
    exchange.reset(ExchangeMarket({("BTCUSDT", series, "1h"): truth}), VirtualClock(now), NoFaults())
    start = stamp_us(truth, -720)
    [pages] = pull(exchange, tmp_path, ["BTCUSDT"], start, 1 << 60, series=series, provider=PERPETUAL)
    assert rows(pages).equals(truth.tail(720))
    assert len(exchange.requests) == 2  # no more than 500 rows each, whichever end the exchange counts from


def test_what_the_market_lacks_is_refused(exchange: FakeExchange, tmp_path: Path) -> None:
    exchange.reset(ExchangeMarket({("BTCUSDT", "bars", "1h"): hourly()}), VirtualClock(LATER), NoFaults())
    with pytest.raises(SourceError, match=r"-1121 Invalid symbol"):
        pull(exchange, tmp_path, ["NONESUCH"], 0, HOUR_US)
    with pytest.raises(SettingsError, match="ask BINANCE-PERPETUAL"):
        pull(exchange, tmp_path, ["BTCUSDT"], 0, HOUR_US, series="funding")
    with pytest.raises(SettingsError, match=r"no bars of '1M'; it has 1m"):
        pull(exchange, tmp_path, ["BTCUSDT"], 0, HOUR_US, timeframe="1M")
    with pytest.raises(SettingsError, match=r"there is no source 'BINANCES'.*Did you mean 'BINANCE'"):
        pull(exchange, tmp_path, ["BTCUSDT"], 0, HOUR_US, provider="BINANCES")
