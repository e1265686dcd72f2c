"""A sync ends with every row once, equal to the truth, whatever the exchange does and whenever it is interrupted."""

from __future__ import annotations

import asyncio
import itertools
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from maestro.data.fetching import fetch
from maestro.data.outages import Outages, join, without
from maestro.data.sources import open_source
from maestro.data.stores import MemoryStore, SeriesKey, Store
from maestro.data.stores.parquet import ParquetStore
from maestro.data.sync import Progress, SyncResult, missing, sync
from maestro.errors import SettingsError, SourceError
from maestro.testing import FAILURES, LIES, FakeExchange, Faults, NoFaults, VirtualClock, settings_for
from tests.support.exchange.markets import ExchangeMarket
from tests.support.exchange.truth import HOUR_US, hourly, stamp_us

SCHEDULES = int(os.environ.get("MAESTRO_TEST_SCHEDULES", "90"))
KILLS = int(os.environ.get("MAESTRO_TEST_KILLS", "4"))
PROVIDERS = ("BINANCE", "BITMEX", "BINANCE-PERPETUAL")
ROOT = Path(__file__).parents[2]
DAY_US = 24 * HOUR_US


@pytest.fixture(scope="module")
def exchange() -> Iterator[FakeExchange]:
    with FakeExchange(ExchangeMarket()) as running:
        yield running


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


# -- every fault ----------------------------------------------------------------------------


def test_every_schedule_of_faults_ends_with_the_truth(exchange: FakeExchange, tmp_path: Path) -> None:
    truth = hourly().head(300).filter(~pl.int_range(pl.len()).is_between(150, 170))  # the exchange has an outage
    met: dict[str, int] = {}
    for seed in range(SCHEDULES):
        provider = PROVIDERS[seed % 3]
        run = Run(exchange, tmp_path / str(seed), truth)
        run.start -= 5 * HOUR_US  # the symbol was listed later, and has ended two days before now
        exchange.reset(run.market, run.clock, Faults(seed))
        result = run.sync(end=run.end + DAY_US, provider=provider, seed=seed)
        told = f"seed {seed}, {provider}: {result}, {dict(exchange.faults.met)}"
        assert not result.error, told
        assert run.rows(provider).equals(truth), told
        assert (result.added, result.changed) == (len(truth), 0), told
        assert not exchange.inside_bans(), told
        assert exchange.over_limit == 0, told
        assert len(result.gaps) == 3, told  # before the listing, the outage, after the end
        before = len(exchange.requests)
        again = run.sync(end=run.end + DAY_US, provider=provider, seed=seed)
        assert (again.received, again.added, again.changed, len(exchange.requests)) == (0, 0, 0, before), told
        for kind, count in exchange.faults.met.items():
            met[kind] = met.get(kind, 0) + count
        shutil.rmtree(tmp_path / str(seed))
    assert set(met) >= {*FAILURES, *LIES} - {"slow"}  # every kind was met; slow bodies, rare here, in test_http


