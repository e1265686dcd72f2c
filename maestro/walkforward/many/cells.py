"""One cell of many walk-forwards: a strategy on a series, and its row of the table."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
import polars as pl

from maestro.ledger import Tally
from maestro.search.trials import EVALUATED
from maestro.typing import FloatArray, IntArray
from maestro.walkforward.result import WalkForward

DAY_US = 86_400_000_000
COPIED = (
    "sharpe_ratio", "total_return", "annual_return", "volatility", "max_drawdown", "calmar_ratio",
    "profit_factor", "num_trades", "exposure",
)  # fmt: skip
"""Metrics of the stitched out-of-sample stretch in the table."""
SCHEMA: dict[str, Any] = {
    "symbol": pl.String, "timeframe": pl.String, "strategy": pl.String, "id": pl.String, "folds": pl.Int64,
    "failed_folds": pl.Int64, "trials": pl.Int64, "test_start": pl.Datetime("us", "UTC"),
    "test_end": pl.Datetime("us", "UTC"), "is_sharpe_ratio": pl.Float64, **dict.fromkeys(COPIED, pl.Float64),
    "efficiency": pl.Float64, "market_sharpe_ratio": pl.Float64, "error": pl.String,
}  # fmt: skip
"""Columns of the table before the p-values; metrics without a prefix are out of sample."""


class Cell(NamedTuple):
    """Key of one walk-forward: symbol, timeframe and strategy."""

    symbol: str
    timeframe: str
    strategy: str

    @property
    def text(self) -> str:
        """In words: ``EmaCrossStrategy on BTCUSDT 4h``."""
        return f"{self.strategy} on {self.symbol} {self.timeframe}".rstrip()


@dataclass(frozen=True)
class Summary:
    """The part of a finished walk-forward that is kept in memory, or the reason why there is none.

    Attributes
    ----------
    row : dict, by the names of `SCHEMA`
    days : int64[d], days since 1970 with at least one tested bar
    timing : float64[d], return per day beyond what the average exposure earned, see `timing_returns`
    tally : Tally, the trials that were evaluated
    equity : float64[d], at the end of each of these days, over the starting cash
    """

    row: dict[str, Any]
    days: IntArray = field(default_factory=lambda: np.empty(0, np.int64))
    timing: FloatArray = field(default_factory=lambda: np.empty(0))
    tally: Tally = field(default_factory=Tally)
    equity: FloatArray = field(default_factory=lambda: np.empty(0))


def failed(cell: Cell, why: str) -> Summary:
    """Summary of a walk-forward without a result."""
    return Summary({**cell._asdict(), "error": why})


def summarise(cell: Cell, wf: WalkForward) -> Summary:
    """Row, daily returns and tally of a finished walk-forward."""
    lost = int(wf.folds["error"].is_not_null().sum())
    tested = wf.equity["timestamp"].to_physical()
    inside = wf.folds["is_sharpe_ratio"].drop_nans().drop_nulls()
    row = {
        **cell._asdict(), "id": wf.id, "folds": len(wf.folds), "failed_folds": lost, "trials": len(wf.trials),
        "test_start": tested[0] if len(tested) else None, "test_end": tested[-1] if len(tested) else None,
        "is_sharpe_ratio": float(inside.mean()) if len(inside) else None,  # type: ignore[arg-type]
        **{name: wf.metrics[name] for name in COPIED}, "efficiency": wf.efficiency,
        "market_sharpe_ratio": wf.benchmark["sharpe_ratio"],
        "error": wf.folds["error"].drop_nulls()[0] if lost == len(wf.folds) else None,
    }  # fmt: skip
    evaluated = wf.trials["state"].is_in(EVALUATED)
    sharpes = wf.trials["sharpe_ratio"].filter(evaluated).drop_nulls().to_numpy()
    periods = wf.spec.periods_per_year
    tally = Tally.of(sharpes[np.isfinite(sharpes)], int(evaluated.sum()), periods_per_year=periods)
    days, timing = timing_returns(wf)
    if wf.metrics["ruined"] > 0:  # an account without money has no exposure, and there is nothing to test
        timing = np.full(len(days), np.nan)
    last = np.searchsorted(tested.to_numpy() // DAY_US, days, side="right") - 1
    return Summary(row, days, timing, tally, wf.equity["equity"].to_numpy()[last] / wf.spec.cash)


def timing_returns(wf: WalkForward) -> tuple[IntArray, FloatArray]:
    """Days since 1970, and return per UTC day from the timing of the rule, after costs.

    The market's return times the rule's mean exposure over the whole test period is subtracted from each bar's
    out-of-sample return: what holding the average exposure earns from the market's drift is not a merit of the rule.
    If the drift reduced the returns, they are not corrected upwards.
    """
    table = wf.equity
    if not len(table):
        return np.empty(0, np.int64), np.empty(0)
    cash = wf.spec.cash
    returns = table["return"].to_numpy()
    held = np.concatenate(([cash], table["benchmark"].to_numpy()))
    market = np.divide(held[1:], held[:-1], out=np.ones(len(returns)), where=held[:-1] > 0) - 1.0
    # Each fold starts with the cash; positions are in units of its own account.
    growth = table.select(((pl.col("return") + 1.0).cum_prod() * cash).over("fold")).to_series().to_numpy()
    value = (table["position"] * table["close"]).to_numpy()
    exposure = np.divide(value, growth, out=np.zeros(len(value)), where=growth > 0)
    drift = exposure.mean() * market
    timing = returns - drift if drift.mean() > 0 else returns
    day = table["timestamp"].to_physical().to_numpy() // DAY_US
    days, start = np.unique(day, return_index=True)
    summed: FloatArray = np.add.reduceat(timing, start)
    return days, summed
