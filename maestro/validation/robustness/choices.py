"""Choices of a walk-forward, fold by fold, tested again out of sample under other conditions."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import polars as pl

from maestro import metrics as m
from maestro.bars import Bars
from maestro.engine import Costs
from maestro.errors import MaestroError, SettingsError, StrategyError
from maestro.metrics.returns import bar_returns
from maestro.reproduce.bars import recorded_bars
from maestro.reproduce.plan import recorded_plan, windows_of
from maestro.reproduce.recorded import Recorded
from maestro.strategies.signals import Signals
from maestro.typing import FloatArray, Parameters
from maestro.walkforward.plan import Plan
from maestro.walkforward.splitters import Window

CURVE = ("sharpe_ratio", "total_return", "annual_return", "volatility", "max_drawdown")


@dataclass(frozen=True)
class Outcome:
    """Result of the stitched test windows.

    Attributes
    ----------
    metrics : dict of float
        Sharpe ratio, returns, volatility and drawdown of the whole, num_trades of all folds; NaN if undefined.
    stamps : int64[n]
        Open of each bar [µs since 1970, UTC].
    returns : float64[n]
    position : float64[n], optional
        Units held at each close, in the account of the fold, which begins with `Plan.cash`; None where only returns
        were chained.
    """

    metrics: dict[str, float]
    stamps: Any
    returns: FloatArray
    position: FloatArray | None = None


@dataclass(frozen=True)
class Choices:
    """The folds that have a result: their windows, and the parameters chosen in each."""

    plan: Plan
    bars: Bars
    windows: tuple[Window, ...]
    params: tuple[Parameters, ...]
    folds: tuple[int, ...]

    def signals(self) -> list[Signals]:
        """Signals of each fold's choice on its history and test window.

        Raises
        ------
        StrategyError
            The strategy fails on a window.
        """
        return [self._evaluated(k, window.history(self.bars)) for k, window in enumerate(self.windows)]

    def _evaluated(self, k: int, history: Bars) -> Signals:
        try:
            return self.plan.signals(self.params[k], history)
        except MaestroError:
            raise
        except Exception as error:  # a strategy is the user's code
            raise StrategyError(
                f"{self.plan.strategy.__name__} failed on fold {self.folds[k]}: {type(error).__name__}: {error}"
            ) from error

    def stitched(
        self, *, signals: Sequence[Signals] | None = None, costs: Costs | None = None, bars: Bars | None = None
    ) -> Outcome:
        """Test every fold's choice again and chain the returns, as the walk-forward does.

        Parameters
        ----------
        signals : sequence of Signals, optional
            Signals to use instead of the choices' own.
        costs : Costs, optional
        bars : Bars, optional
            As many bars as the run's, with other values; signals are computed from them unless given.
        """
        stamps, returns, positions, trades = [], [], [], 0.0
        seen = -1
        for k, window in enumerate(self.windows):
            simulator = self.plan.test_simulator(self.bars if bars is None else bars, window, costs=costs)
            books = simulator.record(self._evaluated(k, simulator.bars) if signals is None else signals[k])
            own = simulator.bars.time[simulator.begin : simulator.end]
            fresh = own > seen  # a bar that two test windows share is the earlier fold's
            stamps.append(own[fresh])
            returns.append(bar_returns(books.equity, self.plan.cash)[fresh])
            positions.append(books.position[fresh])
            trades += len(books.trades)
            seen = max(seen, int(own[-1]))
        return replace(self.chained(stamps, returns, trades), position=np.concatenate([np.empty(0), *positions]))

    def chained(self, stamps: Sequence[Any], returns: Sequence[FloatArray], trades: float) -> Outcome:
        """Outcome of the folds' test windows in order, without overlaps."""
        at = np.concatenate(stamps) if stamps else np.empty(0, np.int64)
        earned = np.concatenate(returns) if returns else np.empty(0)
        return chained(at, earned, trades, self.plan.cash, self.bars.periods_per_year)


def chained(stamps: Any, returns: FloatArray, trades: float, cash: float, periods_per_year: float) -> Outcome:
    """Outcome of chained returns; a ruined account stays ruined."""
    if not len(returns):
        return Outcome({**dict.fromkeys(CURVE, math.nan), "num_trades": 0.0}, stamps, returns)
    equity = cash * np.cumprod(1.0 + returns)
    if (equity <= 0).any():
        ruin = int(np.argmax(equity <= 0))
        returns = np.where(np.arange(len(returns)) > ruin, 0.0, returns)
        equity = np.where(np.arange(len(equity)) > ruin, equity[ruin], equity)
    found = m.from_equity(equity, cash, periods_per_year=periods_per_year)
    return Outcome({**{name: found[name] for name in CURVE}, "num_trades": trades}, stamps, returns)


def choices_of(wf: Recorded, bars: Bars | None = None, strategy: Any = None) -> Choices:
    """Choices of a walk-forward, live or loaded.

    Parameters
    ----------
    wf : WalkForward
    bars : Bars, optional
        Those of the run; loaded again by name if not given.
    strategy : type of Strategy, optional
        Class of a user-defined strategy, for a run loaded from disk.

    Raises
    ------
    SettingsError
        No fold has a result.
    BarsError, RunError
        See `maestro.reproduce.plan`.
    """
    plan, whole = recorded_plan(wf, strategy), recorded_bars(wf, bars)
    windows = windows_of(wf)
    good = wf.folds.filter(pl.col("error").is_null())
    if not len(good):
        raise SettingsError(f"no fold of run {wf.id} has a result, so there is nothing to change; see wf.folds.")
    params = tuple(plan.space.from_row(row) for row in good.to_dicts())
    folds = tuple(good["fold"].to_list())
    return Choices(plan, whole, tuple(windows[fold] for fold in folds), params, folds)
