"""Parity: all strategies through the engines on real bars, differences that are found, and the command."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from typing import Any

import numpy as np
import polars as pl
import pytest
from typer.testing import CliRunner

import maestro as ms
from maestro.bars import Bars
from maestro.cli import app
from maestro.errors import SettingsError
from maestro.validation.parity.compare import DEFAULT_SETTINGS, EXACT, compare, difference, parity, within_a_bar
from tests.engine.libraries import library
from tests.strategies import markets

library("vectorbt", "vectorbt")
library("backtrader", "legacy")

SERIES: dict[str, Callable[[], Bars]] = {
    "AAPL": lambda: ms.load_sample("AAPL")[-1_000:],
    "IBM": lambda: ms.load_sample("IBM")[-1_000:],
    "MSFT": lambda: ms.load_sample("MSFT")[:1_000],
    "BTCUSD": lambda: markets.bitfinex("BTCUSD")[:1_500],
    "BTCUSDT": lambda: markets.perpetual("BTCUSDT", "4h")[-1_200:],
}


@pytest.mark.parametrize("name", SERIES)
def test_all_strategies_agree(name: str) -> None:
    """No tolerance is wider than what is asked, and what was reached is far below it."""
    bars = SERIES[name]()
    result = parity([bars])
    table = result.table
    assert table.height == 44
    assert result.passed, result.failures
    both = table.filter(pl.col("engine") == "vectorbt")
    for column in ("metric_difference", "fill_difference", "equity_difference"):
        assert both[column].max() <= EXACT, column
    theirs = table.filter(pl.col("engine") == "backtrader")
    assert theirs["trades_within_a_bar"].min() == 1.0
    calm = theirs.filter(~pl.col("reason").str.contains("ruined"))
    for column in ("metric_difference", "fill_difference", "equity_difference"):
        assert calm[column].max() <= EXACT, column
    assert table["trades"].sum() > 1_000
    assert (table.filter(pl.col("equity_difference") > EXACT)["reason"] != "").all()


def test_funding_is_paid_in_backtrader_and_left_out_for_vectorbt() -> None:
    bars = SERIES["BTCUSDT"]()
    rows = parity([bars], ["FundingRateArbitrage"]).table
    assert bars.funding_rate is not None
    assert "without funding" in rows["reason"][0]
    assert "without funding" not in rows["reason"][1]
    assert ms.backtest(bars, "FundingRateArbitrage", engine="v1").metrics["funding"] != 0


def short_bars() -> Bars:
    return ms.load_sample("MSFT")[:400]


def test_a_difference_is_found_wherever_it_is() -> None:
    ours = ms.backtest(short_bars(), "MACDStrategy")
    dearer = ms.backtest(short_bars(), "MACDStrategy", costs=ms.Costs(fee=0.00101))
    assert compare(ours, ours).exact
    assert compare(ours, ours).worst == ""
    found = compare(ours, dearer)
    assert not found.exact
    assert found.fill > 1e-3
    assert found.equity_difference > EXACT
    later = ms.strategy("MACDStrategy").signals(short_bars())
    shifted = ms.Signals(
        *(np.roll(f, 3) for f in (later.long_entry, later.long_exit, later.short_entry, later.short_exit))
    )
    moved = compare(ours, ms.backtest(short_bars(), shifted))
    assert moved.fill == math.inf
    assert moved.within_a_bar < 0.5
    assert not moved.close


def test_one_part_in_a_hundred_million_is_not_equal() -> None:
    ours = ms.backtest(short_bars(), "MACDStrategy")
    more = ms.backtest(short_bars(), "MACDStrategy", costs=ms.Costs(slippage=0.0005 * (1 + 2e-5)))
    found = compare(ours, more)
    assert found.close
    assert not found.exact


@pytest.mark.parametrize(
    ("a", "b", "expected"),
    [(1.0, 1.0, 0.0), (math.nan, math.nan, 0.0), (1.0, math.nan, math.inf), (2.0, 1.0, 0.5), (0.0, 0.0, 0.0),
     (0.0, 1e-20, 1.0), (-1.0, 1.0, 2.0), (100.0, 98.0, 0.02)],
)  # fmt: skip
def test_relative_difference(a: float, b: float, expected: float) -> None:
    assert difference(a, b) == difference(b, a) == expected


class Listed:
    """A result of given trades, on 30 bars of a minute."""

    def __init__(self, *legs: tuple[int, int, str]) -> None:
        self.bars: Any = type("Bars", (), {"time": np.arange(30, dtype=np.int64) * 60_000_000})()
        stamp = pl.Datetime("us", "UTC")
        self.trades = pl.DataFrame(
            {
                "entry_time": pl.Series([e * 60_000_000 for e, _, _ in legs], dtype=pl.Int64).cast(stamp),
                "exit_time": pl.Series([x * 60_000_000 for _, x, _ in legs], dtype=pl.Int64).cast(stamp),
                "side": pl.Series([s for _, _, s in legs], dtype=pl.String),
            }
        )


@pytest.mark.parametrize(
    ("ours", "theirs", "share"),
    [
        ([], [], 1.0),
        ([(1, 5, "long")], [], 0.0),
        ([(1, 5, "long")], [(2, 4, "long")], 1.0),
        ([(1, 5, "long")], [(1, 7, "long")], 0.0),
        ([(1, 5, "long")], [(1, 5, "short")], 0.0),
        ([(1, 5, "long"), (2, 5, "long")], [(2, 5, "long"), (3, 5, "long")], 0.5),  # equal ones first: a lower bound
        ([(1, 5, "long"), (1, 5, "long")], [(1, 5, "long")], 0.5),
        ([(1, 5, "long")], [(1, 5, "long"), (9, 12, "long"), (14, 15, "short")], 1 / 3),
    ],
)
def test_trades_within_a_bar(
    ours: list[tuple[int, int, str]], theirs: list[tuple[int, int, str]], share: float
) -> None:
    a: Any = Listed(*ours)
    b: Any = Listed(*theirs)
    assert within_a_bar(a, b) == within_a_bar(b, a) == share


def test_backtrader_default_settings_differs_and_the_reasons_are_found() -> None:
    bars = ms.load_sample("AAPL")[:700]
    result = parity([bars], ["TrendFollowingATR"], engines=["backtrader"], default_settings=True)
    made, plain = result.table.iter_rows(named=True)
    assert made["passed"]
    assert plain["engine"] == DEFAULT_SETTINGS
    assert not plain["passed"]
    assert result.passed  # nothing is asked of backtrader with default settings
    named = [reason.split(" (")[0] for reason in plain["reason"].split("; ")]
    assert {"size", "trail"} <= set(named)
    assert "funding" not in named  # there is none in these bars
    assert "limits" not in named


def test_a_strategy_of_ones_own() -> None:
    class Rising(ms.Strategy):
        def signals(self, bars: Bars) -> ms.Signals:
            return ms.Signals.flip(bars.close > bars.open, bars.close < bars.open)

    table = parity([short_bars()], [Rising]).table
    assert table["strategy"].to_list() == ["Rising", "Rising"]
    assert table["passed"].all()
    assert table["reason"].str.contains("backtrader trades its signals").all()


def test_what_cannot_be_compared_is_refused() -> None:
    with pytest.raises(SettingsError, match="engines: vectorbt, backtrader"):
        parity([short_bars()], engines=["fast"])
    with pytest.raises(SettingsError, match="at least one series"):
        parity([])


def test_the_command(tmp_path: Any) -> None:
    target = tmp_path / "parity.md"
    line = ["parity", "EmaCrossStrategy", "MACDStrategyX", "--data", "sample:MSFT,2000,2002", "--data", "sample:IBM",
            "--start", "2010", "--write", str(target), "--json"]  # fmt: skip
    done = CliRunner().invoke(app, line)
    assert done.exit_code == 0, done.output
    document = json.loads(done.stdout)
    assert document["passed"] is True
    assert len(document["rows"]) == 8
    text = target.read_text("utf-8")
    assert "500 bars, 2000-03-01 to" not in text
    assert "460 bars, 2000-03-01 to 2001-12-31" in text
    assert " parity EmaCrossStrategy MACDStrategyX --data sample:MSFT,2000,2002 --data sample:IBM" in text
