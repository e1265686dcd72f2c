"""BitMEX's buckets become bars: stamps from end to open, opens as they came, null buckets left out."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pytest

from maestro.data.sources.bitmex import BITMEX
from maestro.data.sources.protocol import Page
from maestro.data.sources.registry import open_source
from maestro.data.timeframes import timeframe_us
from maestro.errors import SettingsError, SourceError
from maestro.testing import FakeExchange, Faults, NoFaults, VirtualClock, settings_for
from tests.support.exchange.markets import ExchangeMarket
from tests.support.exchange.truth import HOUR_US, STAMP, hourly, recorded_buckets, settlements, stamp_us

MINUTE_US = timeframe_us("1m")
LATER = 10**10


@pytest.fixture(scope="module")
def exchange() -> Iterator[FakeExchange]:
    with FakeExchange(ExchangeMarket()) as running:
        yield running


def pull(
    exchange: FakeExchange, tmp_path: Path, start: int, end: int, *, symbol: str = "XBTUSD", series: str = "bars",
    timeframe: str = "1m",
) -> list[Page]:  # fmt: skip
    settings = settings_for(exchange.url, tmp_path)

    async def run() -> list[Page]:
        async with open_source(BITMEX, settings, clock=exchange.clock, rng=random.Random(0)) as source:
            return [page async for page in source.pages(symbol, series, timeframe, start, end)]

    return asyncio.run(run())


def rows(pages: list[Page]) -> pl.DataFrame:
    return pl.concat([page.frame for page in pages])


def recorded() -> pl.DataFrame:
    """The recorded replies as bars, read by other means: polars' own parser of dates."""
    table = pl.DataFrame(recorded_buckets(), infer_schema_length=None)
    ends = table["timestamp"].str.to_datetime("%Y-%m-%dT%H:%M:%S%.fZ", time_unit="us").dt.replace_time_zone("UTC")
    values = table.select(pl.col("open", "high", "low", "close", "volume").cast(pl.Float64))
    return values.insert_column(0, (ends - pl.duration(minutes=1)).alias("timestamp"))


def test_recorded_replies_come_back_bit_by_bit(exchange: FakeExchange, tmp_path: Path) -> None:
    truth = recorded()
    exchange.reset(ExchangeMarket({("XBTUSD", "bars", "1m"): truth}), VirtualClock(LATER), NoFaults())
    start = 1_577_836_800_000_000 - MINUTE_US  # the first stamp is 2020-01-01 00:00: that bar opened a minute before
    pages = pull(exchange, tmp_path, start, stamp_us(truth, -1) + MINUTE_US)
    frame = rows(pages)
    assert frame.equals(truth)
    assert frame.height == 3_000
    assert stamp_us(frame, 0) == start
    assert (frame["open"][1:] == frame["close"][:-1]).all()
    outside = frame.filter((pl.col("open") > pl.col("high")) | (pl.col("open") < pl.col("low")))
    assert outside.height == 23  # kept as they came; quality() reports them
    assert len(exchange.requests) == 3
    assert exchange.requests[0].params["startTime"] == "2020-01-01T00:00:00.000Z"


def test_a_stretch_is_asked_for_by_its_ends(exchange: FakeExchange, tmp_path: Path) -> None:
    truth = hourly().head(50)
    exchange.reset(ExchangeMarket({("XBTUSD", "bars", "1h"): truth}), VirtualClock(LATER), NoFaults())
    pages = pull(exchange, tmp_path, stamp_us(truth, 10), stamp_us(truth, 20), timeframe="1h")
    assert rows(pages).equals(truth[10:20])


def test_the_bar_still_open_is_left_out(exchange: FakeExchange, tmp_path: Path) -> None:
    truth = hourly().head(10)
    closes = (stamp_us(truth, 9) + HOUR_US) / 1_000_000
    for now, closed in ((closes - 0.001, 9), (closes, 10)):
        exchange.reset(ExchangeMarket({("XBTUSD", "bars", "1h"): truth}), VirtualClock(now), NoFaults())
        pages = pull(exchange, tmp_path, stamp_us(truth, 0), stamp_us(truth, -1) + 99 * HOUR_US, timeframe="1h")
        assert rows(pages).equals(truth.head(closed))


