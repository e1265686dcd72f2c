"""A sync ends with every row once, equal to the truth, whatever the exchange does and whenever it is interrupted."""

from __future__ import annotations

import os
import random
import shutil
import time
from pathlib import Path

import numpy as np
import polars as pl

from maestro.data.stores import MemoryStore, SeriesKey
from maestro.data.stores.parquet import ParquetStore
from maestro.data.sync import missing
from maestro.testing import FAILURES, LIES, FakeExchange, Faults, NoFaults
from tests.data.pulled import Run
from tests.support.exchange.markets import ExchangeMarket
from tests.support.exchange.truth import HOUR_US, hourly, stamp_us
from tests.support.forked import forks

SCHEDULES = int(os.environ.get("MAESTRO_TEST_SCHEDULES", "90"))


KILLS = int(os.environ.get("MAESTRO_TEST_KILLS", "4"))


PROVIDERS = ("BINANCE", "BITMEX", "BINANCE-PERPETUAL")


ROOT = Path(__file__).parents[2]


DAY_US = 24 * HOUR_US


def test_every_schedule_of_faults_ends_with_the_truth(exchange: FakeExchange, tmp_path: Path) -> None:
    truth = hourly().head(300).filter(~pl.int_range(pl.len()).is_between(150, 170))  # the exchange has an outage
    met: dict[str, int] = {}
    for seed in range(SCHEDULES):
        provider = PROVIDERS[seed % 3]
        run = Run(exchange, tmp_path / str(seed), truth)
        run.start -= 5 * HOUR_US  # the symbol was listed later, and has ended two days before now
        exchange.reset(run.market, run.clock, Faults(seed))
        result = run.sync(end=run.end + DAY_US, provider=provider, seed=seed)
        context = f"seed {seed}, {provider}: {result}, {dict(exchange.faults.met)}"
        assert not result.error, context
        assert run.rows(provider).equals(truth), context
        assert (result.added, result.changed) == (len(truth), 0), context
        assert not exchange.inside_bans(), context
        assert exchange.over_limit == 0, context
        assert len(result.gaps) == 3, context  # before the listing, the outage, after the end
        before = len(exchange.requests)
        again = run.sync(end=run.end + DAY_US, provider=provider, seed=seed)
        assert (again.received, again.added, again.changed, len(exchange.requests)) == (0, 0, 0, before), context
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


def test_killed_at_random_moments(tmp_path: Path) -> None:
    truth = {symbol: hourly(symbol).head(2_000) for symbol in ("BTCUSDT", "ETHUSDT")}
    market = ExchangeMarket({(symbol, "bars", "1h"): frame for symbol, frame in truth.items()}, cap=50)
    start = min(stamp_us(frame, 0) for frame in truth.values())
    end = max(stamp_us(frame, -1) for frame in truth.values()) + HOUR_US
    rng = random.Random(7)
    kills = rounds = partial = 0
    printed = tmp_path / "printed"
    with FakeExchange(market, latency=0.004) as exchange, forks("tests.support.exchange.worker") as forked:
        while kills < KILLS:
            root = tmp_path / f"store{rounds}"
            rounds += 1
            while True:
                before = len(exchange.requests)
                words = (str(root), str(tmp_path), exchange.url, str(start), str(end))
                with forked.running(*words, output=printed) as worker:
                    while worker.alive and len(exchange.requests) == before:
                        time.sleep(0.005)
                    time.sleep(rng.uniform(0.0, 0.5))
                    killed = worker.alive
                if message := printed.read_text():
                    assert message.strip() == "complete"
                    break
                assert killed, f"round {rounds} ended by itself without a word"
                kills += 1
                held = sum(info.rows for info in ParquetStore(root).series())
                partial += 0 < held < sum(map(len, truth.values()))
            for symbol, frame in truth.items():
                assert ParquetStore(root).read(SeriesKey("BINANCE", symbol, "1h")).equals(frame), (rounds, symbol)
    assert partial > KILLS // 5  # some of them were killed in the midst of it
