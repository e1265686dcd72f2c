"""Trades as returns on the account: the profit of each closed trade relative to the equity before its exit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from maestro.errors import SettingsError
from maestro.typing import FloatArray


@dataclass(frozen=True)
class AccountTrades:
    """Closed trades in order of their exits, with their return on the account.

    Attributes
    ----------
    table : polars frame
        The result's trades, closed ones only, with ``account_return`` and, for a walk-forward, ``fold``.
    returns : float64[n]
        pnl over the equity before the trade was closed; compounded they give the result's final equity, if every
        trade closed before the next one did.
    cash : float
        Starting cash [currency].
    ruined : bool
        Whether a trade took the whole account; the trades after it are left out.
    """

    table: pl.DataFrame
    returns: FloatArray
    cash: float
    ruined: bool

    def __len__(self) -> int:
        return len(self.returns)


def account_trades(result: Any) -> AccountTrades:
    """Closed trades of a walk-forward (out of sample) or a backtest as returns on the account.

    Each fold of a walk-forward starts from the same cash and its returns are chained, so a trade's return is on its
    own fold's account.

    Raises
    ------
    SettingsError
        Not a result with trades.
    """
    trades = getattr(result, "trades", None)
    if not isinstance(trades, pl.DataFrame) or "pnl" not in trades.columns:
        raise SettingsError(f"{type(result).__name__} has no table of trades; give a walk-forward or a backtest.")
    cash = float(result.cash if hasattr(result, "cash") else result.spec.cash)
    closed = trades.filter(pl.col("exit_reason") != "open")
    keys = [name for name in ("fold", "exit_time", "entry_time") if name in closed.columns]
    closed = closed.sort(keys, maintain_order=True)
    pnl = closed["pnl"].to_numpy()
    fold = closed["fold"].to_numpy() if "fold" in closed.columns else np.zeros(len(closed), np.int64)
    before = np.empty(len(pnl))
    for k in np.unique(fold):
        mine = fold == k
        before[mine] = cash + np.concatenate(([0.0], np.cumsum(pnl[mine])[:-1]))
    returns = np.divide(pnl, before, out=np.full(len(pnl), -1.0), where=before > 0)
    ruin = np.flatnonzero(returns <= -1.0)
    count = int(ruin[0]) + 1 if len(ruin) else len(returns)
    returns = np.maximum(returns[:count], -1.0)
    table = closed.head(count).with_columns(pl.Series("account_return", returns))
    return AccountTrades(table, returns, cash, bool(len(ruin)))
