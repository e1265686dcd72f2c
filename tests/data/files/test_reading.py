"""Files of any usual form become rows; notes state what was guessed, and an option gives what cannot be."""

from __future__ import annotations

import gzip
import zipfile
from pathlib import Path

import polars as pl
import pytest

from maestro.data.files.exporting import write_file
from maestro.data.files.options import ReadOptions
from maestro.data.files.reading import Reading, read_file, series_key
from maestro.errors import BarsError, SettingsError
from tests.support.exchange.truth import HOUR_US, STAMP, hourly
from tests.support.real_data import real_path

BARS = hourly().head(48)


def one(path: Path, **choices: object) -> Reading:
    [reading] = read_file(path, ReadOptions(**choices))  # type: ignore[arg-type]
    return reading


def explained(reading: Reading, what: str) -> str:
    return dict(reading.understood)[what]


def rows_of(frame: pl.DataFrame, stamp: str, sign: str = ",") -> str:
    stamps = frame["timestamp"].dt.strftime(stamp)
    values = frame.drop("timestamp").iter_rows()
    return "".join(f"{at}{sign}{sign.join(map(repr, row))}\n" for at, row in zip(stamps, values, strict=True))


@pytest.mark.parametrize(
    ("header", "stamp", "sign", "message"),
    [
        ("Date,Open,High,Low,Close,Volume\n", "%Y-%m-%d %H:%M:%S", ",", "without a zone, taken as UTC"),
        ("timestamp;open;high;low;close;volume\n", "%Y-%m-%dT%H:%M:%SZ", ";", "dates in UTC"),
        ("\ufefftime\to\th\tl\tc\tv\n", "%s", "\t", "epoch in s (10 digits)"),
        ("open_time|Open|High|Low|Close|Volume BTC\n", "%s000", "|", "epoch in ms (13 digits)"),
        ("", "%s000000", ",", "epoch in µs (16 digits)"),
        ("# from somewhere\n\nunix,open,high,low,close,vol\n", "%s000000000", ",", "epoch in ns (19 digits)"),
    ],
)
def test_usual_csv_files(tmp_path: Path, header: str, stamp: str, sign: str, message: str) -> None:
    path = tmp_path / "KRAKEN_BTCUSD_1h.csv"
    path.write_text(header + rows_of(BARS, stamp, sign), encoding="utf-8")
    reading = one(path)
    assert reading.frame.equals(BARS)
    assert (reading.provider, reading.symbol, reading.timeframe) == ("KRAKEN", "BTCUSD", "1h")
    assert str(series_key(reading)) == "KRAKEN:BTCUSD:1h"
    assert message in explained(reading, "stamps")
    assert ("2 lines above the header skipped" in explained(reading, "file")) == header.startswith("#")
    assert ("without a header" in explained(reading, "file")) == (not header)


def test_zip_gz_and_parquet(tmp_path: Path) -> None:
    text = "date,open,high,low,close,volume\n" + rows_of(BARS, "%Y-%m-%d %H:%M")
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as packed:
        packed.writestr("inside.csv", text)
    (tmp_path / "a.csv.gz").write_bytes(gzip.compress(text.encode()))
    BARS.rename({"timestamp": "ts"}).write_parquet(tmp_path / "a.parquet")
    for name in ("a.zip", "a.csv.gz", "a.parquet"):
        assert one(tmp_path / name).frame.equals(BARS)


