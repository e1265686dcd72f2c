"""A universe from every kind of source gives the same bars."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl
import pytest

import maestro as ms
from maestro.bars import Bars
from maestro.bars.universe import universe
from maestro.data.stores import SeriesKey, configured_store
from maestro.errors import BarsError, SettingsError

SYMBOLS = ("AAA", "BBB", "CCC")


@pytest.fixture(scope="module")
def bars() -> dict[str, Bars]:
    return {name: ms.synthetic_bars(50 + k, k, "1d") for k, name in enumerate(SYMBOLS)}


@pytest.fixture(scope="module")
def long(bars: dict[str, Bars]) -> pl.DataFrame:
    parts = [one.to_frame().with_columns(symbol=pl.lit(name)) for name, one in bars.items()]
    return pl.concat(parts).sample(fraction=1.0, shuffle=True, seed=1).sort("timestamp", maintain_order=True)


def sources(bars: dict[str, Bars], long: pl.DataFrame, folder: Path) -> dict[str, Any]:
    (folder / "each").mkdir()
    for name, one in bars.items():
        one.to_frame().write_csv(folder / "each" / f"{name}.csv")
    long.write_parquet(folder / "long.parquet")
    long.write_csv(folder / "long.csv")
    return {
        "mapping of bars": bars, "mapping of frames": {name: one.to_frame() for name, one in bars.items()},
        "frame": long, "pandas": long.to_pandas(), "lazy": long.lazy(), "folder": folder / "each",
        "parquet": folder / "long.parquet", "csv": str(folder / "long.csv"),
        "names": [str(folder / f"long.parquet#{name}") for name in SYMBOLS],
    }  # fmt: skip


def test_every_source_gives_the_same_bars(bars: dict[str, Bars], long: pl.DataFrame, tmp_path: Path) -> None:
    for kind, source in sources(bars, long, tmp_path).items():
        found = universe(source, timeframe=None if kind == "mapping of bars" else "1d")
        assert found.symbols == SYMBOLS, kind
        assert [one.fingerprint for one in found.values()] == [bars[name].fingerprint for name in SYMBOLS], kind


def test_a_series_of_a_long_file_can_be_read_again_alone(long: pl.DataFrame, tmp_path: Path) -> None:
    long.write_parquet(tmp_path / "long.parquet")
    one = universe(tmp_path / "long.parquet", timeframe="1d")["BBB"]
    assert eval(one.origin, {"ms": ms}).fingerprint == one.fingerprint


def test_stored_series_are_found_by_a_pattern(
    bars: dict[str, Bars], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MAESTRO_STORE", str(tmp_path / "store"))
    store = configured_store()
    for name, one in bars.items():
        store.append(SeriesKey("TEST", name, "1d"), one.to_frame())
    found = universe("TEST:*:1d")
    assert found.symbols == SYMBOLS
    assert found["AAA"].fingerprint == bars["AAA"].fingerprint
    assert universe("TEST:[AB]*:1d").symbols == ("AAA", "BBB")
    assert universe(["TEST:AAA:1d", "sample:IBM"]).symbols == ("AAA", "IBM")
    with pytest.raises(BarsError, match=r"holds no bars of OTHER:\*:1d.*TEST:AAA:1d"):
        universe("OTHER:*:1d")


def test_wide_frames_are_read_by_symbol(bars: dict[str, Bars]) -> None:
    frames = [
        one.to_frame().rename(lambda c, n=name: c if c == "timestamp" else f"{c}_{n}") for name, one in bars.items()
    ]
    wide = frames[0].join(frames[1], on="timestamp")
    found = universe(wide)
    assert found.symbols == ("AAA", "BBB")
    assert len(found["BBB"]) == 50


def test_a_broken_series_does_not_stop_the_others(bars: dict[str, Bars], tmp_path: Path) -> None:
    bars["AAA"].to_frame().write_csv(tmp_path / "good.csv")
    (tmp_path / "bad.csv").write_text("timestamp,open\n2020-01-01,1\n")
    found = universe(tmp_path)
    assert found.symbols == ("good",)
    assert list(found.errors) == ["bad"]
    (tmp_path / "good.csv").unlink()
    with pytest.raises(BarsError, match="none of 1 symbols can be used; the first, bad"):
        universe(tmp_path)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: universe(7), SettingsError, "cannot be made of a int"),
        (lambda: universe({"A": 7}), SettingsError, "value of 'A' is a int"),
        (lambda: universe({}), BarsError, "no symbol"),
        (lambda: universe(pl.DataFrame({"timestamp": [1], "close": [1.0]})), BarsError, "no column tells symbols"),
        (lambda: universe(["sample:IBM", "sample:IBM"]), SettingsError, "two series are called 'IBM'"),
        (lambda: universe(["sample:IBM"], symbols=["IBN"]), SettingsError, "no symbol 'IBN'; it has IBM.*IBM"),
        (lambda: universe(["sample:IBM"], symbols="IBM"), SettingsError, "is one text"),
        (lambda: universe({"A": ms.load_sample("IBM")}, zone="UTC"), SettingsError, "has no use for zone"),
    ],
)
def test_what_is_not_a_universe_is_refused(call: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        call()


def test_an_empty_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BarsError, match="holds no data file"):
        universe(tmp_path)


def test_the_range_and_the_symbols_are_chosen() -> None:
    found = universe(["sample:IBM", "sample:AAPL"], symbols=["AAPL"], start="2010", end="2011")
    assert found.symbols == ("AAPL",)
    assert found.start.year == 2010
    assert found.end.year == 2010
