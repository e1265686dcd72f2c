"""A pull of one series from the fake exchange, with its clock and faults."""

from __future__ import annotations

import asyncio
import random
from pathlib import Path

import polars as pl

from maestro.data.outages import Outages
from maestro.data.sources.registry import open_source
from maestro.data.stores import MemoryStore, SeriesKey, Store
from maestro.data.sync import SyncResult, sync
from maestro.testing import FakeExchange, NoFaults, VirtualClock, settings_for
from tests.support.exchange.markets import ExchangeMarket
from tests.support.exchange.truth import HOUR_US, stamp_us


class Run:
    """A store, the exchange and the clock of one test."""

    def __init__(self, exchange: FakeExchange, tmp_path: Path, truth: pl.DataFrame, *, cap: int = 60) -> None:
        self.exchange, self.tmp_path, self.truth = exchange, tmp_path, truth
        self.store: Store = MemoryStore()
        self.outages = Outages(tmp_path / "outages")
        self.start, self.end = stamp_us(truth, 0), stamp_us(truth, -1) + HOUR_US
        self.clock = VirtualClock(self.end / 1_000_000 + 5 * 86_400)
        self.market = ExchangeMarket({("BTCUSDT", "bars", "1h"): truth}, cap=cap)
        exchange.reset(self.market, self.clock, NoFaults())

    def sync(
        self, start: int | None = None, end: int | None = None, *, provider: str = "BINANCE", seed: int = 0,
        refresh: bool = False, tries: int = 10,
    ) -> SyncResult:  # fmt: skip
        url = self.exchange.url
        state = self.tmp_path / "state"
        settings = settings_for(url, state, timeout=0.25, tries=tries)

        async def run() -> SyncResult:
            async with open_source(provider, settings, clock=self.clock, rng=random.Random(seed)) as source:
                return await sync(
                    self.store, source, self.key(provider), self.start if start is None else start,
                    self.end if end is None else end, outages=self.outages, refresh=refresh, clock=self.clock,
                )  # fmt: skip

        return asyncio.run(run())

    def key(self, provider: str = "BINANCE") -> SeriesKey:
        return SeriesKey(provider, "BTCUSDT", "1h")

    def rows(self, provider: str = "BINANCE") -> pl.DataFrame:
        return self.store.read(self.key(provider))

    def asked(self) -> list[tuple[int, int]]:
        """Rows of the truth asked for since the last look: first and last of each request."""
        first = stamp_us(self.truth, 0)
        spans = [(int(r.params["startTime"]), int(r.params["endTime"])) for r in self.exchange.requests]
        self.exchange.requests.clear()
        return [((low * 1_000 - first) // HOUR_US, (high * 1_000 - first) // HOUR_US) for low, high in spans]
