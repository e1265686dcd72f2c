"""``maestro data`` from the shell: fetch, ls, import, export, rm, their exit codes and what a program reads."""

from __future__ import annotations

import json
import os
import re
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from maestro.cli import main
from maestro.config import load_settings
from maestro.data.files import trash
from maestro.data.stores import SeriesKey
from maestro.data.stores.parquet import ParquetStore
from maestro.testing import FakeExchange
from tests.cli.data.conftest import BARS, dates
from tests.support.patience import GIVE_UP

ROOT = Path(__file__).parents[3]


def run(*arguments: object) -> int:
    with pytest.raises(SystemExit) as ended:
        main([str(argument) for argument in ("data", *arguments)])
    return int(ended.value.code or 0)


def document(capsys: pytest.CaptureFixture[str]) -> Any:
    return json.loads(capsys.readouterr().out)


def test_fetch_then_again_then_list(exchange: FakeExchange, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("fetch", "BINANCE", "BTCUSDT,ETHUSDT", "1h", *dates()) == 0
    message = capsys.readouterr()
    assert re.search(r"BINANCE:BTCUSDT:1h +500 +500 +0 +0", message.out)
    assert "1000/1000" in message.err  # the bar: rows, rate, time left
    assert "rows/s" in message.err
    for symbol in ("BTCUSDT", "ETHUSDT"):
        assert ParquetStore(tmp_path / "store").read(SeriesKey("BINANCE", symbol, "1h")).equals(BARS)
    asked = len(exchange.requests)
    assert run("fetch", "BINANCE", "BTCUSDT", "1h", "--to", dates()[3], "--json", "-q") == 0  # from the first stored
    [again] = document(capsys)
    assert (again["received"], again["added"], again["changed"], again["error"]) == (0, 0, 0, None)
    assert len(exchange.requests) == asked
    assert run("ls", "btc", "--json") == 0
    [listed] = document(capsys)["series"]
    assert listed == {
        "series": "BINANCE:BTCUSDT:1h",
        "rows": 500,
        "first": BARS["timestamp"][0].isoformat(),
        "last": BARS["timestamp"][-1].isoformat(),
        "outages": 0,
    }
    assert run("ls") == 0
    assert re.search(r"BINANCE:ETHUSDT:1h +500 ", capsys.readouterr().out)


def test_fetch_of_bars_and_funding(exchange: FakeExchange, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ("BINANCE-PERPETUAL", "BTCUSDT", "1h", "--series", "bars,funding", *dates(), "-q", "--json")
    assert run("fetch", *arguments) == 0
    assert [one["series"] for one in document(capsys)] == [
        "BINANCE-PERPETUAL:BTCUSDT:1h",
        "BINANCE-PERPETUAL:BTCUSDT:funding",
    ]
    stored = ParquetStore(tmp_path / "store").read(SeriesKey.parse("BINANCE-PERPETUAL:BTCUSDT:funding"))
    assert len(stored) == len(exchange.market.series["BTCUSDT", "funding", ""])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("BINANCES", "BTCUSDT", "1h"), "there is no source 'BINANCES'"),
        (("BINANCE", "BTCUSDT", "7h"), "no bars of '7h'"),
        (("BINANCE", "BTCUSDT"), "timeframe '' is not understood"),
        (("BINANCE", "BTC/USDT", "1h"), "BINANCE has no symbol 'BTC/USDT'; it writes them without signs"),
        (("BINANCE", "BTCUSDT,BTCUSDT", "1h"), "is not a list of different symbol names"),
        (("BINANCE", "BTCUSDT", "1h", "--series", "tea"), "series 'tea' is unknown"),
        (("BINANCE", "BTCUSDT", "1h", "--from", "soon"), "'soon'"),
        (("BINANCE", "BTCUSDT", "1h", "--archive", "nowhere"), "is not a folder"),
        (("BITMEX", "XBTUSD", "1h", "--archive", "online"), "archive has files of"),
    ],
)
def test_bad_input_to_fetch(
    exchange: FakeExchange, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], message: str
) -> None:
    assert run("fetch", *arguments) == 2
    assert message in capsys.readouterr().err
    assert not exchange.requests


