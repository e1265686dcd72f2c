"""Trades as returns on the account: by hand, by fold, up to ruin."""

from __future__ import annotations

from types import SimpleNamespace

import polars as pl
import pytest

from maestro.errors import SettingsError
from maestro.validation.trades.account import account_trades


def result(*rows: tuple[int, int, float, str], cash: float = 1_000.0) -> SimpleNamespace:
    """A result with trades: fold, time of the exit, pnl, reason of the exit."""
    trades = pl.DataFrame(rows, schema=["fold", "exit_time", "pnl", "exit_reason"], orient="row")
    return SimpleNamespace(trades=trades, cash=cash)


def test_a_return_is_on_the_equity_before_the_trade() -> None:
    found = account_trades(result((0, 2, 110.0, "signal"), (0, 1, 100.0, "stop"), (0, 3, 5.0, "open")))
    assert found.returns.tolist() == [0.1, 0.1]  # in order of their exits, the open one left out
    assert found.table["exit_time"].to_list() == [1, 2]
    assert len(found) == 2
    assert not found.ruined


def test_each_fold_starts_from_the_same_cash() -> None:
    found = account_trades(result((0, 1, 500.0, "signal"), (1, 2, 100.0, "signal")))
    assert found.returns.tolist() == [0.5, 0.1]


def test_nothing_follows_ruin() -> None:
    found = account_trades(result((0, 1, -1_200.0, "stop"), (0, 2, 50.0, "signal")))
    assert found.returns.tolist() == [-1.0]
    assert found.ruined


def test_what_has_no_trades_is_refused() -> None:
    with pytest.raises(SettingsError, match="int has no table of trades; give a walk-forward or a backtest"):
        account_trades(5)