def test_a_bar_that_changes_between_two_pulls(exchange: FakeExchange, tmp_path: Path) -> None:
    truth = hourly().head(100)
    run = Run(exchange, tmp_path, truth)
    run.clock.time = (stamp_us(truth, 80) + HOUR_US // 2) / 1_000_000  # bar 80 is open and served in part
    assert run.sync(end=run.end).added == 80
    assert run.rows().equals(truth.head(80))
    run.clock.time += 4 * 3_600
    for seed in range(5):
        exchange.reset(run.market, run.clock, Faults(seed, 0.5))
        run.sync(end=run.end, seed=seed)
        closed = int((run.clock.time * 1_000_000 - run.start) // HOUR_US)  # bans have taken hours
        assert run.rows().equals(truth.head(min(closed, 100)))


# -- only what is missing -------------------------------------------------------------------


def test_front_back_and_holes_are_filled_and_nothing_else(exchange: FakeExchange, tmp_path: Path) -> None:
    truth = hourly().head(4_000)
    run = Run(exchange, tmp_path, truth, cap=1_000)
    run.sync(start=stamp_us(truth, 1_000), end=stamp_us(truth, 3_500))
    assert run.asked() == [(1_000, 3_499), (2_000, 3_499), (3_000, 3_499)]
    run.store.delete(run.key(), stamp_us(truth, 1_500), stamp_us(truth, 1_510))
    run.store.delete(run.key(), stamp_us(truth, 1_600), stamp_us(truth, 1_601))
    run.store.delete(run.key(), stamp_us(truth, 2_900), stamp_us(truth, 2_903))
    result = run.sync()
    assert run.asked() == [(0, 999), (1_500, 1_600), (2_900, 2_902), (3_499, 3_999)]  # near holes in one request
    assert run.rows().equals(truth)
    assert (result.added, result.changed) == (1_000 + 10 + 1 + 3 + 500, 0)
    assert run.sync().received == 0
    assert run.asked() == []


def test_an_outage_is_remembered_and_a_young_gap_is_not(exchange: FakeExchange, tmp_path: Path) -> None:
    hole = pl.int_range(pl.len()).is_between(50, 59)
    young = pl.int_range(pl.len()) == 195
    run = Run(exchange, tmp_path, hourly().head(200).filter(~hole & ~young), cap=1_000)
    run.clock.time = run.end / 1_000_000 + 60
    whole = hourly()
    assert run.sync().gaps == ((stamp_us(whole, 50), stamp_us(whole, 60)), (stamp_us(whole, 195), stamp_us(whole, 196)))
    assert run.outages.read(run.key()) == [(stamp_us(whole, 50), stamp_us(whole, 60))]
    run.asked()
    run.sync()
    assert run.asked() == [(195, 195)] * 3  # the exchange may still fill it
    run.market.series["BTCUSDT", "bars", "1h"] = hourly().head(200).filter(~hole)
    assert run.sync().added == 1
    assert len(run.rows()) == 190


def test_what_is_known_of_an_emptied_store_does_not_count(exchange: FakeExchange, tmp_path: Path) -> None:
    truth = hourly().head(100).filter(~pl.int_range(pl.len()).is_between(40, 59))
    run = Run(exchange, tmp_path, truth)
    run.sync()
    run.store = MemoryStore()
    run.market.series["BTCUSDT", "bars", "1h"] = hourly().head(100)  # another exchange, which has no outage
    run.sync()
    assert run.rows().equals(hourly().head(100))


def test_a_revised_bar_is_replaced_and_reported(exchange: FakeExchange, tmp_path: Path) -> None:
    truth = hourly().head(100)
    run = Run(exchange, tmp_path, truth)
    run.sync(end=stamp_us(truth, 90))
    noted = run.rows().tail(1).with_columns(pl.lit(0.25).alias("open_interest"))
    run.store.append(run.key(), noted)  # something else has been joined to it
    revised = truth.with_columns(
        pl.when(pl.int_range(pl.len()).is_in([30, 89])).then(pl.col("volume") + 1).otherwise("volume").alias("volume")
    )
    run.market.series["BTCUSDT", "bars", "1h"] = revised
    result = run.sync()  # the newest stored row is asked for again with what follows
    assert (result.added, result.changed) == (10, 1)
    assert run.rows()["open_interest"].drop_nulls().to_list() == [0.25]
    assert run.rows()["volume"][30] == truth["volume"][30]
    result = run.sync(refresh=True)
    assert (result.added, result.changed) == (0, 1)
    assert run.rows().select(revised.columns).equals(revised)


def test_the_missing_stretches_by_hand() -> None:
    stamps = np.array([2, 3, 6, 7]) * 10
    assert missing(stamps, 0, 100, 10, grid=True) == [(0, 20), (40, 60), (80, 100)]
    assert missing(stamps, 20, 80, 10, grid=True) == [(40, 60)]
    assert missing(stamps[:0], 0, 100, 10, grid=True) == [(0, 100)]
    assert missing(stamps, 50, 50, 10, grid=True) == []
    eight = 8 * HOUR_US
    late = np.array([0, eight + 7_000, 2 * eight, 4 * eight])  # a settlement some ms late, and one that is missing
    assert missing(late, 0, 4 * eight + 1, eight, grid=False) == [(2 * eight + 1_000, 4 * eight)]
    assert missing(late, 0, 5 * eight, eight, grid=False)[-1] == (4 * eight + 1_000, 5 * eight)


SPANS = st.lists(st.tuples(st.integers(0, 60), st.integers(1, 20)).map(lambda s: (s[0], s[0] + s[1])), max_size=8)


@given(SPANS, SPANS)
def test_spans_are_sets_of_moments(one: list[tuple[int, int]], other: list[tuple[int, int]]) -> None:
    def moments(spans: list[tuple[int, int]]) -> set[int]:
        return {at for low, high in spans for at in range(low, high)}

    joined = join(one)
    assert moments(joined) == moments(one)
    assert all(low[1] < high[0] for low, high in itertools.pairwise(joined))
    assert moments(without(joined, other)) == moments(one) - moments(other)


# -- interruptions --------------------------------------------------------------------------


def test_what_came_before_a_failure_is_stored_and_the_next_run_goes_on(exchange: FakeExchange, tmp_path: Path) -> None:
    truth = hourly().head(400)
    run = Run(exchange, tmp_path, truth)

    class After(NoFaults):
        """Everything fails from the fourth request on."""

        count = 0

        def next(self, question: str) -> str:
            self.count += 1
            return "5xx" if self.count > 3 else ""

    exchange.reset(run.market, run.clock, After())
    result = run.sync(tries=3)
    assert "failed 3 times" in result.error
    assert result.added == 180
    assert run.rows().equals(truth.head(180))
    exchange.reset(run.market, run.clock, NoFaults())
    assert run.sync().added == 220
    assert run.asked()[0] == (179, 399)
    assert run.rows().equals(truth)


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


def test_killed_at_random_moments(tmp_path: Path) -> None:
    truth = {symbol: hourly(symbol).head(2_000) for symbol in ("BTCUSDT", "ETHUSDT")}
    market = ExchangeMarket({(symbol, "bars", "1h"): frame for symbol, frame in truth.items()}, cap=50)
    start = min(stamp_us(frame, 0) for frame in truth.values())
    end = max(stamp_us(frame, -1) for frame in truth.values()) + HOUR_US
    rng = random.Random(7)
    kills = rounds = partial = 0
    with FakeExchange(market, latency=0.004) as exchange:
        while kills < KILLS:
            root = tmp_path / f"store{rounds}"
            rounds += 1
            while True:
                command = [
                    sys.executable,
                    "-m",
                    "tests.support.exchange.worker",
                    str(root),
                    str(tmp_path),
                    exchange.url,
                ]
                process = subprocess.Popen(
                    [*command, str(start), str(end)], cwd=ROOT, stdout=subprocess.PIPE, text=True
                )
                before = len(exchange.requests)
                while process.poll() is None and len(exchange.requests) == before:
                    time.sleep(0.005)
                time.sleep(rng.uniform(0.0, 0.5))
                process.send_signal(signal.SIGKILL)
                said, _ = process.communicate()
                if process.returncode == 0 or "complete" in said:
                    assert said.strip() == "complete"
                    break
                kills += 1
                held = sum(info.rows for info in ParquetStore(root).series())
                partial += 0 < held < sum(map(len, truth.values()))
            for symbol, frame in truth.items():
                assert ParquetStore(root).read(SeriesKey("BINANCE", symbol, "1h")).equals(frame), (rounds, symbol)
    assert partial > KILLS // 5  # some of them were killed in the midst of it


# -- several at a time ----------------------------------------------------------------------


class Sent:
    """What a client sends and what it is told, in the order in which it happens to it."""

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


def test_a_damaged_memory_of_outages_is_named(tmp_path: Path) -> None:
    outages = Outages(tmp_path)
    key = SeriesKey("BINANCE", "BTCUSDT", "1h")
    assert outages.read(key) == []
    outages.add(key, [(0, 10), (10, 20)], now_us=10**15)
    assert outages.read(key) == [(0, 20)]
    [path] = tmp_path.iterdir()
    whole = path.read_bytes()
    for position in range(len(whole)):
        path.write_bytes(whole[:position] + bytes([whole[position] ^ 1 << position % 8]) + whole[position + 1 :])
        with pytest.raises(SourceError, match=r"is damaged.*delete it"):
            outages.read(key)
    path.write_text('{"series": "BINANCE:BTCUSDT:1h", "gaps": [[0, 20]]}')  # of an earlier version
    assert outages.read(key) == [(0, 20)]
    path.write_text("{")
    with pytest.raises(SourceError, match=r"is damaged.*delete it"):
        outages.read(key)
    outages.forget(key)
    assert outages.read(key) == []
