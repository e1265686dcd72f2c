"""What a walk-forward shows, as plain numbers: everything that the report's words and tiles are drawn from."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from maestro.metrics import holding_metrics
from maestro.reports.figures.costs import CostsPaid, costs_paid
from maestro.reports.tables.columns import (
    WalkForwardResult,
    done,
    failed,
    metric_names,
    numbers,
    ranked_by,
    search_range,
    searched,
    stamps_ms,
    title,
)
from maestro.reports.tables.parameter_stability import edges, movement
from maestro.typing import FloatArray


@dataclass(frozen=True)
class Evidence:
    """Figures of one walk-forward; fractions unless said otherwise, NaN where there is none."""

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
    """Folds in which no trade was made out of sample."""
    is_annual: float
    """Annual return in sample of the chosen parameters: mean log growth of the folds, weighted by their length."""
    oos_annual: float
    """Annual return of the stitched out-of-sample equity."""
    efficiency: float
    """`oos_annual` / `is_annual`; NaN where the latter is not above zero."""
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
    """Folds in which a parameter was chosen at a bound of its search."""
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


def gather(wf: WalkForwardResult) -> Evidence:
    """Read the evidence from a walk-forward, live or reloaded."""
    folds, good, spec, bars = wf.folds, done(wf.folds), wf.spec, wf.spec.get("bars") or {}
    equity = wf.equity
    strategy, series = title(spec)
    ranking = ranked_by(spec)
    cash = float(spec.get("cash") or 1.0)
    periods = periods_per_year(wf)
    benchmark = holding_metrics(numbers(equity, "benchmark"), cash, periods_per_year=periods)
    is_annual = _annual_in_sample(good)
    oos_annual = float(wf.metrics.get("annual_return", math.nan))
    if numbers(good, "oos_ruined").max(initial=0.0) > 0:
        oos_annual = -1.0
    ranges = {name: search_range(wf, name) for name in searched(wf)}
    states = wf.trials["state"] if "state" in wf.trials.columns else pl.Series([], dtype=pl.String)
    trades = wf.trades
    closed = trades.filter(pl.col("exit_reason") != "open") if "exit_reason" in trades.columns else trades
    tests = good.sort("test_start")
    return Evidence(
        strategy=strategy,
        series=series,
        start=equity["timestamp"][0] if len(equity) else None,
        end=equity["timestamp"][-1] if len(equity) else None,
        folds=len(folds),
        failed=len(failed(folds)),
        profitable=int((numbers(good, "oos_total_return") > 0).sum()),
        idle=int((numbers(good, "oos_num_trades") == 0).sum()),
        is_annual=is_annual,
        oos_annual=oos_annual,
        efficiency=oos_annual / is_annual if is_annual > 0 else math.nan,
        is_sharpe=_mean(numbers(good, "is_sharpe_ratio")),
        oos_sharpe=float(wf.metrics.get("sharpe_ratio", math.nan)),
        ranking=ranking,
        agreement=_spearman(numbers(good, f"is_{ranking}"), numbers(good, f"oos_{ranking}")),
        total_return=float(wf.metrics.get("total_return", math.nan)),
        max_drawdown=float(wf.metrics.get("max_drawdown", math.nan)),
        benchmark_return=benchmark["total_return"],
        benchmark_sharpe=benchmark["sharpe_ratio"],
        benchmark_drawdown=benchmark["max_drawdown"],
        trades=len(closed),
        exposure=float((numbers(equity, "position") != 0).mean())
        if "position" in equity.columns and len(equity)
        else math.nan,
        costs=costs_paid(wf),
        movements={name: movement(good[name], where) for name, where in ranges.items()},
        at_bounds={name: edges(good[name], where) for name, where in ranges.items()},
        tried=int((states == "complete").sum()),
        infeasible=int((states != "complete").sum()),
        periods_per_year=periods,
        cash=cash,
        ruined="ruined" in metric_names(folds) and bool((numbers(good, "oos_ruined") > 0).any()),
        overlapping=bool((tests["test_start"][1:] <= tests["test_end"][:-1]).any()) if len(tests) > 1 else False,
        synthetic=bool(bars.get("synthetic")),
        fill=str(spec.get("fill") or "next_open"),
        notes=tuple(dict.fromkeys([*wf.notes, *(bars.get("notes") or ())])),
    )


def periods_per_year(wf: WalkForwardResult) -> float:
    """Bars a year by which the run annualised."""
    bars = wf.spec.get("bars") or {}
    return float(wf.spec.get("periods_per_year") or bars.get("periods_per_year") or math.nan)


def _annual_in_sample(good: pl.DataFrame) -> float:
    if not len(good):
        return math.nan
    growth = np.log1p(np.maximum(numbers(good, "is_annual_return"), -1.0 + 1e-12))
    length = stamps_ms(good["train_end"]) - stamps_ms(good["train_start"])
    usable = np.isfinite(growth) & (length > 0)
    if not usable.any():
        return math.nan
    return float(np.expm1(np.average(growth[usable], weights=length[usable])))


def _mean(values: FloatArray) -> float:
    usable = values[np.isfinite(values)]
    return float(usable.mean()) if len(usable) else math.nan


def _spearman(a: FloatArray, b: FloatArray) -> float:
    """Rank correlation, ties averaged; NaN with fewer than five pairs or where one side is constant."""
    both = np.isfinite(a) & np.isfinite(b)
    if both.sum() < 5:
        return math.nan
    x, y = (pl.Series(v[both]).rank("average").to_numpy() for v in (a, b))
    if x.std() == 0 or y.std() == 0:
        return math.nan
    return float(np.corrcoef(x, y)[0, 1])