def test_newest_first_is_turned_and_equal_rows_are_one(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    pl.concat([BARS.reverse(), BARS.head(3).reverse()]).write_parquet(path)
    reading = one(path)
    assert reading.frame.equals(BARS)
    assert "3 equal rows dropped" in explained(reading, "stamps")
    BARS.reverse().write_parquet(path)
    assert "newest first, reversed" in explained(one(path), "stamps")


def test_duplicate_rows_that_differ_need_a_choice(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    other = BARS[5:6].with_columns(volume=pl.lit(1.25))
    pl.concat([BARS, other]).write_parquet(path)
    with pytest.raises(
        BarsError, match=r"1 stamp has duplicate rows that differ.*--duplicates first\) or.*--duplicates last"
    ):
        one(path)
    assert one(path, duplicates="first").frame.equals(BARS)
    assert one(path, duplicates="last").frame["volume"][5] == 1.25


def test_stamps_of_the_close_are_moved_to_the_open(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    BARS.with_columns(pl.col("timestamp") + pl.duration(hours=1)).write_parquet(path)
    reading = one(path, stamps="close")
    assert reading.frame.equals(BARS)
    assert "the bar's close, moved to its open" in explained(reading, "stamps")


def test_options_override_what_is_inferred(tmp_path: Path) -> None:
    path = tmp_path / "prices.csv"
    text = "when,p1,p2,p3,p4,amount,volume\n"
    stamps = BARS["timestamp"].dt.strftime("%d/%m/%Y %H:%M")
    for at, row in zip(stamps, BARS.drop("timestamp").iter_rows(), strict=True):
        text += ",".join([at, *map(repr, row), "7"]) + "\n"
    path.write_text(text)
    columns = {"timestamp": "when", "open": "p1", "high": "p2", "low": "p3", "close": "p4", "volume": "amount"}
    reading = one(path, columns=columns, unit="%d/%m/%Y %H:%M", provider="bybit", symbol="ethusd")
    assert reading.frame.equals(BARS)
    assert str(series_key(reading)) == "BYBIT:ETHUSD:1h"
    assert "left out: volume" in explained(reading, "columns")
    with pytest.raises(BarsError, match=r"missing columns open, high, low, close.*--column open=NAME"):
        one(path)
    with pytest.raises(BarsError, match=r"no column 'amont'.*Did you mean 'amount'"):
        one(path, columns={"volume": "amont"})
    with pytest.raises(BarsError, match=r"no column of bars is called 'volumes'"):
        one(path, columns={"volumes": "amount"})
    with pytest.raises(BarsError, match=r"not written as '%Y'"):
        one(path, columns=columns, unit="%Y")
    with pytest.raises(BarsError, match=r"so their unit is not ms"):
        one(path, columns=columns, unit="ms")


def test_a_constant_volume_where_there_is_none(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    BARS.drop("volume").write_parquet(path)
    empty = BARS.with_columns(volume=pl.lit(0.0))
    reading = one(path)
    assert reading.frame.equals(empty)
    assert reading.notes == ("there is no volume; 0 stands in its place",)
    message = one(path, columns={"volume": "0"})
    assert (message.frame.equals(empty), message.notes) == (True, ())


def test_an_explicit_unit_is_used(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("t,o,h,l,c,v\n10,1,1,1,1,1\n20,1,1,1,1,1\n30,1,1,1,1,1\n")
    assert one(path, unit="s").frame["timestamp"].to_physical().to_list() == [10_000_000, 20_000_000, 30_000_000]
    path.write_text("t,o,h,l,c,v\n0.5,1,1,1,1,1\n1.5,1,1,1,1,1\n")
    assert one(path, unit="s").frame["timestamp"].to_physical().to_list() == [500_000, 1_500_000]
    path.write_text("t,o,h,l,c,v\nsoon,1,1,1,1,1\nlater,1,1,1,1,1\n")
    with pytest.raises(BarsError, match="the stamps are not numbers"):
        one(path, unit="s")


def test_decimal_commas(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("date;open;high;low;close;volume\n" + rows_of(BARS, "%Y-%m-%d %H:%M", ";").replace(".", ","))
    assert one(path).frame.equals(BARS)


def test_several_symbols_are_several_series(tmp_path: Path) -> None:
    path = tmp_path / "binance_usdm_2sym.parquet"
    two = [BARS.with_columns(symbol=pl.lit(symbol)) for symbol in ("ETHUSDT", "BTCUSDT")]
    pl.concat(two).write_parquet(path)
    readings = read_file(path)
    assert [str(series_key(reading)) for reading in readings] == [
        "BINANCE-PERPETUAL:BTCUSDT:1h",
        "BINANCE-PERPETUAL:ETHUSDT:1h",
    ]
    assert all(reading.frame.equals(BARS) for reading in readings)
    assert one(path, symbol="ETHUSDT").symbol == "ETHUSDT"
    with pytest.raises(BarsError, match="has no symbol 'XRPUSDT'; it has BTCUSDT, ETHUSDT"):
        one(path, symbol="XRPUSDT")


def test_broken_bars_and_a_wrong_timeframe_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    BARS.with_columns(low=pl.when(pl.int_range(pl.len()) == 7).then(1e9).otherwise("low")).write_parquet(path)
    with pytest.raises(BarsError, match=r"high is below low at row 7"):
        one(path)
    BARS.with_columns(close=pl.when(pl.int_range(pl.len()) == 7).then(None).otherwise("close")).write_parquet(path)
    with pytest.raises(BarsError, match=r"close is missing, NaN or infinite at row 7"):
        one(path)
    BARS.write_parquet(path)
    with pytest.raises(BarsError, match=r"timeframe '4h' does not fit"):
        one(path, timeframe="4h")
    BARS.head(1).write_parquet(path)
    with pytest.raises(BarsError, match="one row"):
        one(path)


def test_names_that_tell_nothing_ask_for_flags(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    BARS.write_parquet(path)
    with pytest.raises(SettingsError, match=r"provider and symbol; give --provider NAME --symbol NAME"):
        series_key(one(path))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is empty"),
        (b"[1, 2]", "JSON without rows of bars"),
        (b"PAR1 nonsense", "cannot be read"),
        (b"date,open,high,low,close,volume\n", "a header and no row"),
        (b"\xff\xfe\x00", "is empty"),
        (b"1,2,3\n1,2,3\n", "no rows of dates and numbers"),
        (b"date,open,high,low,close,volume\n2020-01-01,1,1,1,one,1\n", "holds text at line 2: 'one'"),
        (b"date,open,high,low,close,volume\nsoon,1,1,1,1,1\n", "'soon' at line 2 is not understood"),
    ],
)
def test_files_that_are_none(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(content)
    with pytest.raises(BarsError, match=message):
        read_file(path)


def test_no_file_and_torn_ones(tmp_path: Path) -> None:
    with pytest.raises(BarsError, match="there is no file"):
        read_file(tmp_path / "nothing.csv")
    for name in ("a.parquet", "a.zip", "a.csv.gz"):
        (tmp_path / name).write_bytes(b"PK or whatever")
        with pytest.raises(BarsError, match="cannot be read"):
            read_file(tmp_path / name)
    with pytest.raises(SettingsError, match=r"series='fundings' .* is unknown.*Did you mean 'funding'"):
        ReadOptions(series="fundings")


@pytest.mark.parametrize("name", ["a.csv", "a.csv.gz", "a.parquet"])
def test_what_is_written_is_read_again_bit_by_bit(tmp_path: Path, name: str) -> None:
    odd = BARS.with_columns(volume=pl.Series([0.1 + 0.2, 5e-324, 1.7e308, 1 / 3, 0.0, 123456789.123456789] * 8))
    write_file(odd, tmp_path / name)
    assert one(tmp_path / name).frame.equals(odd)
    with pytest.raises(SettingsError, match="is there already"):
        write_file(BARS, tmp_path / name)
    write_file(BARS, tmp_path / name, force=True)
    assert one(tmp_path / name).frame.equals(BARS)
    assert [path.name for path in tmp_path.iterdir()] == [name]
    with pytest.raises(SettingsError, match="does not tell its form"):
        write_file(BARS, tmp_path / "a.xls")
    with pytest.raises(SettingsError, match="no folder"):
        write_file(BARS, tmp_path / "none" / name)


def test_late_settlements_keep_their_milliseconds(tmp_path: Path) -> None:
    stamps = pl.Series([n * 8 * HOUR_US + n * 1_000 for n in range(50_000, 50_050)]).cast(STAMP)
    frame = pl.DataFrame({"timestamp": stamps, "funding_rate": [1e-5 * n for n in range(50)]})
    write_file(frame, tmp_path / "BINANCE_BTCUSDT_funding.csv")
    reading = one(tmp_path / "BINANCE_BTCUSDT_funding.csv", series="funding")
    assert reading.frame.equals(frame)
    assert str(series_key(reading)) == "BINANCE:BTCUSDT:funding"


# -- the real files -------------------------------------------------------------------------


def test_real_bitstamp_file() -> None:
    reading = one(real_path("bitstamp_BTCUSD_1h_2018-2024.csv.gz"))
    assert str(series_key(reading)) == "BITSTAMP:BTCUSD:1h"
    assert len(reading.frame) == 57_379
    assert "volume ← VolumeBTC" in explained(reading, "columns")
    assert "newest first" in explained(reading, "stamps")


def test_real_series_that_are_no_bars() -> None:
    path = real_path("heun630_open_interest.csv")
    reading = one(path, series="open_interest", provider="ALL", symbol="BTC")
    assert (len(reading.frame), reading.timeframe) == (2_063, "1d")
    assert reading.frame["open_interest"][0] == 605_258_083
    path = real_path("lukmol_funding_rates.csv")
    with pytest.raises(BarsError, match=r"which column is funding_rate.*funding_mean, funding_abs"):
        one(path, series="funding")
    reading = one(path, series="funding", columns={"funding_rate": "funding_mean"})
    assert len(reading.frame) == 2_348
    path = real_path("binance_usdm_allsym_funding.parquet")
    assert len(one(path, series="funding", symbol="BTCUSDT").frame) == 200


def test_real_perpetuals() -> None:
    readings = read_file(real_path("binance_usdm_12sym_1h.parquet"))
    assert len(readings) == 12
    assert {reading.timeframe for reading in readings} == {"1h"}
    btc = next(reading for reading in readings if reading.symbol == "BTCUSDT")
    assert btc.frame.equals(hourly())
