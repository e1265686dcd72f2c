"""``maestro backtest`` prints and writes what `ms.backtest` gives, of files and of user-defined strategies."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import polars as pl

import maestro as ms
from tests.cli.commands import OWN, Done, fits


def test_backtest_gives_the_figures_of_the_library(run: Callable[..., Done]) -> None:
    arguments = ("backtest", "EmaCrossStrategy", "-d", "sample:AAPL", "-p", "fast=20", "--param", "slow=60")
    document = json.loads(run(*arguments, "--fee", "0.002", "--sizing", "percent:0.5", "--json").out)
    direct = ms.backtest(
        ms.load_sample("AAPL"), "EmaCrossStrategy", params={"fast": 20, "slow": 60},
        costs=ms.Costs(0.002, 0.0005), sizing=ms.Sizing.percent(0.5),
    )  # fmt: skip
    assert document["metrics"] == direct.metrics
    assert document["params"] == {"fast": 20, "slow": 60}
    assert document["bars"]["fingerprint"] == direct.bars.fingerprint
    shown = run(*arguments)
    assert fits(shown.out)
    assert "buy and hold" in shown.out
    assert "252 trading days" in shown.out
    assert shown.err == ""


def test_backtest_of_a_file_and_its_tables(run: Callable[..., Done], tmp_path: Path) -> None:
    frame = ms.synthetic_bars(400, seed=1).to_frame()
    both = pl.concat([frame.with_columns(symbol=pl.lit(one)) for one in ("AAA", "BBB")])
    both.write_parquet("two.parquet")
    tables = ("--trades", "trades.csv", "--equity", "equity.parquet")
    arguments = ("backtest", "--strategy", "RSIStrategy", "-d", "two.parquet", "--symbol", "BBB", "--end", "2020-01-15")
    document = json.loads(run(*arguments, *tables, "--periods-per-year", "8766", "--json").out)
    assert (document["bars"]["symbol"], document["bars"]["n"], document["bars"]["periods_per_year"]) == (
        "BBB",
        336,
        8766,
    )
    assert len(pl.read_parquet(tmp_path / "equity.parquet")) == 336
    assert "exit_reason" in pl.read_csv(tmp_path / "trades.csv").columns
    assert run(*arguments, "--trades", "trades.txt").code == 2
    coarse = run(*arguments, "--start", "2020-01-01 01:00", "-p", "period=5", "--resample", "4h", "--json")
    assert json.loads(coarse.out)["bars"]["timeframe"] == "4h"
    assert any("unfinished first 4h bar" in note for note in json.loads(coarse.out)["notes"])
    assert coarse.err == ""


def test_own_strategy_from_a_file(run: Callable[..., Done], tmp_path: Path) -> None:
    (tmp_path / "own.py").write_text(OWN)
    for name in ("own.py:Above", "own.py", str(tmp_path / "own.py:Above")):
        arguments = ("backtest", name, "-d", "sample:IBM", "-p", "n=30", "-p", "kind=ema", "-p", "loud=yes", "--json")
        document = json.loads(run(*arguments).out)
        assert document["params"] == {"n": 30, "kind": "ema", "loud": True}
    assert "bars of the average" in run("strategies", "own.py:Above").out