def test_a_series_that_fails_makes_the_exit_code(exchange: FakeExchange, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("fetch", "BINANCE", "BTCUSDT,NONESUCH", "1h", *dates(), "-q") == 1
    message = capsys.readouterr()
    assert re.search(r"BINANCE:BTCUSDT:1h +500 +500", message.out)
    assert "BINANCE:NONESUCH:1h: " in message.err
    assert "Invalid symbol" in message.err
    assert run("fetch", "BINANCE", "ETHUSDT", "1h", "-q") == 1
    assert "nothing is stored of BINANCE:ETHUSDT:1h yet" in capsys.readouterr().err


def test_fetch_all_updates_every_series_of_a_source(
    exchange: FakeExchange, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("fetch", "--all", "-q") == 0
    assert "nothing is stored of any source" in capsys.readouterr().out
    assert not exchange.requests
    store = ParquetStore(tmp_path / "store")
    key, settlements = SeriesKey("BINANCE", "BTCUSDT", "1h"), SeriesKey("BINANCE-PERPETUAL", "BTCUSDT", "", "funding")
    store.append(key, BARS.head(100))
    store.append(SeriesKey("BINANCE", "NONESUCH", "1h"), BARS.head(3))
    store.append(SeriesKey("BITSTAMP", "BTCUSD", "1h"), BARS.head(3))  # of a file
    assert run("fetch", "--all", "-q") == 1
    message = capsys.readouterr()
    assert re.search(r"BINANCE:BTCUSDT:1h +401 +400", message.out)  # the newest row is asked for again
    assert "BITSTAMP:BTCUSD:1h was imported, and is not fetched" in " ".join(message.out.split())
    assert "BINANCE:NONESUCH:1h: " in message.err
    assert len(store.read(key)) == len(BARS)
    store.delete(SeriesKey("BINANCE", "NONESUCH", "1h"))
    store.append(settlements, pl.DataFrame({"timestamp": BARS["timestamp"].head(1), "funding_rate": [0.1]}))
    store.append(SeriesKey("BINANCE", "ETHUSDT", "7h"), BARS.head(1))  # no timeframe of this source
    assert run("fetch", "--all", "-q", "--json") == 1
    found = {one["series"]: one["error"] for one in document(capsys)}
    assert found.pop("BINANCE:ETHUSDT:7h")
    assert found == {"BINANCE:BTCUSDT:1h": None, str(settlements): None}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--all", "BINANCE"), "--all takes no PROVIDER"),
        (("--all", "--from", "2020"), "--all takes no PROVIDER"),
        ((), "PROVIDER or SYMBOLS is missing"),
        (("BINANCE",), "PROVIDER or SYMBOLS is missing"),
    ],
)
def test_fetch_wants_names_or_all(capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], message: str) -> None:
    assert run("fetch", *arguments) == 2
    assert message in capsys.readouterr().err


