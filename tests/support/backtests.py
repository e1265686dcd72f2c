"""Backtests as a service stores them."""

from __future__ import annotations

from pathlib import Path

from maestro.engine import Backtest
from maestro.runs.backtests import BacktestSpec, BacktestStore


def stored(result: Backtest, runs_dir: Path) -> BacktestStore:
    """Store a backtest in a runs directory."""
    assert result.strategy is not None
    spec = BacktestSpec.of(
        result.bars, result.strategy, costs=result.costs, sizing=result.sizing, cash=result.cash, fill=result.fill,
        engine=result.engine,
    )  # fmt: skip
    store = BacktestStore(runs_dir, spec.id)
    store.write(result, spec)
    return store
