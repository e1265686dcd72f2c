"""Folds as tables: the folds, the stitched out-of-sample equity, trades, and the metrics of the whole."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np
import polars as pl

from maestro import metrics as m
from maestro.bars import Bars
from maestro.engine.result import TRADES_SCHEMA
from maestro.metrics.returns import bar_returns
from maestro.search.space import Space
from maestro.walkforward.fold import FoldResult

FoldTables: TypeAlias = tuple[dict[str, Any], dict[str, pl.DataFrame]]
"""What is kept of a fold: plain values (row of the folds' table, notes), and tables (trials, equity, trades)."""


def fold_tables(result: FoldResult, bars: Bars, space: Space, cash: float) -> FoldTables:
    """Return what is kept of a fold's result, in memory and on disk."""
    meta = {"row": fold_row(result, bars, space), "notes": list(result.notes)}
    frames = {"trials": result.trials, "equity": fold_equity(result, bars, cash)}
    if result.trades is not None:
        frames["trades"] = result.trades.select(pl.lit(result.fold, pl.Int64).alias("fold"), pl.all())
    return meta, frames


def assemble(folds: Sequence[FoldTables], cash: float) -> dict[str, pl.DataFrame]:
    """Return the tables of a run (folds, trials, equity, trades) from its folds in order."""
    frames = [tables for _, tables in folds]
    trades = [tables["trades"] for tables in frames if "trades" in tables]
    return {
        "folds": folds_table([meta["row"] for meta, _ in folds]),
        "trials": pl.concat([tables["trials"] for tables in frames], how="vertical_relaxed"),
        "equity": stitch([tables["equity"] for tables in frames], cash),
        "trades": pl.concat(trades) if trades else pl.DataFrame(schema={"fold": pl.Int64, **TRADES_SCHEMA}),
    }


def fold_row(result: FoldResult, bars: Bars, space: Space) -> dict[str, Any]:
    """Window (stamps of the first and last bar), chosen parameters, is_ and oos_ metrics, error."""
    w = result.window
    chosen = result.chosen
    inside = None if chosen is None else chosen.metrics
    outside = result.test_metrics
    return {
        "fold": result.fold,
        "train_start": int(bars.time[w.train_start]),
        "train_end": int(bars.time[w.train_stop - 1]),
        "test_start": int(bars.time[w.test_start]),
        "test_end": int(bars.time[w.test_stop - 1]),
        **(dict.fromkeys(space.parameters) if chosen is None else space.row(chosen.params)),
        **{f"is_{name}": None if inside is None else float(inside[k]) for k, name in enumerate(m.NAMES)},
        **{f"oos_{name}": None if outside is None else float(outside[k]) for k, name in enumerate(m.NAMES)},
        "error": result.error,
    }


def folds_table(rows: Sequence[dict[str, Any]]) -> pl.DataFrame:
    """Table of `fold_row` rows with stamps and types."""
    stamps = ("train_start", "train_end", "test_start", "test_end")
    floats = {f"{part}_{name}": pl.Float64 for part in ("is", "oos") for name in m.NAMES}
    frame = pl.DataFrame(rows, schema_overrides={**floats, "error": pl.String}, infer_schema_length=None)
    return frame.with_columns(pl.col(name).cast(pl.Datetime("us", "UTC")) for name in stamps)


def fold_equity(result: FoldResult, bars: Bars, cash: float) -> pl.DataFrame:
    """Bars of a test window: time, number in the series, fold, position, close, open, and the fold's own returns."""
    w = result.window
    stretch = slice(w.test_start, w.test_start + len(result.equity))
    return pl.DataFrame(
        {
            "timestamp": pl.Series(bars.time[stretch]).cast(pl.Datetime("us", "UTC")),
            "bar": np.arange(stretch.start, stretch.stop, dtype=np.int64),
            "fold": pl.Series([result.fold] * len(result.equity), dtype=pl.Int64),
            "return": bar_returns(result.equity, cash),
            "position": result.position,
            "open": bars.open[stretch],
            "close": bars.close[stretch],
        }
    )


def stitch(parts: Sequence[pl.DataFrame], cash: float) -> pl.DataFrame:
    """Chain the folds' out-of-sample returns: timestamp, fold, equity, return, drawdown, position, close, benchmark.

    A bar that two test windows share is taken from the earlier fold. A ruined account stays ruined: later folds have
    a return of 0. The benchmark is `maestro.metrics.buy_and_hold` over the tested bars.
    """
    whole = pl.concat(parts).unique(subset="timestamp", keep="first", maintain_order=True).sort("timestamp")
    returns = whole["return"].to_numpy()
    equity = cash * np.cumprod(1.0 + returns)
    if (equity <= 0).any():
        ruin = int(np.argmax(equity <= 0))
        returns = np.where(np.arange(len(returns)) > ruin, 0.0, returns)
        equity = np.where(np.arange(len(equity)) > ruin, equity[ruin], equity)
    peak = np.maximum.accumulate(np.maximum(equity, cash))
    benchmark = m.buy_and_hold(whole["open"], whole["close"], cash, places=whole["bar"])
    return whole.select(
        "timestamp",
        "fold",
        pl.Series("equity", equity),
        pl.Series("return", returns),
        pl.Series("drawdown", equity / peak - 1.0),
        "position",
        "close",
        pl.Series("benchmark", benchmark),
    )


def stitched_metrics(
    equity: pl.DataFrame, folds: pl.DataFrame, trades: pl.DataFrame, cash: float, periods: float
) -> dict[str, float]:
    """Metrics of the whole out-of-sample stretch, by the names of `maestro.metrics.NAMES`.

    Those of the curve come from the chained returns, those of trades from all closed trades; fees, slippage and
    funding are sums over folds that each began with the same cash; turnover and exposure are means weighted by bars.
    All are NaN where no fold has a result.
    """
    if not len(equity):
        return dict.fromkeys(m.NAMES, float("nan"))
    result = m.from_equity(equity["equity"].to_numpy(), cash, periods_per_year=periods)
    done = folds.filter(pl.col("oos_final_equity").is_not_null())
    bars = equity.group_by("fold").len().sort("fold")
    weights = done.join(bars, on="fold", how="left")["len"].fill_null(0).to_numpy()
    closed = trades.filter(pl.col("exit_reason") != "open")
    pnl = closed["pnl"].to_list()  # sums that do not depend on how the table lies in memory, live or reloaded
    gains, losses = math.fsum(x for x in pnl if x > 0), -math.fsum(x for x in pnl if x <= 0)
    result |= {
        "win_rate": float((closed["pnl"] > 0).mean()) if len(closed) else float("nan"),  # type: ignore[arg-type]
        "profit_factor": gains / losses if losses >= m.ZERO else float("nan"),
        "num_trades": float(len(closed)),
        "turnover": float(np.average(done["oos_turnover"].to_numpy(), weights=weights)),
        "exposure": float(np.average(done["oos_exposure"].to_numpy(), weights=weights)),
        "final_equity": float(equity["equity"][-1]),
        **{name: math.fsum(done[f"oos_{name}"]) for name in ("fees", "slippage", "funding", "cut_entries")},
        "ruined": float((done["oos_ruined"] > 0).any()),
    }
    return {name: result[name] for name in m.NAMES}
