"""Evidence: figures of a walk-forward for the verdict's notes and the report's tiles."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from maestro.metrics import CostsPaid, costs_paid
from maestro.typing import FloatArray
from maestro.validation.robustness.parameter_stability import edges, movement
from maestro.walkforward.columns import done, failed, numbers, search_range, searched
from maestro.walkforward.result import WalkForward


@dataclass(frozen=True)
class Evidence:
    """Figures of one walk-forward; fractions unless stated otherwise, NaN if undefined."""

    strategy: str
    series: str
    start: Any
    """First and last bar of the out-of-sample equity; None where no fold was evaluated."""
    end: Any
    folds: int
    failed: int
    profitable: int
    """Folds whose out-of-sample return is above zero, of `evaluated`."""
    idle: int
    """Folds without a trade out of sample."""
    is_annual: float
    """`WalkForward.in_sample_annual_return`."""
    oos_annual: float
    """Of the stitched out-of-sample equity; NaN if the account was ruined."""
    efficiency: float
    """`WalkForward.efficiency`."""
    is_sharpe: float
    """Mean over the folds."""
    oos_sharpe: float
    """Of the stitched equity."""
    ranking: str
    agreement: float
    """Spearman's rank correlation, over the folds, of the ranking metric in sample and out of sample."""
    total_return: float
    max_drawdown: float
    benchmark_return: float
    benchmark_sharpe: float
    benchmark_drawdown: float
    trades: int
    """Closed trades."""
    exposure: float
    costs: CostsPaid
    movements: dict[str, float]
    """Movement of each searched parameter (see `movement`)."""
    at_bounds: dict[str, int]
    """Number of folds that chose a parameter at a bound of its search."""
    tried: int
    """Parameter sets evaluated over all folds."""
    infeasible: int
    """Parameter sets that could not be evaluated."""
    periods_per_year: float
    cash: float
    ruined: bool
    overlapping: bool
    """Whether test windows share bars."""
    synthetic: bool
    fill: str
    notes: tuple[str, ...]

    @property
    def evaluated(self) -> int:
        """Folds with a result."""
        return self.folds - self.failed


def gather(wf: WalkForward) -> Evidence:
    """Read the evidence from a walk-forward, live or reloaded."""
    folds, good, spec, equity = wf.folds, done(wf.folds), wf.spec, wf.equity
    ranking = spec.selection.ranking
    ranges = {name: search_range(wf, name) for name in searched(wf)}
    states = wf.trials["state"]
    tests = good.sort("test_start")
    held = wf.benchmark
    return Evidence(
        strategy=spec.strategy,
        series=spec.series,
        start=equity["timestamp"][0] if len(equity) else None,
        end=equity["timestamp"][-1] if len(equity) else None,
        folds=len(folds),
        failed=len(failed(folds)),
        profitable=int((numbers(good, "oos_total_return") > 0).sum()),
        idle=int((numbers(good, "oos_num_trades") == 0).sum()),
        is_annual=wf.in_sample_annual_return,
        oos_annual=wf.metrics["annual_return"],
        efficiency=wf.efficiency,
        is_sharpe=_mean(numbers(good, "is_sharpe_ratio")),
        oos_sharpe=wf.metrics["sharpe_ratio"],
        ranking=ranking,
        agreement=_spearman(numbers(good, f"is_{ranking}"), numbers(good, f"oos_{ranking}")),
        total_return=wf.metrics["total_return"],
        max_drawdown=wf.metrics["max_drawdown"],
        benchmark_return=held["total_return"],
        benchmark_sharpe=held["sharpe_ratio"],
        benchmark_drawdown=held["max_drawdown"],
        trades=len(wf.trades.filter(pl.col("exit_reason") != "open")),
        exposure=float((numbers(equity, "position") != 0).mean()) if len(equity) else math.nan,
        costs=costs_paid(wf),
        movements={name: movement(good[name], where) for name, where in ranges.items()},
        at_bounds={name: edges(good[name], where) for name, where in ranges.items()},
        tried=int((states == "complete").sum()),
        infeasible=int((states != "complete").sum()),
        periods_per_year=float(spec.periods_per_year),
        cash=float(spec.cash),
        ruined=bool((numbers(good, "oos_ruined") > 0).any()),
        overlapping=bool((tests["test_start"][1:] <= tests["test_end"][:-1]).any()) if len(tests) > 1 else False,
        synthetic=spec.bars.synthetic,
        fill=spec.fill,
        notes=tuple(dict.fromkeys([*wf.notes, *spec.bars.notes])),
    )


def _mean(values: FloatArray) -> float:
    usable = values[np.isfinite(values)]
    return float(usable.mean()) if len(usable) else math.nan


def _spearman(a: FloatArray, b: FloatArray) -> float:
    """Rank correlation, ties averaged; NaN with fewer than five pairs or if one side is constant."""
    both = np.isfinite(a) & np.isfinite(b)
    if both.sum() < 5:
        return math.nan
    x, y = (pl.Series(v[both]).rank("average").to_numpy() for v in (a, b))
    if x.std() == 0 or y.std() == 0:
        return math.nan
    return float(np.corrcoef(x, y)[0, 1])
