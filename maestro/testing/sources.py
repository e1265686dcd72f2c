"""The contract of every source, as a test class for sources of plug-ins and Maestro's own, against a fake exchange."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Iterator
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from maestro.bars.loading import synthetic_bars
from maestro.config import Settings, make_settings
from maestro.config.names import plugins
from maestro.data.outages import Outages
from maestro.data.sources.protocol import COLUMNS, Page, Source
from maestro.data.sources.registry import open_source
from maestro.data.stores import MemoryStore, SeriesKey
from maestro.data.sync import SyncResult, sync
from maestro.data.timeframes import timeframe_us
from maestro.errors import SettingsError, SourceError
from maestro.testing.clock import VirtualClock
from maestro.testing.exchange import FakeExchange, Market
from maestro.testing.faults import LIES, Faults

_LATER = 10**10  # [s] long after every bar


def settings_for(url: str, state_dir: Path, **fetch: float) -> Settings:
    """Return settings that send the requests of every source, also of plug-ins, to one address.

    Parameters
    ----------
    state_dir : Path
        For bans and the rest that is remembered.
    fetch : settings of ``fetch``, such as ``timeout=0.25``
    """
    servers = {f"servers.{name}": url for name in ("binance.url", "binance.archive_url", "bitmex.url", "ccxt.url")}
    servers |= {f"servers.{name}.url": url for name in plugins()}
    return make_settings({**servers, **{f"fetch.{key}": value for key, value in fetch.items()}, "state_dir": state_dir})


class SourceContract:
    """Tests that every source passes (`maestro.data.sources.Source` states the obligations).

    Write a `Market` that answers as the exchange does, and say which source it is::

        class TestAcme(SourceContract):
            provider, symbol = "ACME", "BTCUSD"
            market = AcmeMarket

    Attributes
    ----------
    provider : str
        Name of the source, by which it is registered.
    symbol : str
    timeframe : str
        One that the source has.
    market : type of Market
    reports_gaps : bool
        The source tells rows that the exchange lacks from rows that an answer lacks.
    """

    provider: str
    market: type[Market]
    symbol = "BTCUSD"
    timeframe = "1h"
    reports_gaps = True

    @pytest.fixture
    def exchange(self) -> Iterator[FakeExchange]:
        """The exchange, running on this machine."""
        with FakeExchange(self.market()) as running:
            yield running

    def open(self, settings: Settings, clock: VirtualClock) -> AbstractAsyncContextManager[Source]:
        """Open the source; override it for one that is not registered."""
        return open_source(self.provider, settings, clock=clock, rng=random.Random(0))

    # -- tools ------------------------------------------------------------------------------

    @property
    def step(self) -> int:
        """Length of a bar [µs]."""
        return timeframe_us(self.timeframe)

    def bars(self, count: int) -> pl.DataFrame:
        """Bars that the exchange has; prices use all bits."""
        frame = synthetic_bars(max(count, 50), seed=1, timeframe=self.timeframe).to_frame().head(count)
        return frame.select("timestamp", *COLUMNS["bars"])

    def serve(
        self, exchange: FakeExchange, truth: pl.DataFrame, *, now: float = _LATER, faults: Faults | None = None,
        cap: int = 10**9,
    ) -> None:  # fmt: skip
        """Make the exchange have these bars, at a time [s since 1970], in answers of `cap` rows at most."""
        market = self.market({(self.symbol, "bars", self.timeframe): truth}, cap=cap)
        exchange.reset(market, VirtualClock(now), faults)

    def settings(self, exchange: FakeExchange, tmp_path: Path) -> Settings:
        """Settings that send the source's requests to the exchange."""
        return settings_for(exchange.url, tmp_path, timeout=0.25)

    def pages(
        self, exchange: FakeExchange, tmp_path: Path, start: int, end: int, *, symbol: str | None = None
    ) -> list[Page]:
        """Pages of the bars from `start` up to and without `end` [µs]."""

        async def run() -> list[Page]:
            clock: Any = exchange.clock
            async with self.open(self.settings(exchange, tmp_path), clock) as source:
                asked = source.pages(symbol or self.symbol, "bars", self.timeframe, start, end)
                return [page async for page in asked]

        return asyncio.run(run())

    # -- tests ------------------------------------------------------------------------------

    def test_every_bar_comes_once_and_exact(self, exchange: FakeExchange, tmp_path: Path) -> None:
        truth = self.bars(700)
        self.serve(exchange, truth, cap=300)
        start, end = _stamp(truth, 0), _stamp(truth, -1) + self.step
        pages = self.pages(exchange, tmp_path, start, end)
        assert _rows(pages).equals(truth)
        assert [page.start for page in pages] == [start, *(page.end for page in pages[:-1])], "pages must follow"
        assert pages[-1].end == end
        assert not any(page.gaps for page in pages)
        inner = self.pages(exchange, tmp_path, _stamp(truth, 10), _stamp(truth, 20))
        assert _rows(inner).equals(truth[10:20]), "from the start, up to and without the end"

    def test_the_open_bar_is_left_out_until_it_closes(self, exchange: FakeExchange, tmp_path: Path) -> None:
        truth = self.bars(10)
        closes = (_stamp(truth, 9) + self.step) / 1_000_000
        for now, closed in ((closes - 0.001, 9), (closes, 10)):
            self.serve(exchange, truth, now=now)
            pages = self.pages(exchange, tmp_path, _stamp(truth, 0), _stamp(truth, -1) + 99 * self.step)
            assert _rows(pages).equals(truth.head(closed))
            assert not any(page.gaps for page in pages)

    @pytest.mark.parametrize("seed", range(5))
    def test_gaps_of_the_exchange_are_told_from_incomplete_answers(
        self, exchange: FakeExchange, tmp_path: Path, seed: int
    ) -> None:
        whole = self.bars(300)
        missing = pl.int_range(pl.len()).is_between(100, 119) | (pl.int_range(pl.len()) == 200)
        truth = whole.filter(~missing)
        start, end = _stamp(whole, 0) - 7 * self.step, _stamp(whole, -1) + 24 * self.step
        self.serve(exchange, truth, faults=Faults(seed, 0.5, LIES), cap=60)
        pages = self.pages(exchange, tmp_path, start, end)
        assert _rows(pages).equals(truth)
        at = [_stamp(whole, row) for row in (0, 100, 120, 200, 201, -1)]
        gaps = [(start, at[0]), (at[1], at[2]), (at[3], at[4]), (at[5] + self.step, end)]
        assert [gap for page in pages for gap in page.gaps] == (gaps if self.reports_gaps else [])

    @pytest.mark.parametrize("seed", range(5))
    def test_failures_lose_no_row_and_bans_are_observed(
        self, exchange: FakeExchange, tmp_path: Path, seed: int
    ) -> None:
        truth = self.bars(300)
        self.serve(exchange, truth, faults=Faults(seed, 0.4), cap=40)
        pages = self.pages(exchange, tmp_path, _stamp(truth, 0), _stamp(truth, -1) + self.step)
        assert _rows(pages).equals(truth)
        assert exchange.inside_bans() == []

    def test_rate_limits_are_kept(self, exchange: FakeExchange, tmp_path: Path) -> None:
        truth = self.bars(600)
        self.serve(exchange, truth, cap=10)
        pages = self.pages(exchange, tmp_path, _stamp(truth, 0), _stamp(truth, -1) + self.step)
        assert _rows(pages).equals(truth)
        assert exchange.over_limit == 0, "a request broke the exchange's rate limit"

    def test_an_unknown_symbol_is_an_error(self, exchange: FakeExchange, tmp_path: Path) -> None:
        self.serve(exchange, self.bars(10))
        with pytest.raises(SourceError):
            self.pages(exchange, tmp_path, 0, self.step, symbol="NOSUCHSYMBOL")

    def test_what_the_source_does_not_have_is_refused(self, exchange: FakeExchange, tmp_path: Path) -> None:
        async def run() -> None:
            clock: Any = exchange.clock
            async with self.open(self.settings(exchange, tmp_path), clock) as source:
                assert source.provider == self.provider
                assert source.step_us("bars", self.timeframe) == self.step
                with pytest.raises(SettingsError):
                    source.step_us("bars", "7m")
                with pytest.raises(SettingsError):
                    source.step_us("weather", self.timeframe)

        self.serve(exchange, self.bars(10))
        asyncio.run(run())

    def test_a_store_is_brought_up_to_date_and_then_nothing_is_asked_twice(
        self, exchange: FakeExchange, tmp_path: Path
    ) -> None:
        truth, store = self.bars(200), MemoryStore()
        key = SeriesKey(self.provider, self.symbol, self.timeframe)
        outages = Outages(tmp_path / "outages")
        self.serve(exchange, truth, now=(_stamp(truth, -1) + self.step) / 1_000_000)

        async def run() -> SyncResult:
            clock: Any = exchange.clock
            async with self.open(self.settings(exchange, tmp_path), clock) as source:
                return await sync(store, source, key, _stamp(truth, 0), None, outages=outages, clock=clock)

        done = asyncio.run(run())
        assert (done.error, done.added) == ("", len(truth))
        assert store.read(key).equals(truth)
        again = asyncio.run(run())
        assert (again.error, again.added, again.changed) == ("", 0, 0)


def _rows(pages: list[Page]) -> pl.DataFrame:
    return pl.concat([page.frame for page in pages])


def _stamp(frame: pl.DataFrame, row: int) -> int:
    return int(frame["timestamp"].to_physical()[row])
