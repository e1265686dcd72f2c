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


def write(path: Path, symbols: tuple[str, ...] = (), n: int = 48) -> Path:
    frame = ms.synthetic_bars(n, seed=3).to_frame()
    if symbols:
        frame = pl.concat([frame.with_columns(symbol=pl.lit(one)) for one in symbols])
    if path.suffix == ".parquet":
        frame.write_parquet(path)
    else:
        frame.with_columns(pl.col("timestamp").dt.to_string("iso:strict")).write_csv(path)
    return path


# -- samples --------------------------------------------------------------------------------


def test_every_sample_is_what_its_line_says() -> None:
    table = ms.samples()
    assert table["name"].to_list() == ["AAPL", "FB", "GOOG", "IBM", "MSFT"]
    for name, line in table.iter_rows():
        bars = ms.load_sample(name)
        assert f"{len(bars):,} bars from {bars.start:%Y-%m-%d} to {bars.end:%Y-%m-%d}" in line
        assert (bars.timeframe, bars.periods_per_year, bars.symbol, bars.synthetic) == ("1d", 252, name, False)
        assert "252 trading days a year" in bars.notes[0]
        assert ms.load(f"sample:{name}").fingerprint == bars.fingerprint


def test_samples_are_adjusted_unless_asked_for_raw() -> None:
    raw, adjusted = ms.load_sample("MSFT", adjusted=False), ms.load_sample("MSFT")
    assert raw.close[0] == 90.81
    assert adjusted.close[0] == pytest.approx(30.225709797294, rel=1e-12)
    np.testing.assert_allclose(raw.close * raw.volume, adjusted.close * adjusted.volume, rtol=1e-12)
    assert (raw.close[1:] / raw.close[:-1]).min() < 0.55, "the split of 2003"
    assert (adjusted.close[1:] / adjusted.close[:-1]).min() > 0.8
    np.testing.assert_allclose(raw.high / raw.low, adjusted.high / adjusted.low, rtol=1e-12)
    assert "a split" in raw.notes[0] or "splits look like crashes" in raw.notes[0]


def test_the_sample_stays_the_same() -> None:
    assert ms.load_sample("AAPL").fingerprint == "48a17212290f2a0255b467c02cb0ccd5b320015ed4a219fc36f45c7aafd84e96"


@pytest.mark.parametrize(
    ("name", "said"), [("APPL", "Did you mean 'AAPL'"), ("", "there are: AAPL, FB, GOOG, IBM, MSFT")]
)
def test_unknown_sample(name: str, said: str) -> None:
    for call in (lambda: ms.load_sample(name), lambda: ms.load(f"sample:{name}")):
        with pytest.raises(BarsError, match=f"there is no sample '{name}'.*{said}"):
            call()


# -- files ----------------------------------------------------------------------------------


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


def test_a_file_stored_newest_first_is_turned_round_and_says_so(tmp_path: Path) -> None:
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
    ("content", "said"),
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
def test_broken_files(tmp_path: Path, content: bytes, said: str) -> None:
    path = tmp_path / ("broken.parquet" if content.startswith(b"PAR1") else "broken.csv")
    path.write_bytes(content)
    with pytest.raises(BarsError, match=said):
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
    with pytest.raises(BarsError, match="no bar between 2030-01-01 and None; the bars run from 2000-03-01"):
        ms.load("sample:AAPL", start="2030-01-01")


def test_real_files(real_file: Any) -> None:
    bars = ms.load(real_file("bitstamp_BTCUSD_1h_2018-2024.csv.gz"), provider="BITSTAMP", symbol="BTC/USD")
    assert (len(bars), bars.timeframe) == (57_379, "1h")
    assert f"{bars.start:%Y-%m-%d %H} {bars.end:%Y-%m-%d %H}" == "2018-05-15 06 2024-11-30 00"
    assert "newest first" in bars.notes[0]
    assert len(ms.load(f"{real_file('bitfinex_7sym_1h.parquet')}#ETHUSD", start="2018", end="2019-01-01")) == 8_759
    assert len(ms.load(real_file("backtrader_2006-day-001.txt"), periods_per_year=252)) == 255


# -- the configured store -------------------------------------------------------------------


