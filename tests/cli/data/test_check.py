"""``maestro data check`` names what is odd in stored series and files; its exit code says whether it is fatal."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest

import maestro as ms
from maestro.data.stores import SeriesKey
from maestro.data.stores.parquet import ParquetStore
from maestro.testing import FakeExchange
from tests.cli.commands import Done, fits
from tests.cli.data.conftest import BARS, dates
from tests.support.exchange.truth import stamp_us

LOW_ABOVE_HIGH = BARS.with_columns(low=pl.when(pl.int_range(pl.len()) == 7).then(1e9).otherwise("low"))


@pytest.fixture
def stored(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ParquetStore:
    """The configured store, empty."""
    monkeypatch.setenv("MAESTRO_STORE", str(tmp_path / "store"))
    return ParquetStore(tmp_path / "store")


def test_an_outage_is_distinguished_from_a_missing_download(
    run: Callable[..., Done], exchange: FakeExchange, tmp_path: Path
) -> None:
    exchange.market.series["BTCUSDT", "bars", "1h"] = BARS.filter(~pl.int_range(pl.len()).is_between(100, 119))
    fetched = run("data", "fetch", "BINANCE", "BTCUSDT", "1h", *dates(), "-q")
    assert (fetched.code, "has no rows from" in fetched.out) == (0, True)
    store = ParquetStore(tmp_path / "store")
    store.delete(SeriesKey("BINANCE", "BTCUSDT", "1h"), stamp_us(BARS, 300), stamp_us(BARS, 310))
    done = run("data", "check", "BINANCE:BTCUSDT:1h", "--json")
    assert done.code == 0
    [checked] = json.loads(done.out)
    found = {finding["check"]: finding for finding in checked["findings"]}
    assert found["exchange outage"]["severity"] == "info"
    assert found["exchange outage"]["first"] == BARS["timestamp"][100].isoformat()
    assert found["gap"]["severity"] == "warning"
    assert found["gap"]["first"] == BARS["timestamp"][300].isoformat()
    assert re.match(r"BINANCE:BTCUSDT:1h +470 .* 1$", run("data", "ls").out.splitlines()[1])
    again = run("data", "fetch", "BINANCE", "BTCUSDT", "1h", *dates(), "-q", "--json")
    assert json.loads(again.out)[0]["added"] == 10


def test_a_file_without_and_with_unusable_rows(run: Callable[..., Done], tmp_path: Path) -> None:
    BARS.reverse().write_parquet(tmp_path / "KRAKEN_BTCUSD.parquet")
    done = run("data", "check", "KRAKEN_BTCUSD.parquet")
    assert (done.code, done.err) == (0, "")
    assert done.out.startswith("KRAKEN_BTCUSD.parquet: no anomalies were found\n")
    assert "24 hours, 7 days a week" in done.out
    LOW_ABOVE_HIGH.write_parquet(tmp_path / "KRAKEN_BTCUSD.parquet")
    done = run("data", "check", "KRAKEN_BTCUSD.parquet")
    assert done.code == 1
    assert "fatal   unusable rows, 1 times" in done.out
    assert fits(done.out)
    [document] = json.loads(run("data", "check", "KRAKEN_BTCUSD.parquet", "--json").out)
    assert (document["name"], document["fatal"], document["calendar"]) == ("KRAKEN_BTCUSD.parquet", True, None)


def test_all_stored_bars_are_checked_where_no_name_is_given(run: Callable[..., Done], stored: ParquetStore) -> None:
    stored.append(SeriesKey("KRAKEN", "BTCUSD", "1h"), LOW_ABOVE_HIGH)  # what a store holds need not be bars
    stored.append(SeriesKey("KRAKEN", "ETHUSD", "1h"), BARS)
    done = run("data", "check", "--json")
    assert done.code == 1
    assert {one["name"]: one["ok"] for one in json.loads(done.out)} == {
        "KRAKEN:BTCUSD:1h": False, "KRAKEN:ETHUSD:1h": True,
    }  # fmt: skip
    assert run("data", "check", "KRAKEN:ETHUSD:1h").code == 0


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ((), "no bars are stored in parquet:"),
        (("none.csv",), "there is no file none.csv"),
        (("folder",), "folder is a folder; give a file, or a series as PROVIDER:SYMBOL:TIMEFRAME"),
        (("KRAKEN:BTCUSD:1d",), "no bars are stored as KRAKEN:BTCUSD:1d; see maestro data ls."),
        (("KRAKEN:BTCUSD",), "'KRAKEN:BTCUSD' does not name a series; give PROVIDER:SYMBOL:TIMEFRAME"),
        (("text.csv",), "text.csv has no rows of dates and numbers"),
    ],
)
def test_bad_input_is_one_line(
    run: Callable[..., Done], stored: ParquetStore, tmp_path: Path, words: tuple[str, ...], message: str
) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "text.csv").write_text("hello")
    done = run("data", "check", *words)
    assert (done.code, done.out, done.err.count("\n")) == (2, "", 1)
    assert message in done.err


def test_a_name_that_is_nearly_right_is_suggested(run: Callable[..., Done], stored: ParquetStore) -> None:
    stored.append(SeriesKey("KRAKEN", "BTCUSD", "1h"), BARS)
    done = run("data", "check", "KRAKEN:BTCUSD:1d")
    assert (done.code, "Did you mean 'KRAKEN:BTCUSD:1h'" in done.err) == (2, True)


def test_a_picture_shows_one_series(run: Callable[..., Done], tmp_path: Path) -> None:
    bars = ms.synthetic_bars(100, seed=1).to_frame()
    for name in ("prices.csv", "other.csv"):
        bars.with_columns(pl.col("timestamp").dt.to_string("iso:strict")).write_csv(tmp_path / name)
    done = run("data", "check", "prices.csv", "--picture", "q.html")
    assert (done.code, done.err) == (0, "picture: q.html\n")
    assert (tmp_path / "q.html").stat().st_size > 100_000
    two = run("data", "check", "prices.csv", "other.csv", "--picture", "x.html")
    assert (two.code, two.out) == (2, "")
    assert "--picture shows one series, and these are 2; name one: prices.csv, other.csv" in two.err
    LOW_ABOVE_HIGH.write_parquet(tmp_path / "bad.parquet")
    bad = run("data", "check", "bad.parquet", "--picture", "x.html")
    assert (bad.code, "has rows that are not valid bars, nothing to draw" in bad.err) == (2, True)
    assert not (tmp_path / "x.html").exists()