def test_import_show_store_export_remove(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    place = ("--store", tmp_path / "store")
    file = tmp_path / "KRAKEN_BTCUSD.csv"
    BARS.rename({"timestamp": "time"}).write_csv(file)
    assert run("import", file, "--dry-run", *place) == 0
    shown = capsys.readouterr().out
    assert "KRAKEN:BTCUSD:1h (bars)" in shown
    assert "timestamp ← time" in shown
    assert not (tmp_path / "store").exists()
    assert run("import", file, *place) == 0
    assert "KRAKEN:BTCUSD:1h: 500 rows new, 0 replaced, 0 there already" in capsys.readouterr().out
    assert run("import", file, "--json", *place) == 0
    [again] = document(capsys)["series"]
    assert (again["name"], again["added"], again["changed"], again["rows"]) == ("KRAKEN:BTCUSD:1h", 0, 0, 500)

    out = tmp_path / "out.parquet"
    assert run("export", "KRAKEN:BTCUSD:1h", out, *place) == 0
    assert pl.read_parquet(out).equals(BARS)
    assert run("export", "KRAKEN:BTCUSD:1h", out, *place) == 2
    assert "is there already" in capsys.readouterr().err
    assert run("export", "KRAKEN:BTCUSD:4h", tmp_path / "b.csv", *place) == 2
    assert "Did you mean 'KRAKEN:BTCUSD:1h'" in capsys.readouterr().err

    assert run("rm", "KRAKEN:BTCUSD:1h", *place) == 2  # nobody is asked, nothing is removed
    assert "--yes" in capsys.readouterr().err
    half = f"{BARS['timestamp'][200]:%Y-%m-%d %H:%M}"
    assert run("rm", "KRAKEN:BTCUSD:1h", "--to", half, "--yes", *place) == 0
    removed, restoring = capsys.readouterr().out.splitlines()
    assert removed == "200 rows of KRAKEN:BTCUSD:1h removed"
    command = shlex.split(restoring.removeprefix("To restore them: maestro data "))
    assert pl.read_parquet(command[1]).equals(BARS[:200])
    assert run(*command, "--yes") == 0  # what is printed brings the rows back
    assert run("export", "KRAKEN:BTCUSD:1h", out, "--force", *place) == 0
    assert pl.read_parquet(out).equals(BARS)
    capsys.readouterr()
    before = sorted((load_settings().state_dir / "trash").iterdir())
    assert run("rm", "KRAKEN:BTCUSD:1h", "--yes", "--for-good", *place) == 0
    assert "restore" not in capsys.readouterr().out
    assert sorted((load_settings().state_dir / "trash").iterdir()) == before
    assert run("ls", *place) == 0
    assert "nothing is stored" in capsys.readouterr().out


def test_remove_of_a_damaged_series_keeps_it_unless_no_copy_is_wanted(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    place = ("--store", tmp_path / "store")
    file = tmp_path / "KRAKEN_BTCUSD.csv"
    BARS.write_csv(file)
    assert run("import", file, *place) == 0
    [part] = (tmp_path / "store").rglob("*.parquet")
    part.write_bytes(part.read_bytes()[:-1])
    capsys.readouterr()
    assert run("rm", "KRAKEN:BTCUSD:1h", "--yes", *place) == 1
    assert "cannot be copied to the trash; --for-good removes them without a copy" in capsys.readouterr().err
    assert part.exists()
    assert run("rm", "KRAKEN:BTCUSD:1h", "--yes", "--for-good", *place) == 0
    assert capsys.readouterr().out == "500 rows of KRAKEN:BTCUSD:1h removed\n"
    assert not part.exists()


def test_remove_keeps_rows_that_came_after_the_copy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    key, store = SeriesKey.parse("KRAKEN:BTCUSD:1h"), ParquetStore(tmp_path / "store")
    store.append(key, BARS[:400])
    copied = trash.to_trash

    def and_then_another_writes(key: SeriesKey, frame: pl.DataFrame) -> Path:
        store.append(key, BARS[400:])
        return copied(key, frame)

    monkeypatch.setattr(trash, "to_trash", and_then_another_writes)
    assert run("rm", str(key), "--yes", "--store", tmp_path / "store") == 1
    assert "was written to meanwhile; nothing was removed" in capsys.readouterr().err
    assert store.read(key).equals(BARS)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("none.csv",), "there is no file none.csv"),
        ((".",), ". is a folder; give a file in it"),
        (("a.csv",), "does not tell its provider and symbol"),
        (("a.csv", "--column", "volume"), "--column 'volume' is not understood"),
        (("a.csv", "--provider", "A B", "--symbol", "BTCUSD"), "provider 'A B' is not allowed"),
        (("a.csv", "--timeframe", "1x"), "timeframe '1x' is not understood"),
        (("a.csv", "--stamps", "middle"), "--stamps"),
        (("a.csv", "--duplicates", "both"), "--duplicates"),
    ],
)
def test_bad_input_to_import(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    arguments: tuple[str, ...],
    message: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    BARS.write_csv("a.csv")
    assert run("import", *arguments, "--store", tmp_path / "store") == 2
    assert message in capsys.readouterr().err
    assert not (tmp_path / "store").exists()


def test_ctrl_c_keeps_what_has_come(exchange: FakeExchange, tmp_path: Path) -> None:
    exchange.latency = 0.15
    command = [
        sys.executable,
        "-c",
        "from maestro.cli import main; main()",
        "data",
        "fetch",
        "BINANCE",
        "BTCUSDT",
        "1h",
    ]
    process = subprocess.Popen(
        [*command, *dates()], stderr=subprocess.PIPE, text=True, env={**os.environ, "PYTHONPATH": str(ROOT)}
    )
    while len(exchange.requests) < 4:  # of five
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    _, message = process.communicate(timeout=GIVE_UP)
    assert process.returncode == 130
    assert "what has arrived is stored; run the same command to continue" in message
    stored = ParquetStore(tmp_path / "store").read(SeriesKey("BINANCE", "BTCUSDT", "1h"))
    assert len(stored) in (200, 300, 400)
    assert stored.equals(BARS.head(len(stored)))
