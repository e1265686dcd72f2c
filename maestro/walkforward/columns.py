"""The columns of a walk-forward's tables: which are parameters, which are metrics, and what was searched."""

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
RANKING = "sharpe_ratio"
"""Metric that ranks trials where the spec names none."""


@dataclass(frozen=True)
class Range:
    """Where a parameter was searched: numbers from `low` to `high`, or `options`."""

    low: float = math.nan
    high: float = math.nan
    step: float | None = None
    log: bool = False
    options: tuple[Any, ...] = ()
    stated: bool = True
    """Whether the spec gives it; else it is what the trials spanned."""


def metric_names(folds: pl.DataFrame) -> list[str]:
    """Metrics that the table of folds has in sample and out of sample."""
    names = [c.removeprefix("is_") for c in folds.columns if c.startswith("is_")]
    return [name for name in names if f"oos_{name}" in folds.columns]


def parameter_names(folds: pl.DataFrame) -> list[str]:
    """Parameters of the strategy, in the order of the table of folds."""
    metrics = metric_names(folds)
    taken = _FOLD_COLUMNS | {f"{side}_{name}" for name in metrics for side in ("is", "oos")}
    return [c for c in folds.columns if c not in taken]


def search_space(spec: dict[str, Any]) -> dict[str, Any]:
    """Ranges of the searched parameters in their JSON form, by name; empty where the spec gives none."""
    space: dict[str, Any] = spec.get("space") or {}
    return space["search"] if isinstance(space.get("search"), dict) and "fixed" in space else space


def searched(wf: WalkForward) -> list[str]:
    """Parameters that the search varied: those in the spec's space, else those that are not fixed."""
    space, fixed = search_space(wf.spec), wf.spec.get("params") or {}
    names = parameter_names(wf.folds)
    return [n for n in names if n in space] if space else [n for n in names if n not in fixed]


def done(folds: pl.DataFrame) -> pl.DataFrame:
    """Folds that have a result."""
    return folds.filter(pl.col("error").is_null()) if "error" in folds.columns else folds


def failed(folds: pl.DataFrame) -> pl.DataFrame:
    """Folds that ended in an error."""
    return folds.filter(pl.col("error").is_not_null()) if "error" in folds.columns else folds.clear()


def ranked_by(spec: dict[str, Any]) -> str:
    """First metric by which trials are ranked; the minus of one that is ranked from below is left out."""
    selection = spec.get("selection")
    if isinstance(selection, dict):
        selection = selection.get("metrics") or selection.get("metric")
    if isinstance(selection, (list, tuple)) and selection:
        selection = selection[0]
    return selection.removeprefix("-") if isinstance(selection, str) else RANKING


def ranked_from_below(spec: dict[str, Any]) -> bool:
    """Whether the ranking metric is the better the lower it is (``-volatility``)."""
    selection = spec.get("selection")
    metrics = selection.get("metrics") if isinstance(selection, dict) else None
    return str((metrics or [""])[0]).startswith("-")


def search_range(wf: WalkForward, name: str) -> Range:
    """Bounds of a parameter's search, from the spec, or what the trials spanned."""
    given = search_space(wf.spec).get(name)
    if isinstance(given, dict):
        options = given.get("options") or given.get("choices")
        if options is None and str(given.get("kind", given.get("type", ""))).lower() == "bool":
            options = (False, True)
        if options:
            return Range(options=cells(tuple(options)))
        if given.get("low") is not None and given.get("high") is not None:
            step = given.get("step")
            return Range(float(given["low"]), float(given["high"]), step, bool(given.get("log")))
    source = wf.trials if name in wf.trials.columns and len(wf.trials) else wf.folds
    column = source[name].drop_nulls()
    if column.dtype.is_numeric():
        return Range(float(column.min()), float(column.max()), stated=False) if len(column) else Range(stated=False)  # type: ignore[arg-type]
    return Range(options=tuple(column.unique(maintain_order=True).to_list()), stated=False)


def stamps_ms(column: pl.Series) -> FloatArray:
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
    """Value that the equity began with: the starting cash, or what the first return tells; NaN if unknown."""
    if isinstance(result, pl.DataFrame):
        if not len(result) or not {"equity", "return"} <= set(result.columns):
            return math.nan
        growth = 1.0 + float(result["return"][0])
        return float(result["equity"][0]) / growth if growth > 0 else math.nan
    spec = getattr(result, "spec", None)
    return float(result.cash if spec is None else spec.get("cash") or math.nan)


def growth(values: FloatArray, start: float) -> FloatArray:
    """Each value over the one before it; the first over `start`, or 1 where that is not known."""
    before = np.concatenate((values[:1] if math.isnan(start) else [start], values[:-1]))
    return values / before


def title(spec: dict[str, Any]) -> tuple[str, str]:
    """Name of the strategy and of the series: ``("EmaCrossStrategy", "BITSTAMP:BTCUSD:1h")``."""
    strategy = spec.get("strategy")
    if isinstance(strategy, dict):
        strategy = strategy.get("name")
    bars = spec.get("bars") or {}
    name = bars.get("name") or ":".join(filter(None, (bars.get(k) for k in ("provider", "symbol", "timeframe"))))
    return str(strategy or "Strategy"), str(name or "unnamed series")
