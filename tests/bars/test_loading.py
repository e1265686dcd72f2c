"""Bars by name: samples, files in any order, and a random walk that is the same everywhere."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

import maestro as ms
from maestro.errors import BarsError, MaestroError, SettingsError
from tests.bars.files import write


@pytest.mark.parametrize("form", ["bars.csv", "bars.parquet", "BARS.CSV", "bars.csv.gz"])
def test_a_file_of_one_series(tmp_path: Path, form: str) -> None:
    path = write(tmp_path / form.removesuffix(".gz"))
    if form.endswith(".gz"):
        path = tmp_path / form
        path.write_bytes(gzip.compress((tmp_path / "bars.csv").read_bytes()))
    for name in (path, str(path)):
        bars = ms.load(name)
        assert (bars.symbol.lower(), len(bars), bars.timeframe) == ("bars", 48, "1h")
        assert bars.notes == (bars.calendar.text,)
        np.testing.assert_array_equal(bars.close, ms.synthetic_bars(48, seed=3).close)
    options = ms.load(path, start="2020-01-02", end="2020-01-02 06:00", provider="P", symbol="S", periods_per_year=252)
    assert (options.name, len(options), options.periods_per_year) == ("P:S:1h", 6, 252)


def test_a_file_stored_newest_first_is_reversed_with_a_note(tmp_path: Path) -> None:
    path = tmp_path / "new.csv"
    frame = pl.read_csv(write(tmp_path / "old.csv"))
    frame.reverse().write_csv(path)
    bars = ms.load(path)
    assert bars.fingerprint == ms.load(tmp_path / "old.csv").fingerprint
    assert "the rows are stored newest first; they were reversed" in bars.notes
    frame.sample(fraction=1.0, shuffle=True, seed=1).write_csv(path)
    shuffled = ms.load(path)
    assert shuffled.fingerprint == bars.fingerprint
    assert "are not in order of time" in shuffled.notes[0]
    pl.concat([frame.reverse(), frame[0]]).write_csv(path)
    doubled = ms.load(path)
    assert doubled.fingerprint == bars.fingerprint
    assert "1 row equal to another one dropped" in doubled.notes


@pytest.mark.parametrize("form", ["two.csv", "two.parquet"])
def test_a_file_of_several_symbols(tmp_path: Path, form: str) -> None:
    path = write(tmp_path / form, ("BTCUSDT", "ETHUSDT"))
    with pytest.raises(BarsError, match=r"holds 2 symbols in column symbol \(BTCUSDT, ETHUSDT\); choose one: symbol="):
        ms.load(path)
    assert ms.load(path, symbol="ETHUSDT").fingerprint == ms.load(f"{path}#ETHUSDT").fingerprint
    assert ms.load(f"{path}#ETHUSDT").symbol == "ETHUSDT"
    with pytest.raises(BarsError, match=r"has no symbol 'ETHUSD'; it has BTCUSDT, ETHUSDT. Did you mean 'ETHUSDT'"):
        ms.load(f"{path}#ETHUSD")
    with pytest.raises(BarsError, match="contradict each other; give one"):
        ms.load(f"{path}#ETHUSDT", symbol="BTCUSDT")


def test_a_symbol_that_is_not_in_a_file_of_one_is_no_display_name(tmp_path: Path) -> None:
    with pytest.raises(BarsError, match="has no symbol 'ETHUSDT'; it has BTCUSDT"):
        ms.load(write(tmp_path / "one.csv", ("BTCUSDT",)), symbol="ETHUSDT")


def test_a_hash_in_a_file_name(tmp_path: Path) -> None:
    assert len(ms.load(str(write(tmp_path / "a#b.csv")))) == 48


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is empty|no row"),
        (b"timestamp,open,high,low,close,volume\n", "is empty|no row"),
        (b"date,price\n2024-01-01,5\n", "missing columns open, high, low, close; there are: date, price"),
        (b"PAR1 this is torn", "cannot be read"),
        (
            b"timestamp,open,high,low,close,volume\n2024-01-01,1,2,1,NA,5\n",
            "close is missing, NaN or infinite at line 2",
        ),
    ],
)
def test_broken_files(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / ("broken.parquet" if content.startswith(b"PAR1") else "broken.csv")
    path.write_bytes(content)
    with pytest.raises(BarsError, match=message):
        ms.load(path)


def test_a_late_decimal_does_not_disturb_the_types(tmp_path: Path) -> None:
    rows = [f"{1_600_000_000 + 3_600 * i},5,6,4,5,{i if i < 20_000 else i + 0.5}" for i in range(20_010)]
    path = tmp_path / "long.csv"
    path.write_text("unix,open,high,low,close,volume\n" + "\n".join(rows))
    assert ms.load(path).volume[-1] == 20_009.5


def test_no_such_file(tmp_path: Path) -> None:
    write(tmp_path / "prices.csv")
    with pytest.raises(BarsError, match=r"there is no file .*price\.csv.*prices\.csv"):
        ms.load(tmp_path / "price.csv")
    with pytest.raises(BarsError, match=r"there is no file .* folder"):
        ms.load(tmp_path / "nowhere" / "prices.csv")
    for name in ("a" * 5_000, "a\0b"):
        with pytest.raises(BarsError, match="nothing is called"):
            ms.load(name)
        for ending in (".csv", ".parquet"):
            with pytest.raises(BarsError, match="there is no file"):
                ms.load(name + ending)


@pytest.mark.parametrize("name", ["AAPL", "", "BTCUSD 1h", "prices.doc"])
def test_what_nothing_is_called(name: str) -> None:
    with pytest.raises(
        MaestroError,
        match=r"nothing is called .*give a sample \(sample:AAPL, .*\), a file \(CSV, Parquet, .*\), or PROVIDER:",
    ):
        ms.load(name)


def test_options_that_make_no_sense_are_refused() -> None:
    with pytest.raises(BarsError, match="sample:AAPL has no use for symbol; leave it out"):
        ms.load("sample:AAPL", symbol="AAPL")
    assert ms.load("sample:AAPL", adjusted=False, periods_per_year=365).periods_per_year == 365


def test_an_empty_range() -> None:
    with pytest.raises(BarsError, match="no bar from 2030-01-01 on; the bars run from 2000-03-01"):
        ms.load("sample:AAPL", start="2030-01-01")


def test_real_files(real_file: Any) -> None:
    bars = ms.load(real_file("bitstamp_BTCUSD_1h_2018-2024.csv.gz"), provider="BITSTAMP", symbol="BTC/USD")
    assert (len(bars), bars.timeframe) == (57_379, "1h")
    assert f"{bars.start:%Y-%m-%d %H} {bars.end:%Y-%m-%d %H}" == "2018-05-15 06 2024-11-30 00"
    assert "newest first" in bars.notes[0]
    assert len(ms.load(f"{real_file('bitfinex_7sym_1h.parquet')}#ETHUSD", start="2018", end="2019-01-01")) == 8_759
    assert len(ms.load(real_file("backtrader_2006-day-001.txt"), periods_per_year=252)) == 255


@pytest.mark.parametrize(
    "bars",
    [
        ms.load_sample("AAPL", adjusted=False)[10:400],
        ms.synthetic_bars(300, timeframe="4h"),
        ms.Bars.from_frame(ms.synthetic_bars(50).to_frame(), provider="X", symbol="../<b>", periods_per_year=9),
    ],
)
def test_written_bars_are_loaded_as_they_were(bars: ms.Bars, tmp_path: Path) -> None:
    bars.outages = ((1, 2),)
    bars.write_parquet(tmp_path / "some.parquet")
    again = ms.load(tmp_path / "some.parquet")
    assert again.fingerprint == bars.fingerprint
    assert again.origin == f"ms.load({str(tmp_path / 'some.parquet')!r})"
    for name in ("name", "timeframe", "periods_per_year", "synthetic", "notes", "outages"):
        assert getattr(again, name) == getattr(bars, name)
    assert ms.load(tmp_path / "some.parquet", symbol="OTHER").symbol == "OTHER"
    with pytest.raises(SettingsError, match="is there already"):
        bars.write_parquet(tmp_path / "some.parquet")
    with pytest.raises(SettingsError, match=r"does not end in \.parquet"):
        bars.write_parquet(tmp_path / "some.csv")
