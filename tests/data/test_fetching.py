"""Fetching several series: errors of one, cancellation, inside a running event loop."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import httpx
import polars as pl
import pytest

from maestro.data.fetching import fetch
from maestro.data.stores import SeriesKey
from maestro.data.stores.parquet import ParquetStore
from maestro.data.sync import Progress, SyncResult
from maestro.errors import SettingsError
from maestro.testing import FakeExchange, Faults, VirtualClock, settings_for
from tests.data.pulled import Run
from tests.support.exchange.markets import ExchangeMarket
from tests.support.exchange.truth import hourly, stamp_us


def test_a_cancelled_fetch_keeps_what_has_come(exchange: FakeExchange, tmp_path: Path) -> None:
    run = Run(exchange, tmp_path, hourly().head(400), cap=20)
    seen: list[Progress] = []

    def stop(progress: Progress) -> None:
        seen.append(progress)
        if progress.done >= 100:
            raise KeyboardInterrupt

    settings = settings_for(exchange.url, tmp_path)
    with pytest.raises(KeyboardInterrupt):
        fetch(run.store, [run.key()], run.start, run.end, settings=settings, clock=run.clock, progress=stop)
    assert len(run.rows()) == 100
    assert [progress.done for progress in seen] == [20, 40, 60, 80, 100]
    assert seen[0].total == 400


class Sent:
    """Requests and answers of a client, in their order."""

    def __init__(self, clock: VirtualClock, monkeypatch: pytest.MonkeyPatch) -> None:
        self.banned_until = 0.0
        self.inside = self.count = 0
        ask = httpx.AsyncClient.send

        async def send(client: httpx.AsyncClient, *arguments: Any, **more: Any) -> httpx.Response:
            self.count += 1
            self.inside += clock.now() < self.banned_until
            response = await ask(client, *arguments, **more)
            if response.status_code in (418, 429):
                self.banned_until = max(self.banned_until, clock.now() + float(response.headers["retry-after"]))
            return response

        monkeypatch.setattr(httpx.AsyncClient, "send", send)


def test_several_series_at_a_time_and_one_that_fails(exchange: FakeExchange, tmp_path: Path) -> None:
    symbols = ("BTCUSDT", "ETHUSDT", "SOLUSDT")
    market = ExchangeMarket({(symbol, "bars", "1h"): hourly(symbol).head(300) for symbol in symbols}, cap=40)
    start, end = stamp_us(hourly(), 0), stamp_us(hourly(), 300)
    keys = [SeriesKey("BINANCE", symbol, "1h") for symbol in (*symbols, "NONESUCH")]
    bans = 0
    for seed in range(8):
        clock = VirtualClock(end / 1_000_000 + 10 * 86_400)
        exchange.reset(market, clock, Faults(seed, 0.2))
        settings = settings_for(exchange.url, tmp_path / str(seed), timeout=0.25)
        store = ParquetStore(tmp_path / f"store{seed}")
        with pytest.MonkeyPatch.context() as patch:
            sent = Sent(clock, patch)
            results = fetch(store, keys, start, end, settings=settings, clock=clock)
        assert [result.key for result in results] == keys
        assert "Invalid symbol" in results[-1].error
        for symbol, result in zip(symbols, results[:-1], strict=True):
            assert not result.error, (seed, result)
            expected = hourly(symbol).filter(pl.col("timestamp").to_physical().is_between(start, end - 1))
            assert store.read(result.key).equals(expected.head(300)), (seed, symbol)
        assert sent.count == len(exchange.requests)
        assert sent.inside == 0, seed  # none was sent once a ban was known; up to three may have been on their way
        assert sum("inside" in one.outcome for one in exchange.requests) <= 3 * len(exchange.bans), seed
        assert exchange.over_limit == 0
        bans += len(exchange.bans)
    assert bans > 5


def test_in_a_notebook_whose_loop_is_running(exchange: FakeExchange, tmp_path: Path) -> None:
    run = Run(exchange, tmp_path, hourly().head(50))
    settings = settings_for(exchange.url, tmp_path)

    async def cell() -> list[SyncResult]:
        return fetch(run.store, [run.key()], run.start, run.end, settings=settings, clock=run.clock)

    assert asyncio.run(cell())[0].added == 50
    with pytest.raises(SettingsError, match="one provider at a time"):
        fetch(run.store, [run.key("BINANCE"), run.key("BITMEX")], 0, settings=settings)


def test_what_the_source_never_has_is_noted(exchange: FakeExchange, tmp_path: Path) -> None:
    run = Run(exchange, tmp_path, hourly().head(2_000), cap=1_000)
    values = hourly().head(2_000).select("timestamp", pl.col("volume").alias("open_interest"))
    run.market.series["BTCUSDT", "open_interest", "1h"] = values
    run.clock.time = run.end / 1_000_000
    key = SeriesKey("BINANCE-PERPETUAL", "BTCUSDT", "1h", "open_interest")
    settings = settings_for(exchange.url, tmp_path)
    [result] = fetch(run.store, [key], run.start, settings=settings, clock=run.clock)
    assert "nothing before" in result.notes[0]
    assert run.store.read(key).equals(values.tail(720))
