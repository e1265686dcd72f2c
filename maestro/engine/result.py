"""The result of one backtest: its metrics, and its equity, trades and orders computed on demand."""

from __future__ import annotations

import math
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from maestro import metrics as m
from maestro._core.hooks import hook
from maestro.bars import Bars
from maestro.engine.costs import Costs
from maestro.engine.kernels import account as ac
from maestro.engine.simulator import Books, Simulator
from maestro.engine.sizing import Sizing
from maestro.errors import MissingExtraError
from maestro.strategies.base import Strategy
from maestro.strategies.signals import Signals
from maestro.typing import Fill, FloatArray

if TYPE_CHECKING:
    import vectorbt

_STAMP = pl.Datetime("us", "UTC")
TRADES_SCHEMA: dict[str, Any] = {
    "side": pl.String, "entry_time": _STAMP, "exit_time": _STAMP, "entry_price": pl.Float64, "exit_price": pl.Float64,
    "size": pl.Float64, "fees": pl.Float64, "funding": pl.Float64, "pnl": pl.Float64, "return": pl.Float64,
    "exit_reason": pl.String,
}  # fmt: skip
"""Columns of a table of trades."""


class Backtest:
    """Result of one simulation.

    Attributes
    ----------
    metrics : dict of float, by the names in `maestro.metrics.NAMES`
    equity : polars frame, one row per bar: timestamp, equity, position (units, negative short), drawdown
    trades : polars frame, one row per trade in order of its exit: side, entry_time, exit_time, entry_price, exit_price,
        size, fees, funding, pnl, return, exit_reason (signal, reversal, stop, trail, target, limit, end, open, ruin)
    orders : polars frame, one row per fill: timestamp, side, size, price, fee
    returns : float64[n], one per bar, the first against the starting cash
    benchmark : float64[n], equity of buying at the first open and holding, without costs
    bars, strategy, signals, costs, sizing, cash, fill : inputs of the simulation
    notes : tuple of str, notes on the interpretation of the numbers
    engine : str, name of the engine; seconds : float, run time [s]; native : another engine's own result
    simulator, books : the prepared run and the tables as its kernels lay them out (`maestro.engine.simulator`)
    """

    engine = "fast"
    seconds = float("nan")
    native: Any = None
    _metrics: dict[str, float] | None = None

    def __init__(
        self,
        simulator: Simulator,
        signals: Signals,
        values: FloatArray,
        strategy: Strategy | None,
        costs: Costs,
        sizing: Sizing,
    ) -> None:
        self.simulator = simulator
        self._values = values
        self.signals = signals
        self.strategy = strategy
        self.costs = costs
        self.sizing = sizing

    @property
    def bars(self) -> Bars:
        """The bars of the window that was traded."""
        sim = self.simulator
        return sim.bars if len(sim.bars) == sim.end - sim.begin else sim.bars[sim.begin : sim.end]

    @property
    def cash(self) -> float:
        """Starting cash."""
        return self.simulator.cash

    @property
    def fill(self) -> Fill:
        """Where orders fill."""
        return self.simulator.fill

    @property
    def metrics(self) -> dict[str, float]:
        """All metrics by name; NaN if undefined."""
        if self._metrics is None:
            self._metrics = dict(zip(m.NAMES, self._values.tolist(), strict=True))
        return self._metrics

    @cached_property
    def notes(self) -> tuple[str, ...]:
        """Notes on the interpretation of the numbers."""
        bars, values = self.simulator.bars, self._values
        notes = [*bars.notes, *self.signals.notes]
        if bars.synthetic:
            notes.append("The bars are synthetic, not from a market.")
        if self.fill == "close":
            notes.append("Orders fill at the close they were decided at: this looks ahead and is for comparison only.")
        if values[m.RUINED]:
            notes.append("The account was ruined: equity fell to zero or below and trading stopped; ratios are NaN.")
        if math.isnan(values[m.PROFIT_FACTOR]) and values[m.NUM_TRADES] > 0:
            notes.append(m.NO_LOSS)
        if values[m.CUT]:
            without = ", or left out because they had no stop" if self.sizing.kind == "risk" else ""
            notes.append(
                f"{int(values[m.CUT])} entries were cut to max_exposure={self.sizing.max_exposure:g} or to the cash"
                f"{without}."
            )
        return tuple(notes)

    @cached_property
    def books(self) -> Books:
        """Equity, position, orders and trades in the layout of the kernels, from which the tables are made."""
        return self.simulator.record(self.signals)

    @property
    def returns(self) -> FloatArray:
        """Simple returns per bar; NaN if the equity before the bar was not above zero."""
        equity = self.books.equity
        before = np.concatenate(([self.cash], equity[:-1]))
        return np.divide(equity, before, out=np.full(len(equity), np.nan), where=before > 0) - 1.0

    @property
    def benchmark(self) -> FloatArray:
        """Equity of buying at the first open and holding, without costs."""
        bars = self.bars
        return m.buy_and_hold(bars.open, bars.close, self.cash)

    @cached_property
    def equity(self) -> pl.DataFrame:
        """One row per bar: timestamp, equity, position, drawdown."""
        books = self.books
        peak = np.maximum.accumulate(np.maximum(books.equity, self.cash))
        return pl.DataFrame(
            {
                "timestamp": _times(self.bars.time),
                "equity": books.equity,
                "position": books.position,
                "drawdown": books.equity / peak - 1.0,
            }
        )

    @cached_property
    def trades(self) -> pl.DataFrame:
        """One row per trade; the one still open is last, with exit_reason ``open``."""
        return _trades_frame(self.books.trades, self.simulator.bars)

    @cached_property
    def orders(self) -> pl.DataFrame:
        """One row per fill; a reversal is one row."""
        book = self.books.orders
        time = self.simulator.bars.time
        return pl.DataFrame(
            {
                "timestamp": _times(time[book[:, ac.ORDER_BAR].astype(np.int64)]),
                "side": np.where(book[:, ac.ORDER_SIDE] > 0, "buy", "sell") if len(book) else [],
                "size": book[:, ac.ORDER_SIZE],
                "price": book[:, ac.ORDER_PRICE],
                "fee": book[:, ac.ORDER_FEE],
            },
            schema_overrides={"side": pl.String},
        )

    def to_vectorbt(self) -> vectorbt.Portfolio:
        """``vectorbt.Portfolio`` of the same fills, for its plots and statistics (funding is not in it)."""
        try:
            from maestro.engine.vectorbt.portfolio import portfolio
        except ImportError as error:
            raise MissingExtraError("vectorbt", "vectorbt") from error
        return portfolio(self.bars, self.books.orders, self.simulator.begin, self.cash)

    def to_v1(self) -> dict[str, Any]:
        """Return the result in the schema of the 2020 system, as plain values: parameters, analyzers and observers."""
        from maestro.engine.v1_schema import document

        return document(self)

    def __repr__(self) -> str:
        metrics = self.metrics
        who = repr(self.strategy) if self.strategy is not None else "signals"
        return (
            f"Backtest({who} on {self.bars.name or 'bars'}: total_return={metrics['total_return']:.2%}, "
            f"sharpe_ratio={metrics['sharpe_ratio']:.3f}, max_drawdown={metrics['max_drawdown']:.2%}, "
            f"num_trades={metrics['num_trades']:.0f})"
        )

    def _repr_html_(self) -> str:
        return str(hook("backtest_html")(self))


def _times(stamps: Any) -> pl.Series:
    return pl.Series(stamps, dtype=pl.Int64).cast(pl.Datetime("us", "UTC"))


def _trades_frame(book: FloatArray, bars: Bars) -> pl.DataFrame:
    time = bars.time
    size, entry = book[:, ac.T_SIZE], book[:, ac.T_ENTRY_PRICE]
    reasons = [ac.REASONS[int(code)] for code in book[:, ac.T_REASON]]
    return pl.DataFrame(
        {
            "side": ["long" if side > 0 else "short" for side in book[:, ac.T_SIDE]],
            "entry_time": _times(time[book[:, ac.T_ENTRY_BAR].astype(np.int64)]),
            "exit_time": _times(time[book[:, ac.T_EXIT_BAR].astype(np.int64)]),
            "entry_price": entry,
            "exit_price": book[:, ac.T_EXIT_PRICE],
            "size": size,
            "fees": book[:, ac.T_FEES],
            "funding": book[:, ac.T_FUNDING],
            "pnl": book[:, ac.T_PNL],
            "return": book[:, ac.T_PNL] / (size * entry),
            "exit_reason": reasons,
        },
        schema=TRADES_SCHEMA,
    )
