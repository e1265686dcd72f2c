"""Commands of a screen: they are understood by the command line, and say the same as the screen."""

from __future__ import annotations

import json
import shlex
from typing import Any

import pytest

from maestro.apps.backtest.state import BacktestState
from maestro.apps.many.state import ManyState
from maestro.apps.market.state import MarketState
from maestro.apps.runs.state import RunsState
from maestro.apps.shared.command import command_of, range_text
from maestro.apps.walk_forward.state import WalkForwardState
from maestro.cli import main, parsing
from maestro.strategies import by_name


def test_words_are_quoted_and_empty_options_left_out() -> None:
    line = command_of(["backtest", "A B"], {"data": "a file's.csv", "start": None, "fee": -0.0001, "p": ["x=1", "y=2"]})
    assert shlex.split(line) == [
        "maestro", "backtest", "A B", "--data", "a file's.csv", "--fee=-0.0001", "--p", "x=1", "--p", "y=2",
    ]  # fmt: skip


def test_the_command_of_a_backtest_gives_its_numbers(capsys: pytest.CaptureFixture[str]) -> None:
    from maestro.apps.backtest import App

    app = App(params={"fast": 7, "slow": 40}, fee=0.002, sizing="percent:0.5", cash=5_000.0, start="2004", end="2010")
    with pytest.raises(SystemExit) as ended:
        main([*shlex.split(app.state.command())[1:], "--json"])
    assert not ended.value.code
    assert app.view._shown is not None
    metrics = json.loads(capsys.readouterr().out)["metrics"]
    assert metrics["sharpe_ratio"] == app.view._shown.bt.metrics["sharpe_ratio"]


@pytest.mark.parametrize(
    ("given", "text"),
    [
        ([5, 50], "5:50"), ((0.1, 2.0, 0.1), "0.1:2.0:0.1"), ({"low": 1, "high": 9, "log": True}, "1:9:log"),
        ({"low": 1, "high": 9, "step": 2, "log": False}, "1:9:2"), ({"options": ["a", "b"]}, "a,b"),
        ([5, 8, 13, 21], "5,8,13,21"), (["mean", "last"], "mean,last"), ({"low": 1}, None), (7, None),
    ],
)  # fmt: skip
def test_ranges_are_written_as_the_command_line_takes_them(given: Any, text: str | None) -> None:
    assert range_text(given) == text


def test_the_command_of_a_walk_forward_has_all_that_differs() -> None:
    state = WalkForwardState(space={"fast": [5, 20]}, params={"slow": 90}, trials=7, splitter="rolling:4,2,1")
    words = shlex.split(state.command())
    assert words[:3] == ["maestro", "walk-forward", "EmaCrossStrategy"]
    options = dict(zip(words[3::2], words[4::2], strict=True))
    assert (options["--trials"], options["--splitter"], options["--param"]) == ("7", "rolling:4,2,1", "slow=90")
    cls = by_name("EmaCrossStrategy")
    assert parsing.read_space(cls, [options["--space"]], {"slow": 90}) == {"fast": (5, 20)}
    state.space = {"fast": {"low": 3}}
    assert state.command() == "The command line has no form for the range of fast; use the lines of Python."


def test_bars_per_year_are_an_option_of_a_backtest_only() -> None:
    assert BacktestState(periods_per_year=365.0).command().endswith(" --periods-per-year 365.0")
    assert "use the lines of Python" in WalkForwardState(periods_per_year=365.0).command()


def test_every_app_has_a_command() -> None:
    assert BacktestState().command().startswith("maestro backtest EmaCrossStrategy --data sample:AAPL --fee 0.001")
    assert MarketState(data="prices.csv#ETH").command() == "maestro data check prices.csv --symbol ETH"
    assert MarketState(data="prices.csv", start="2020").command() == (
        "maestro report 02_data_and_defects --param regimes=false --param data=prices.csv --param start=2020"
    )
    assert RunsState(runs=["a1", "b2"], runs_dir="r").command() == (
        "maestro runs show a1 --runs-dir r\nmaestro runs show b2 --runs-dir r"
    )
    assert RunsState().command() == "maestro runs list --runs-dir runs"
    assert ManyState(result="x").command().startswith("maestro report 13_walk_forward_many --param ")
