"""Columns of a walk-forward's tables: parameters, metrics, and searched ranges."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from maestro.strategies.options import cells
from maestro.typing import FloatArray

if TYPE_CHECKING:
    from maestro.walkforward.result import WalkForward

_FOLD_COLUMNS = {"fold", "train_start", "train_end", "test_start", "test_end", "error"}


@dataclass(frozen=True)
class Range:
    """Searched range of a parameter: numbers from `low` to `high`, or `options`."""

    low: float = math.nan
    high: float = math.nan
    step: float | None = None
    log: bool = False
    options: tuple[Any, ...] = ()
    stated: bool = True
    """Whether the parameter was searched; otherwise the range is what the trials spanned."""


def metric_names(folds: pl.DataFrame) -> list[str]:
    """Metrics that the table of folds has in sample and out of sample."""
    names = [c.removeprefix("is_") for c in folds.columns if c.startswith("is_")]
    return [name for name in names if f"oos_{name}" in folds.columns]


def parameter_names(folds: pl.DataFrame) -> list[str]:
    """Parameters of the strategy, in the order of the table of folds."""
    metrics = metric_names(folds)
    taken = _FOLD_COLUMNS | {f"{side}_{name}" for name in metrics for side in ("is", "oos")}
    return [c for c in folds.columns if c not in taken]


def searched(wf: WalkForward) -> list[str]:
    """Parameters that the search varied, in the order of the table of folds."""
    return [name for name in parameter_names(wf.folds) if name in wf.spec.space]


def done(folds: pl.DataFrame) -> pl.DataFrame:
    """Folds that have a result."""
    return folds.filter(pl.col("error").is_null()) if "error" in folds.columns else folds


def failed(folds: pl.DataFrame) -> pl.DataFrame:
    """Folds that ended in an error."""
    return folds.filter(pl.col("error").is_not_null()) if "error" in folds.columns else folds.clear()


def search_range(wf: WalkForward, name: str) -> Range:
    """Bounds of a parameter's search; for a fixed parameter, the range of the trials."""
    given = wf.spec.space.get(name)
    if given is not None:
        if given.options:
            return Range(options=cells(given.options))
        return Range(given.low, given.high, given.step, given.log)
    source = wf.trials if name in wf.trials.columns and len(wf.trials) else wf.folds
    column = source[name].drop_nulls()
    if column.dtype.is_numeric():
        return Range(float(column.min()), float(column.max()), stated=False) if len(column) else Range(stated=False)  # type: ignore[arg-type]
    return Range(options=tuple(column.unique(maintain_order=True).to_list()), stated=False)


def timestamps_ms(column: pl.Series) -> FloatArray:
    """Moments as milliseconds since 1970, UTC, for time axes."""
    return (
        column.cast(pl.Datetime("us", "UTC") if column.dtype == pl.Date else column.dtype).dt.epoch("us").to_numpy()
        / 1e3
    )


def numbers(frame: pl.DataFrame, name: str) -> FloatArray:
    """Column as float64, NaN where null; all NaN where the column is absent."""
    if name not in frame.columns:
        return np.full(len(frame), np.nan)
    return frame[name].cast(pl.Float64).fill_null(math.nan).to_numpy()


def start_value(result: Any) -> float:
    """Starting value of the equity: the starting cash, or the value implied by the first return; NaN if unknown."""
    if isinstance(result, pl.DataFrame):
        if not len(result) or not {"equity", "return"} <= set(result.columns):
            return math.nan
        growth = 1.0 + float(result["return"][0])
        return float(result["equity"][0]) / growth if growth > 0 else math.nan
    spec = getattr(result, "spec", None)
    return float(result.cash if spec is None else spec.cash)


def growth(values: FloatArray, start: float) -> FloatArray:
    """Each value divided by the one before it; the first by `start`, or 1 if that is unknown."""
    before = np.concatenate((values[:1] if math.isnan(start) else [start], values[:-1]))
    return values / before