def test_a_stored_series(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from maestro.data.stores import SeriesKey, configured_store

    monkeypatch.setenv("MAESTRO_STORE", str(tmp_path / "store"))
    walk = ms.synthetic_bars(48, seed=3)
    configured_store().append(SeriesKey("TEST", "WALK", "1h"), walk.to_frame())
    bars = ms.load("TEST:WALK:1h", periods_per_year=252)
    assert (bars.fingerprint, bars.name, bars.periods_per_year) == (walk.fingerprint, "TEST:WALK:1h", 252)
    part = ms.load("TEST:WALK:1h", start="2020-01-01 06:00", end="2020-01-02")
    assert part.fingerprint == walk[6:24].fingerprint
    assert eval(part.origin, {"ms": ms}).fingerprint == part.fingerprint
    with pytest.raises(BarsError, match=r"holds no bars of TEST:WALKS:1h; `maestro data fetch TEST WALKS 1h`"):
        ms.load("TEST:WALKS:1h")
    with pytest.raises(BarsError, match="no bar of TEST:WALK:1h from 2030"):
        ms.load("TEST:WALK:1h", start="2030")


# -- a random walk --------------------------------------------------------------------------


def test_a_random_walk_is_the_same_on_every_machine() -> None:
    bars = ms.synthetic_bars(1_000, seed=7)
    assert bars.fingerprint == "4bcaa26343f3930bbaa38b11b79692539ea3f71ba6198f9563274677f88292ad"


def test_a_random_walk_says_that_it_is_one() -> None:
    bars = ms.synthetic_bars(100, seed=7, timeframe="4h")
    assert (bars.synthetic, bars.name, bars.timeframe) == (True, "SYNTHETIC:WALK-7:4h", "4h")
    assert "synthetic" in repr(bars)
    assert bars[5:50].synthetic
    assert any(
        "synthetic" in note for note in ms.backtest(bars, "EmaCrossStrategy", params={"fast": 5, "slow": 20}).notes
    )


def test_seeds_differ_and_a_longer_walk_begins_elsewhere() -> None:
    assert ms.synthetic_bars(100, seed=1).fingerprint != ms.synthetic_bars(100, seed=2).fingerprint
    assert ms.synthetic_bars(100).fingerprint == ms.synthetic_bars(100, seed=0, timeframe="60m").fingerprint


@pytest.mark.parametrize("timeframe", ["1m", "1h", "1d"])
def test_a_random_walk_looks_like_a_market(timeframe: str) -> None:
    moves, clustered, kurtosis = [], [], []
    for seed in range(8):
        bars = ms.synthetic_bars(5_000, seed=seed, timeframe=timeframe)
        log = np.diff(np.log(bars.close))
        moves.append(log.std() * np.sqrt(bars.periods_per_year))
        clustered.append(np.corrcoef(np.abs(log[1:]), np.abs(log[:-1]))[0, 1])
        kurtosis.append(((log - log.mean()) ** 4).mean() / log.var() ** 2)
        assert np.corrcoef(np.abs(log), bars.volume[1:])[0, 1] > 0.3, "large moves trade more"
        assert abs(np.corrcoef(log[1:], log[:-1])[0, 1]) < 0.08, "nothing to predict"
        assert abs(log.mean()) < 4 * log.std() / np.sqrt(len(log)), "no drift"
    assert np.mean(moves) == pytest.approx(0.6, rel=0.1)
    assert np.mean(clustered) > 0.1
    assert np.mean(kurtosis) > 3.3


def test_a_random_walk_of_wild_bars_stays_above_zero() -> None:
    bars = ms.synthetic_bars(2_000, seed=1, timeframe="52w")
    assert bars.low.min() > 0


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"n": 1}, "n=1 is not a whole number of at least 2"),
        ({"n": 10.5}, "n=10.5 is not a whole number"),
        ({"n": True}, "n=True is not a whole number"),
        ({"n": "10"}, "n='10' is not a whole number"),
        ({"seed": -1}, "seed=-1 is not a whole number of at least 0"),
        ({"seed": None}, "seed=None is not"),
    ],
)
def test_impossible_walks(arguments: dict[str, Any], said: str) -> None:
    with pytest.raises(SettingsError, match=said):
        ms.synthetic_bars(**arguments)


def test_a_walk_of_an_impossible_timeframe() -> None:
    with pytest.raises(BarsError, match="timeframe 'hour' is not understood"):
        ms.synthetic_bars(10, timeframe="hour")


# -- where bars come from -------------------------------------------------------------------


def test_bars_know_the_expression_that_gives_them_again(tmp_path: Path) -> None:
    path = write(tmp_path / "two.parquet", ("BTCUSDT", "ETHUSDT"))
    made = [
        ms.load("sample:AAPL", start="2010", end="2011-06-01"),
        ms.load_sample("IBM", adjusted=False)[100:-5],
        ms.synthetic_bars(50, seed=3)[:48].resample("4h"),
        ms.load(path, symbol="ETHUSDT", start="2020-01-01 06:00"),
        ms.load(f"{path}#BTCUSDT", provider="P").between("2020-01-02"),
    ]
    for bars in made:
        again = eval(bars.origin, {"ms": ms})
        assert (again.fingerprint, again.name, again.origin) == (bars.fingerprint, bars.name, bars.origin)
    assert ms.Bars.from_frame(made[0].to_frame())[3:].origin == ""


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
