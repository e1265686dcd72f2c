"""The out-of-sample result of a walk-forward in the 2020 system's schema of a backtest, with the folds."""

from __future__ import annotations

from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any, Protocol

import numpy as np
import polars as pl

from maestro._core.json import plain
from maestro.engine import v1_schema
from maestro.engine.kernels import account as ac
from maestro.runs import RunSpec


class Result(Protocol):
    """What is read of a `WalkForward`."""

    spec: RunSpec
    manifest: dict[str, Any]
    folds: pl.DataFrame
    equity: pl.DataFrame
    trades: pl.DataFrame

    @property
    def metrics(self) -> dict[str, float]: ...


@dataclass
class _Stretch:
    """The stitched stretch in the form in which the schema reads a backtest."""

    bars: Any
    books: Any
    orders: pl.DataFrame
    cash: float
    seconds: float
    metrics: dict[str, float]
    engine: str = "fast"
    strategy: None = None


def document(result: Result) -> dict[str, Any]:
    """JSON-able dictionary of the stretch; ``folds`` has each fold's tested bars and chosen parameters.

    Trades have the sizes and profits of their own fold, which begins with the run's cash; the equity is chained.
    """
    spec, equity, trades = result.spec, result.equity, result.trades
    time = equity["timestamp"].to_physical().to_numpy()
    about = spec.bars
    bars = SimpleNamespace(
        time=time, close=equity["close"].to_numpy(), provider=about.provider, symbol=about.symbol,
        timeframe=about.timeframe,
    )  # fmt: skip
    books = SimpleNamespace(
        equity=equity["equity"].to_numpy(), position=equity["position"].to_numpy(), trades=_book(trades, time)
    )
    stretch: Any = _Stretch(
        bars, books, _orders(trades), spec.cash, float(result.manifest.get("seconds") or 0.0), result.metrics
    )
    found = v1_schema.document(stretch) if len(equity) else {}
    names = [*spec.space, *spec.params]
    folds = [
        {
            "fold": row["fold"], "start": _ms(row["test_start"]), "end": _ms(row["test_end"]), "error": row["error"],
            "parameters": {name: row[name] for name in names if name in row} | dict(spec.params),
        }
        for row in result.folds.iter_rows(named=True)
    ]  # fmt: skip
    return {**found, "strategy": spec.strategy, "kind": "WALKFORWARD", "folds": plain(folds)}


def _book(trades: pl.DataFrame, time: Any) -> Any:
    """Trades in the columns of the account's book; bars are places in the stitched stretch."""
    book = np.zeros((len(trades), ac.TRADE_WIDTH))
    columns: dict[int, Any] = {
        ac.T_SIDE: np.where(trades["side"] == "long", 1.0, -1.0), ac.T_SIZE: trades["size"],
        ac.T_ENTRY_PRICE: trades["entry_price"], ac.T_EXIT_PRICE: trades["exit_price"], ac.T_PNL: trades["pnl"],
        ac.T_ENTRY_BAR: np.searchsorted(time, trades["entry_time"].to_physical().to_numpy()),
        ac.T_EXIT_BAR: np.searchsorted(time, trades["exit_time"].to_physical().to_numpy()),
        ac.T_REASON: [ac.REASONS.index(reason) for reason in trades["exit_reason"]],
    }  # fmt: skip
    for place, values in columns.items():
        book[:, place] = values
    return book


def _orders(trades: pl.DataFrame) -> pl.DataFrame:
    """Fills of the trades: an entry each, and an exit for those that are closed."""
    long = pl.col("side") == "long"
    entries = trades.select(
        timestamp="entry_time", side=pl.when(long).then(pl.lit("buy")).otherwise(pl.lit("sell")), size="size",
        price="entry_price",
    )  # fmt: skip
    exits = trades.filter(pl.col("exit_reason") != "open").select(
        timestamp="exit_time", side=pl.when(long).then(pl.lit("sell")).otherwise(pl.lit("buy")), size="size",
        price="exit_price",
    )  # fmt: skip
    return pl.concat([entries, exits]).sort("timestamp", maintain_order=True)


def _ms(moment: Any) -> int:
    return round(moment.timestamp() * 1000)
