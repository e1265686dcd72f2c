"""Performance by regime: returns, trades and costs of a run in each regime, in and out of sample."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import polars as pl

from maestro.bars import Bars
from maestro.engine import Backtest
from maestro.engine.kernels import account as ac
from maestro.metrics.returns import bar_returns
from maestro.regime import RegimeHistory, Regimes, regimes
from maestro.regime.model import UNKNOWN
from maestro.typing import FloatArray, IntArray
from maestro.validation.robustness.choices import Choices, choices_of
from maestro.walkforward.splitters import Window

_SCHEMA: dict[str, Any] = {
    "sample": pl.String, "state": pl.Int64, "bars": pl.Int64, "share": pl.Float64, "total_return": pl.Float64,
    "annual_return": pl.Float64, "volatility": pl.Float64, "sharpe_ratio": pl.Float64, "trades": pl.Int64,
    "win_rate": pl.Float64, "pnl": pl.Float64, "fees": pl.Float64,
}  # fmt: skip


class _Part(NamedTuple):
    """Returns and trades of one window; rows are those of the run's bars."""

    rows: IntArray
    returns: FloatArray
    trades: FloatArray
    first: int


def by_regime(
    wf: Any, model: Regimes | None = None, *, bars: Bars | None = None, strategy: Any = None, train: str = "1y",
    refit: str | None = "3mo",
) -> pl.DataFrame:  # fmt: skip
    """Performance, trades and costs per regime, of a walk-forward in and out of sample, or of a backtest.

    A bar's return belongs to the state that was known at the close before it, a trade to the state known when it was
    decided; a bar without a known state (before the first fit) has the state null. States are causal, see
    `maestro.regimes`. Folds that failed are left out.

    Parameters
    ----------
    wf : WalkForward, live or loaded, or Backtest
    model : Regimes, optional
        Two states by returns if absent.
    bars : Bars, optional
        Bars of the run; loaded by name if absent. A backtest has its own.
    strategy : type of Strategy, optional
        The class, for a run with a user-defined strategy that was loaded from disk.
    train, refit : str
        Settings of the regimes, see `maestro.regimes`.

    Returns
    -------
    polars.DataFrame
        One row per sample (``in``: the chosen parameters on their training windows; ``out``; ``all`` of a backtest) and
        state: bars, share of the sample's bars, total_return of these bars chained, annual_return and volatility
        (fractions per year), sharpe_ratio, closed trades, win_rate, pnl and fees [currency].

    Raises
    ------
    SettingsError
        No fold has a result, or the bars are not longer than one training window of the regimes.
    BarsError, RunError
        The bars or the strategy are not those of the run.
    """
    if isinstance(wf, Backtest):
        return performance(wf, regimes(wf.simulator.bars, model, train=train, refit=refit))
    choices = choices_of(wf, bars, strategy)
    found = regimes(choices.bars, model, train=train, refit=refit)
    return _table(
        found,
        {
            sample: [_part(choices, k, window, sample) for k, window in enumerate(choices.windows)]
            for sample in ("in", "out")
        },
    )


def performance(bt: Backtest, history: RegimeHistory) -> pl.DataFrame:
    """Performance of a backtest in each state of the regimes of its bars; the table of `by_regime`."""
    rows = np.arange(bt.simulator.begin, bt.simulator.end)
    return _table(history, {"all": [_Part(rows, bt.returns, bt.books.trades, 0)]})


def _table(history: RegimeHistory, samples: dict[str, list[_Part]]) -> pl.DataFrame:
    before = np.concatenate(([UNKNOWN], history.state[:-1]))
    states, periods = [*range(history.settings.states), UNKNOWN], history.bars.periods_per_year
    rows = [_row(sample, state, parts, before, periods) for sample, parts in samples.items() for state in states]
    table = pl.DataFrame([row for row in rows if row["bars"]], schema=_SCHEMA)
    return table.with_columns(pl.when(pl.col("state") != UNKNOWN).then(pl.col("state")).alias("state"))


def _part(choices: Choices, k: int, window: Window, sample: str) -> _Part:
    """Trade a fold's choice on its training window, or on its test window after the training window as history."""
    plan, bars, first = choices.plan, choices.bars, window.train_start
    simulator = plan.simulator(window.training(bars)) if sample == "in" else plan.test_simulator(bars, window)
    books = simulator.record(plan.signals(choices.params[k], simulator.bars))
    rows = np.arange(first + simulator.begin, first + simulator.end)
    return _Part(rows, bar_returns(books.equity, plan.cash), books.trades, first)


def _row(sample: str, state: int, parts: Sequence[_Part], before: IntArray, periods: float) -> dict[str, Any]:
    returns = np.concatenate([part.returns[before[part.rows] == state] for part in parts])
    total = sum(len(part.rows) for part in parts)
    trades = [
        trade
        for part in parts
        for trade in part.trades
        if before[part.first + int(trade[ac.T_ENTRY_BAR])] == state and int(trade[ac.T_REASON]) != ac.OPEN
    ]
    spread = float(returns.std(ddof=1)) if len(returns) > 1 else math.nan
    ruined = bool(len(returns)) and float(returns.min()) <= -1.0
    growth = math.nan if ruined or not len(returns) else float(np.log1p(returns).sum())
    return {
        "sample": sample, "state": state, "bars": len(returns), "share": len(returns) / total,
        "total_return": -1.0 if ruined else math.expm1(growth),
        "annual_return": math.expm1(growth * periods / len(returns)) if len(returns) and not ruined else math.nan,
        "volatility": spread * math.sqrt(periods),
        "sharpe_ratio": float(returns.mean()) / spread * math.sqrt(periods) if spread > 1e-14 else math.nan,
        "trades": len(trades),
        "win_rate": sum(t[ac.T_PNL] > 0 for t in trades) / len(trades) if trades else math.nan,
        "pnl": float(sum(t[ac.T_PNL] for t in trades)), "fees": float(sum(t[ac.T_FEES] for t in trades)),
    }  # fmt: skip
