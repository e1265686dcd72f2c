"""Data quality: the defects known of the real files are found, planted ones too, and clean files stay clean."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import numpy as np
import polars as pl
import pytest

import maestro as ms
from maestro.bars.quality import Quality, assess, assess_frame
from tests.support.real_data import real_path


def real(name: str) -> pl.DataFrame:
    path = real_path(name)
    if name.endswith(".json"):
        return pl.read_json(path)
    return pl.read_csv(path) if ".csv" in name else pl.read_parquet(path)


def found(quality: Quality) -> dict[str, Any]:
    return {f.check: f for f in quality.findings}


@pytest.mark.parametrize("name", ["binance_usdm_12sym_1h.parquet", "binance_usdm_12sym_4h.parquet"])
def test_clean_files_stay_clean(name: str) -> None:
    frame = real(name)
    for symbol in frame["symbol"].unique():
        assert ms.Bars.from_frame(frame, symbol=symbol).quality().findings == (), symbol


def test_the_unit_of_bitstamps_volume_changes_three_times() -> None:
    stored = real("bitstamp_BTCUSD_1h_2018-2024.csv.gz")
    quality = ms.Bars.from_frame(stored.reverse()).quality()
    unit = found(quality)["volume unit"]
    assert [begin for name, begin, _ in quality.marks if name == "volume unit"] == [
        datetime(2019, 3, 3, 1, tzinfo=UTC),
        datetime(2019, 4, 13, 17, tzinfo=UTC),
        datetime(2020, 10, 12, 9, tzinfo=UTC),
    ]
    assert [unit.examples.count(word) for word in ("÷", "×", "about the price")] == [2, 1, 3]
    assert "gap" not in found(quality)
    assert found(assess_frame(stored))["unsorted"].severity == "fatal", "it is stored newest first"


def test_bitmex_opens_outside_the_range_are_reported_as_information() -> None:
    pages = [real(f"fixtures/bitmexr_bucketed-{page}.json") for page in ("8b21dd", "e90a27", "21f56c")]
    quality = ms.Bars.from_frame(pl.concat(pages), timeframe="1m").quality()
    outside = found(quality)["open outside range"]
    assert (outside.count, outside.severity) == (23, "info")
    assert quality.ok


@pytest.mark.parametrize("symbol", ["BTCUSD", "ETHUSD", "LTCUSD", "XRPUSD", "EOSUSD", "IOTUSD", "NEOUSD"])
def test_hours_that_bitfinex_lacks_in_2018_and_2019(symbol: str) -> None:
    bars = ms.Bars.from_frame(real("bitfinex_7sym_1h.parquet"), symbol=symbol).between("2018", "2020")
    missing = 2 * 365 * 24 - len(bars)
    assert 7 <= missing <= 27
    quality = bars.quality()
    assert set(found(quality)) == {"gap"}
    assert sum(int((end - begin).total_seconds()) // 3600 for _, begin, end in quality.marks) == missing
    assert found(quality)["gap"].examples.startswith(f"{missing} bars missing")


def test_a_year_of_an_index_is_clean() -> None:
    names = ["date", "open", "high", "low", "close", "volume", "openinterest"]
    frame = pl.read_csv(real_path("backtrader_2006-day-001.txt"), has_header=True, new_columns=names)
    assert ms.Bars.from_frame(frame, timeframe="1d").quality().ok


def test_every_gap_of_the_minute_bars_is_counted() -> None:
    quality = ms.Bars.from_frame(real("bitfinex_BTCUSD_1m_2018-2019.parquet")).quality()
    gap = found(quality)["gap"]
    assert gap.count == 13_947
    assert "2019-01-07 10:01 to 2019-01-07 13:18" in gap.examples
    assert set(found(quality)) == {"gap"}


@pytest.mark.parametrize(
    ("symbol", "split"), [("AAPL", "2000-06-21"), ("BAC", "2004-08-30"), ("GOOG", "2014-04-03"), ("IWM", "2005-06-09")]
)
def test_splits_look_like_crashes(symbol: str, split: str) -> None:
    quality = ms.Bars.from_frame(real("lean_us_equity_daily_10sym.parquet"), symbol=symbol).quality()
    assert split in found(quality)["split"].examples
    assert "gap" not in found(quality), "weekends and holidays of an exchange are no gaps"


@pytest.mark.parametrize(("symbol", "fatal"), [("QQQ", True), ("USO", True), ("EEM", True), ("SPY", False)])
def test_holes_of_years_are_fatal(symbol: str, fatal: bool) -> None:
    quality = ms.Bars.from_frame(real("lean_us_equity_daily_10sym.parquet"), symbol=symbol).quality()
    assert quality.fatal is fatal
    assert ("hole" in found(quality)) is fatal


def test_bad_ticks_and_holes_before_2017() -> None:
    quality = found(ms.Bars.from_frame(real("bitfinex_7sym_1h.parquet"), symbol="BTCUSD").quality())
    assert {"gap", "jump", "spike", "bad tick"} <= set(quality)


@pytest.mark.parametrize("symbol", ["ETHUSD", "LTCUSD"])
def test_a_market_that_is_born_and_a_crash_are_no_change_of_the_volumes_unit(symbol: str) -> None:
    """A hundredfold volume from one day to the next, in March 2016 and July 2014."""
    bars = ms.Bars.from_frame(real("bitfinex_7sym_1h.parquet"), symbol=symbol)
    assert "volume unit" not in found(bars.quality())


def planted(**changes: Any) -> ms.Bars:
    frame = ms.synthetic_bars(2_000, seed=3).to_frame()
    assert ms.Bars.from_frame(frame, timeframe="1h").quality().findings == ()
    for name, change in changes.items():
        values = frame[name].to_physical().to_numpy().copy()
        change(values)
        frame = frame.with_columns(pl.Series(name, values).cast(frame[name].dtype))
    return ms.Bars.from_frame(frame, timeframe="1h")


def test_planted_defects_are_found() -> None:
    def zero(values: Any) -> None:
        values[100:130] = 0

    def smaller_unit(values: Any) -> None:
        values[1_000:] *= 1e4

    assert found(planted(volume=zero).quality())["zero volume"].count == 30
    unit = found(planted(volume=smaller_unit).quality())["volume unit"]
    assert unit.count == 1
    bars = planted(volume=smaller_unit)
    assert unit.first == int(bars.time[1_000])
    assert "× " in unit.examples

    def shifted(values: Any) -> None:
        values[500] += 60_000_000

    assert found(planted(timestamp=shifted).quality())["off the grid"].count == 1
    assert found(planted(open=lambda v: v.__setitem__(7, v[7] * 1.08)).quality())["open outside range"].count == 1


def test_a_flat_stretch_and_a_hole_that_the_exchange_is_known_to_have() -> None:
    frame = ms.synthetic_bars(2_000, seed=3).to_frame()
    price = frame["close"][300]
    rows = pl.int_range(len(frame), eager=True)
    still = rows.is_between(300, 340)
    flat = frame.with_columns(
        pl.when(still).then(price).otherwise(pl.col(n)).alias(n) for n in ("open", "high", "low", "close")
    )
    assert found(ms.Bars.from_frame(flat, timeframe="1h").quality())["flat stretch"].count == 1
    holed = ms.Bars.from_frame(frame.filter(~rows.is_between(600, 610)), timeframe="1h")
    span = (int(holed.time[599]) + 3_600_000_000, int(holed.time[600]))
    assert found(holed.quality())["gap"].spans == (span,)
    assert set(found(assess(holed, outages=[span]))) == {"exchange outage"}
    partly = found(assess(holed, outages=[(span[0], span[1] - 3_600_000_000)]))
    assert partly["exchange outage"].spans == ((span[0], span[1] - 3_600_000_000),)
    assert partly["gap"].spans == ((span[1] - 3_600_000_000, span[1]),)
    assert "1 bars missing in 1 place" in partly["gap"].examples


@pytest.mark.parametrize("weekday", ["2020-01-06", "2020-01-05"])
def test_a_week_that_is_missing_is_a_gap_and_a_week_that_begins_on_tuesday_is_none(weekday: str) -> None:
    stamps = np.arange(np.datetime64(weekday), np.datetime64("2021-01-01"), 7)
    stamps[9] += 1
    frame = ms.synthetic_bars(len(stamps), timeframe="1w").to_frame().with_columns(timestamp=pl.Series(stamps))
    assert "gap" not in found(ms.Bars.from_frame(frame, timeframe="1w").quality())
    rows = pl.int_range(len(frame), eager=True)
    assert found(ms.Bars.from_frame(frame.filter(rows != 20), timeframe="1w").quality())["gap"].count == 1


def test_raw_frames_name_what_bars_refuse() -> None:
    frame = ms.synthetic_bars(300, seed=1).to_frame()
    broken = pl.concat([frame[:100], frame[90:]]).with_columns(
        pl.when(pl.int_range(pl.len()) == 50).then(None).otherwise(pl.col("close")).alias("close")
    )
    names = set(found(assess_frame(broken)))
    assert {"unsorted", "duplicate stamps", "unusable rows"} <= names


def test_the_table_and_the_marks() -> None:
    bars = planted(volume=lambda v: v.__setitem__(slice(5, 9), 0))
    quality = bars.quality()
    assert quality.table.columns == ["check", "severity", "count", "first", "last", "examples", "meaning"]
    assert quality.marks[0][0] == "zero volume"
    assert quality.ok
    assert not quality.fatal
    assert "zero volume" in repr(quality)
    assert "zero volume" in quality._repr_html_()
    assert quality.records()[0]["count"] == 4
    assert np.isfinite(quality.table["count"].sum())
