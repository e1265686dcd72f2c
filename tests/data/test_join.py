"""Funding, open interest and basis on bars: against a plain loop on the real files, and never from the future."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import polars as pl
import pytest

import maestro as ms
from maestro.data.files.stamps import read_stamps
from maestro.data.join import join_series
from maestro.data.stores import ParquetStore, SeriesKey
from maestro.errors import BarsError
from tests.strategies import markets

HOUR = 3_600_000_000
DAY = 24 * HOUR
START = 1_704_067_200_000_000  # 2024-01-01
STAMP = pl.Datetime("us", "UTC")
Find = Callable[[str], Path]


def hours(n: int, every: int = 1, first: int = START) -> pl.DataFrame:
    price = np.linspace(100, 110, n)
    stamps = pl.Series(first + every * HOUR * np.arange(n)).cast(STAMP)
    return pl.DataFrame({"timestamp": stamps, "open": price, "high": price + 1, "low": price - 1, "close": price,
                         "volume": price})  # fmt: skip


def series(name: str, pairs: list[tuple[float, float | None]]) -> pl.DataFrame:
    """Values at so many hours after the start."""
    stamps = pl.Series([START + round(at * HOUR) for at, _ in pairs], dtype=pl.Int64).cast(STAMP)
    return pl.DataFrame({"timestamp": stamps, name: pl.Series([value for _, value in pairs], dtype=pl.Float64)})


def plain_funding(
    opens: list[int], length: int, settlements: list[tuple[int, float]]
) -> list[tuple[float | None, int]]:
    """The definition, in a loop: (previous open, own open], stamps cut to the second."""
    result = []
    for i, own in enumerate(opens):
        before = opens[i - 1] if i else own - length
        rates = [rate for stamp, rate in sorted(settlements) if before < stamp // 1_000_000 * 1_000_000 <= own]
        result.append((math.fsum(rates) if rates else None, len(rates)))
    return result


def plain_daily(opens: list[int], days: list[tuple[int, float]]) -> list[float | None]:
    """The definition, in a loop: the figure of the newest day that is over when the bar opens, however old."""
    result: list[float | None] = []
    for own in opens:
        newest = max((stamp for stamp, _ in days if stamp + DAY <= own), default=None)
        result.append(None if newest is None else dict(days)[newest])
    return result


@pytest.mark.parametrize("timeframe", ["1h", "4h"])
def test_real_funding_against_a_plain_loop(real_file: Find, timeframe: str) -> None:
    bars = pl.read_parquet(real_file(f"binance_usdm_12sym_{timeframe}.parquet"))
    funding = pl.read_parquet(real_file("binance_usdm_allsym_funding.parquet"))
    assert ((funding["timestamp"] % 1000) > 0).sum() == 62_171
    late = 0
    for symbol in bars["symbol"].unique().sort():
        own = bars.filter(pl.col("symbol") == symbol).sort("timestamp")
        rates = funding.filter(pl.col("symbol") == symbol)
        joined = join_series(own, timeframe, funding=rates)
        opens = [stamp * 1000 for stamp in own["timestamp"]]
        expected = plain_funding(
            opens,
            opens[1] - opens[0],
            [(stamp * 1000, rate) for stamp, rate in rates.select("timestamp", "funding_rate").iter_rows()],
        )
        assert joined["funding_count"].to_list() == [count for _, count in expected]
        assert joined["funding_rate"].to_list() == pytest.approx([rate for rate, _ in expected], abs=1e-18, nan_ok=True)
        assert joined["funding_count"].sum() > 50, symbol
        late += rates.filter(pl.col("timestamp") % 1000 > 0).height
    assert late > 100, "the late stamps are what this test is about"


def test_the_whole_is_shared_out_over_the_bars(real_file: Find) -> None:
    """Several intervals: settlements every 1, 4 and 8 hours on bars of any length add up to the same."""
    funding = pl.read_parquet(real_file("binance_usdm_allsym_funding.parquet")).sort("symbol", "timestamp")
    gaps = funding.with_columns(step=(pl.col("timestamp") // 1000).diff().over("symbol") // 3600).drop_nulls()
    found = {}
    for hours_between in (1, 4, 8):
        symbol = gaps.filter(pl.col("step") == hours_between)["symbol"].mode()[0]
        rates = funding.filter(pl.col("symbol") == symbol)
        first = int(rates["timestamp"][0]) * 1000 // DAY * DAY
        for every in (1, 4, 24):
            bars = hours(24 * 70 // every, every, first)
            joined = join_series(bars, f"{every}h", funding=rates)
            inside = rates.filter(pl.col("timestamp") // 1000 * 1_000_000 <= int(joined["timestamp"].to_physical()[-1]))
            assert joined["funding_count"].sum() == len(inside)
            assert joined["funding_rate"].sum() == pytest.approx(inside["funding_rate"].sum(), abs=1e-15)
            found[hours_between, every] = int(joined["funding_count"].max())
    assert found == {
        (1, 1): 1,
        (1, 4): 4,
        (1, 24): 24,
        (4, 1): 1,
        (4, 4): 1,
        (4, 24): 6,
        (8, 1): 1,
        (8, 4): 1,
        (8, 24): 3,
    }


def test_a_settlement_counts_for_who_holds_at_the_open() -> None:
    late = 0.017 / 3600
    rates = [(-2, 9.0), (-1, 9.0), (-0.5, 0.1), (late, 0.2), (1 + late, 0.0), (1.5, 1.6), (2, 0.8), (3.25, 9.0)]
    joined = join_series(hours(4), "1h", funding=series("funding_rate", rates))
    assert joined["funding_rate"].to_list() == pytest.approx([0.1 + 0.2, 0.0, 1.6 + 0.8, None])
    assert joined["funding_count"].to_list() == [2, 1, 2, 0]
    holed = hours(4).filter(pl.int_range(4) != 1)
    assert join_series(holed, "1h", funding=series("funding_rate", rates))["funding_count"].to_list() == [2, 3, 0]


def test_a_settlement_recorded_twice_is_one_and_two_of_one_second_are_added_up() -> None:
    twice = series("funding_rate", [(0, 0.2), (0.000004, 0.2), (2, 0.1)])
    assert join_series(hours(3), funding=twice)["funding_count"].to_list() == [1, 0, 1]
    both = join_series(hours(3), funding=series("funding_rate", [(0, 0.2), (0.000004, 0.3)]))
    assert both["funding_rate"].to_list() == [0.5, None, None]
    assert both["funding_count"].to_list() == [2, 0, 0]
    with pytest.raises(BarsError, match="two different values at 2024-01-01 00:00:00"):
        join_series(hours(3), funding=series("funding_rate", [(0, 0.2), (0, 0.3)]))
    of_a_second = series("open_interest", [(1, 1.0), (1.0001, 2.0), (1.0002, 3.0)])
    assert join_series(hours(2), open_interest=of_a_second)["open_interest"].to_list() == [3.0, 3.0]


def test_a_column_of_settlements_does_not_wait_for_nulls() -> None:
    rates = series("funding_rate", [(0, 0.1), (1, None), (2, math.nan), (3, 0.0)])
    joined = join_series(hours(4), funding=rates)
    assert joined["funding_rate"].to_list() == [0.1, None, None, 0.0], "null is no settlement, 0 is one at zero"


def test_snapshots_are_known_at_the_close() -> None:
    interest = series("open_interest", [(0.5, 1.0), (1 + 0.009 / 3600, 2.0), (2.0003, 3.0), (4, 5.0)])
    joined = join_series(hours(4), "1h", open_interest=interest)
    assert joined["open_interest"].to_list() == [2.0, 2.0, 3.0, 5.0]
    later = join_series(hours(4), "1h", open_interest=interest, lag={"open_interest": "1h"})
    assert later["open_interest"].to_list() == [None, 2.0, 2.0, 3.0]


def test_a_slower_series_is_held_and_a_long_wait_is_noted() -> None:
    basis = series("basis", [(4, 0.1), (8, 0.2), (12, None), (16, 0.4)])
    joined = join_series(hours(36), "1h", basis=basis)
    assert joined["basis"].to_list() == [None] * 3 + [0.1] * 4 + [0.2] * 8 + [0.4] * 21
    quick = series("basis", [(n / 60, float(n)) for n in range(0, 100)])
    assert join_series(hours(6), "1h", basis=quick)["basis"].to_list() == [60.0, 99.0, 99.0, 99.0, 99.0, 99.0]
    holed = series("open_interest", [(n, 1.0) for n in range(-24, 96) if not 10 < n <= 70])
    notes = ms.Bars.from_frame(hours(96)).with_series(open_interest=holed).notes
    assert "open_interest has no value for 2.5 days from 2024-01-01; the last is held" in notes
    whole = series("open_interest", [(n, 1.0) for n in range(-24, 96)])
    assert ms.Bars.from_frame(hours(96)).with_series(open_interest=whole).notes[1:] == ()


def test_real_daily_open_interest_on_hours_and_days(real_file: Find) -> None:
    table = pl.read_csv(real_file("heun630_open_interest.csv"), infer_schema=False)
    assert table.columns[0].lstrip("\ufeff") == "Date"
    daily = pl.DataFrame({"timestamp": table.to_series(0), "open_interest": table.to_series(1).cast(pl.Float64)})
    known = pl.read_csv(real_file("bitstamp_BTCUSD_1h_2018-2024.csv.gz")).reverse()
    for bars, timeframe in (
        (ms.Bars.from_frame(known).between("2019-03-01", "2020-01-01").to_frame(), "1h"),
        (ms.Bars.from_frame(known).between("2024-11-01", "2024-11-29").resample("4h").to_frame(), "4h"),
        (hours(400, 24, START - 300 * DAY), "1d"),
    ):
        joined = join_series(bars, timeframe, open_interest=daily)
        days = read_stamps(daily["timestamp"]).to_physical().to_list()
        opens = bars["timestamp"].to_physical().to_list()
        assert joined["open_interest"].to_list() == plain_daily(
            opens, list(zip(days, daily["open_interest"], strict=True))
        )
    first = joined_on = join_series(hours(48, 1, START), "1h", open_interest=daily)
    figures = {str(day): value for day, value in daily.iter_rows()}
    assert set(first["open_interest"][:24]) == {figures["2023.12.31"]}
    assert set(joined_on["open_interest"][24:]) == {figures["2024.1.1"]}


def test_daily_mean_funding_counts_from_the_next_day(real_file: Find) -> None:
    daily = pl.read_csv(real_file("lukmol_funding_rates.csv")).select(timestamp="date", funding_rate="funding_mean")
    joined = join_series(hours(72), "1h", funding=daily)
    figures = dict(daily.iter_rows())
    found = joined.filter(pl.col("funding_rate").is_not_null()).select(
        pl.col("timestamp").dt.strftime("%F %T"), "funding_rate"
    )
    assert found.rows() == [
        ("2024-01-01 00:00:00", figures["2023-12-31"]),
        ("2024-01-02 00:00:00", figures["2024-01-01"]),
        ("2024-01-03 00:00:00", figures["2024-01-02"]),
    ]


@pytest.mark.parametrize("every", [1, 4, 24])
def test_no_bar_knows_the_future(every: int) -> None:
    """Cutting off what comes after a bar's close changes nothing up to that bar."""
    rng = np.random.default_rng(5)
    bars = hours(24 * 20 // every, every)
    all_of = {
        "funding": series("funding_rate", [(8 * n + rng.uniform(0, 17e-3 / 3600), rng.normal()) for n in range(60)]),
        "open_interest": series("open_interest", [(24 * n, rng.normal()) for n in range(-3, 20)]),
        "basis": series("basis", [(n + 5e-3 / 3600, rng.normal()) for n in range(480)]),
    }
    whole = join_series(bars, f"{every}h", **all_of)
    assert whole.null_count().select("open_interest", "basis").row(0) == (0, 0)
    for row in range(0, len(bars), 7):
        close = START + (row + 1) * every * HOUR
        past = {
            name: frame.filter(pl.col("timestamp").to_physical() // 1_000_000 * 1_000_000 <= close)
            for name, frame in all_of.items()
        }
        cut = join_series(bars[: row + 1], f"{every}h", **past)
        assert cut.equals(whole[: row + 1]), row


def test_what_cannot_be_joined_is_named() -> None:
    with pytest.raises(BarsError, match="funding lacks column funding_rate; it has timestamp, rate"):
        join_series(hours(3), funding=series("rate", [(0, 1.0)]))
    with pytest.raises(BarsError, match="not in strictly increasing order"):
        join_series(hours(3).reverse(), "1h", funding=series("funding_rate", [(0, 1.0)]))
    with pytest.raises(BarsError, match="lag names oi; there are funding, open_interest, basis"):
        join_series(hours(3), lag={"oi": "1h"})
    assert join_series(hours(3), funding=series("funding_rate", []))["funding_rate"].null_count() == 3


def test_bars_with_series_note_what_they_lack() -> None:
    bars = ms.synthetic_bars(100)
    first = (int(bars.time[0]) - START) / HOUR
    rates = series("funding_rate", [(first + 8 * n, 0.001) for n in range(13)])
    joined = bars.with_series(funding=rates)
    assert joined.funding_rate is not None
    assert np.nansum(joined.funding_rate) == pytest.approx(0.013)
    assert joined.notes == ()
    assert (joined.name, joined.synthetic, joined.periods_per_year) == (bars.name, True, bars.periods_per_year)
    assert bars.with_series(funding=rates[6:]).notes == ("funding is known from 2020-01-03 to 2020-01-05 only",)
    assert bars.with_series(basis=series("basis", [])).notes == ("no basis is known for these bars",)


def test_perpetual_bars_of_the_store_carry_their_funding(
    real_file: Find, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The way a person goes: fetched series in a store, loaded by name, a strategy on them, funding in its trades."""
    monkeypatch.setenv("MAESTRO_STORE", str(tmp_path))
    store = ParquetStore(tmp_path)
    bars = pl.read_parquet(real_file("binance_usdm_12sym_4h.parquet")).filter(pl.col("symbol") == "BTCUSDT")
    funding = pl.read_parquet(real_file("binance_usdm_allsym_funding.parquet")).filter(pl.col("symbol") == "BTCUSDT")
    stamp = pl.from_epoch("timestamp", "ms").cast(STAMP)
    store.append(
        SeriesKey("BINANCE-PERPETUAL", "BTCUSDT", "4h"), bars.select(stamp, "open", "high", "low", "close", "volume")
    )
    alone = ms.load("BINANCE-PERPETUAL:BTCUSDT:4h")
    assert "no funding is known for these bars" in alone.notes
    store.append(SeriesKey("BINANCE-PERPETUAL", "BTCUSDT", series="funding"), funding.select(stamp, "funding_rate"))
    loaded = ms.load("BINANCE-PERPETUAL:BTCUSDT:4h")
    assert loaded is ms.load("BINANCE-PERPETUAL:BTCUSDT:4h")
    assert loaded.notes[1:] == ("funding is known from 2026-01-12 to 2026-03-20 only",)
    by_join_asof = markets.perpetual("BTCUSDT", "4h")
    assert loaded.time.tolist() == by_join_asof.time.tolist()
    assert loaded.funding_rate is not None
    np.testing.assert_array_equal(loaded.funding_rate, by_join_asof.funding_rate)
    np.testing.assert_array_equal(loaded.funding_count, np.nan_to_num(by_join_asof.funding_count))
    backtest = ms.backtest(loaded, "FundingRateArbitrage")
    assert len(backtest.trades) == 5
    assert (backtest.trades["funding"] != 0).sum() >= 4
    assert ms.load("BINANCE-PERPETUAL:BTCUSDT:4h", join=()).funding_rate is None
    with pytest.raises(BarsError, match="holds no BINANCE-PERPETUAL:BTCUSDT:basis:4h to join"):
        ms.load("BINANCE-PERPETUAL:BTCUSDT:4h", join="basis:4h")
    interest = pl.DataFrame({"timestamp": loaded.to_frame()["timestamp"], "open_interest": loaded.volume})
    store.append(SeriesKey("BINANCE-PERPETUAL", "BTCUSDT", "4h", "open_interest"), interest)
    both = ms.load("BINANCE-PERPETUAL:BTCUSDT:4h", start="2025-01-01", join=("funding", "open_interest:4h"))
    assert both.funding_rate is not None
    assert both.open_interest is not None
    assert both.open_interest[:-1].tolist() == both.volume[1:].tolist(), "a snapshot at the close belongs to the bar"
