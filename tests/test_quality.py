"""Data quality: every defect known of the real files is found in its file, planted ones are found, clean files stay clean."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

import maestro as ms
from maestro.quality import Quality, assess, assess_frame

DATA = Path(__file__).parents[2] / "shared" / "data"


def real(name: str) -> pl.DataFrame:
    path = DATA / name
    if not path.exists():
        pytest.skip(f"the real data is not here: {name} is expected in ../shared/data beside the project")
    return pl.read_csv(path) if ".csv" in name else pl.read_parquet(path)


def found(quality: Quality) -> dict[str, Any]:
    return {f.check: f for f in quality.findings}


@pytest.mark.parametrize("name", ["binance_usdm_12sym_1h.parquet", "binance_usdm_12sym_4h.parquet"])
def test_clean_files_stay_clean(name: str) -> None:
    frame = real(name)
    for symbol in frame["symbol"].unique():
        assert ms.Bars.from_frame(frame, symbol=symbol).quality().findings == (), symbol


def test_the_unit_of_bitstamps_volume_changes_three_times() -> None:
    frame = real("bitstamp_BTCUSD_1h_2018-2024.csv.gz").reverse()
    unit = found(ms.Bars.from_frame(frame).quality())["volume unit"]
    assert unit.count == 3
    assert [month in unit.examples for month in ("2019-03", "2019-04", "2020-10")] == [True] * 3


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
    assert abs(unit.first - int(bars.time[1_000])) <= 3_600_000_000

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