def test_buckets_without_a_price_are_gaps(exchange: FakeExchange, tmp_path: Path) -> None:
    whole = hourly().head(30)
    nothing = pl.int_range(pl.len()).is_between(0, 4)
    prices = ("open", "high", "low", "close", "volume")
    sent = whole.with_columns(
        pl.when(nothing).then(float("nan")).otherwise(pl.col(name)).alias(name) for name in prices
    )
    exchange.reset(ExchangeMarket({("XBTUSD", "bars", "1h"): sent}), VirtualClock(LATER), NoFaults())
    pages = pull(exchange, tmp_path, stamp_us(whole, 0), stamp_us(whole, -1) + HOUR_US, timeframe="1h")
    assert rows(pages).equals(whole[5:])
    assert [gap for page in pages for gap in page.gaps] == [(stamp_us(whole, 0), stamp_us(whole, 5))]


def test_thirty_requests_a_minute(exchange: FakeExchange, tmp_path: Path) -> None:
    truth = hourly()
    exchange.reset(ExchangeMarket({("XBTUSD", "bars", "1h"): truth}, cap=50), VirtualClock(LATER), NoFaults())
    pages = pull(exchange, tmp_path, stamp_us(truth, 0), stamp_us(truth, -1) + HOUR_US, timeframe="1h")
    assert rows(pages).equals(truth)
    assert len(exchange.requests) == 90
    assert exchange.over_limit == 0
    assert exchange.requests[-1].time - exchange.requests[0].time == pytest.approx(180, abs=5)


def test_funding(exchange: FakeExchange, tmp_path: Path) -> None:
    truth = settlements()
    exact = truth.with_columns(pl.col("timestamp").dt.truncate("1s"))
    for seed in range(5):
        exchange.reset(ExchangeMarket({("XBTUSD", "funding", ""): exact}, cap=40), VirtualClock(LATER), Faults(seed))
        start, end = stamp_us(exact, 0) - 3 * HOUR_US, stamp_us(exact, -1) + 3 * HOUR_US
        pages = pull(exchange, tmp_path, start, end, series="funding", timeframe="")
        assert rows(pages).equals(exact), seed
        assert not any(page.gaps for page in pages), seed


def test_an_unknown_symbol_is_distinguished_from_a_range_without_bars(exchange: FakeExchange, tmp_path: Path) -> None:
    truth = hourly().head(5)
    daily = truth.head(1).with_columns(pl.lit(0).cast(STAMP).alias("timestamp"))
    market = ExchangeMarket({("XBTUSD", "bars", "1h"): truth, ("XBTUSD", "bars", "1d"): daily})
    exchange.reset(market, VirtualClock(LATER), NoFaults())
    pages = pull(exchange, tmp_path, stamp_us(truth, 0) - 9 * HOUR_US, stamp_us(truth, 0) - 2 * HOUR_US, timeframe="1h")
    assert rows(pages).is_empty()
    assert pages[0].gaps == ((stamp_us(truth, 0) - 9 * HOUR_US, stamp_us(truth, 0) - 2 * HOUR_US),)
    with pytest.raises(SourceError, match="never had a bar of 'XBTUSDT'"):
        pull(exchange, tmp_path, 0, HOUR_US, symbol="XBTUSDT")


def test_what_the_exchange_lacks_is_refused(exchange: FakeExchange, tmp_path: Path) -> None:
    exchange.reset(ExchangeMarket(), VirtualClock(LATER), NoFaults())
    with pytest.raises(SettingsError, match=r"no bars of '4h'; it has 1m, 5m, 1h, 1d.*resample"):
        pull(exchange, tmp_path, 0, HOUR_US, timeframe="4h")
    with pytest.raises(SettingsError, match="no history of basis"):
        pull(exchange, tmp_path, 0, HOUR_US, series="basis")
    assert not exchange.requests
