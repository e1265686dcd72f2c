"""From the Backtest app's settings to its frames and lines, without Panel."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from maestro._core import formatting as formats
from maestro.apps.backtest.state import BacktestState
from maestro.apps.chart import Line, Pane
from maestro.apps.shared.indicator_panes import merged, panes_of
from maestro.apps.shared.regimes import regime_pane
from maestro.bars import Bars
from maestro.engine import Backtest, Costs, Sizing, backtest
from maestro.errors import MaestroError
from maestro.ledger import scored
from maestro.metrics import holding_metrics
from maestro.regime import RegimeHistory
from maestro.reports.figures.equity import LOG_FROM
from maestro.reports.figures.theme import LIGHT, OVERLAYS
from maestro.validation.robustness.by_regime import performance

SHOWN = (
    "total_return", "annual_return", "volatility", "sharpe_ratio", "sortino_ratio", "calmar_ratio", "vwr",
    "max_drawdown",
)  # fmt: skip
ALONE = ("num_trades", "win_rate", "profit_factor", "exposure", "turnover", "fees", "slippage", "funding")


@dataclass(frozen=True)
class BacktestResult:
    """One backtest as the page shows it."""

    bt: Backtest
    panes: list[Pane]
    table: list[tuple[str, ...]]
    """Rows as `table` gives them."""
    notes: tuple[str, ...]
    by_regime: pl.DataFrame | None = None
    kept: Backtest | None = None
    """A second backtest on the same bars, for comparison."""
    problem: str = ""
    """Why there is no second backtest although one was kept."""


def run(state: BacktestState, bars: Bars, history: RegimeHistory | None = None) -> BacktestResult:
    """Simulate what the state says; with the regimes of the bars, also measure performance in each.

    Raises
    ------
    MaestroError
        What the strategy, its parameters or a setting refuses; anything else that a user-defined strategy raises.
    """
    bt, kept, problem = _simulated(state, bars), None, ""
    try:
        second = state.second()
        kept = None if second is None else _simulated(second, bars)
    except MaestroError as error:
        problem = f"The kept backtest cannot be simulated: {error}"
    noted = [*bt.notes, *scored(bt), *([] if kept is None else scored(kept))]  # looking is searching
    if state.periods_per_year is not None:
        noted.append(f"annual figures are those of {state.periods_per_year:,.12g} bars a year, as set")
    found = panes(bt, kept, state.indicators)
    by_regime = None if history is None else performance(bt, history)
    if history is not None:
        found.append(regime_pane(history))
    return BacktestResult(bt, found, table(bt, kept), tuple(dict.fromkeys(noted)), by_regime, kept, problem)


def _simulated(state: BacktestState, bars: Bars) -> Backtest:
    return backtest(
        bars, state.chosen(), params=state.params, costs=Costs(fee=state.fee, slippage=state.slippage),
        sizing=Sizing.of(state.sizing), cash=state.cash, fill=state.fill,
    )  # fmt: skip


STEPS: dict[str, Any] = {"lineType": 1}
"""Option of the chart's library: a value holds until the next one."""


def panes(bt: Backtest, kept: Backtest | None = None, indicators: Sequence[str] = ()) -> list[Pane]:
    """Overlays on the price and below it, then equity beside buy and hold and a kept backtest's, then drawdown."""
    bars = bt.bars
    lines: dict[str, list[Line]] = {"price": []}
    for overlay in bt.strategy.overlays(bars) if bt.strategy is not None else ():
        own = lines.setdefault(overlay.pane, [])
        color, look = OVERLAYS[len(own) % len(OVERLAYS)], dict(STEPS) if overlay.steps else {}
        own.append(Line(overlay.name, bars.time, overlay.values, color=color, options=look))
    own_panes = [Pane(name, found) for name, found in lines.items()]
    above = merged([*own_panes, *panes_of(indicators, bars, len(lines["price"]))])
    equity = bt.equity
    curves = [
        Line("buy and hold", bars.time, bt.benchmark, color=LIGHT["benchmark"], width=1, format="money"),
        Line("equity", bars.time, equity["equity"].to_numpy(), color=LIGHT["strategy"], width=2, format="money"),
    ]
    fall = {"topColor": "rgba(204,78,0,0.05)", "bottomColor": "rgba(204,78,0,0.35)", "invertFilledArea": True}
    falls = [
        Line("drawdown", bars.time, equity["drawdown"].to_numpy(), color=LIGHT["loss"], kind="area", format="percent",
             options=fall)
    ]  # fmt: skip
    if kept is not None:
        amber: dict[str, Any] = {"color": LIGHT["insample"], "width": 1.5}
        curves.append(Line("kept equity", bars.time, kept.equity["equity"].to_numpy(), format="money", **amber))
        falls.append(Line("kept drawdown", bars.time, kept.equity["drawdown"].to_numpy(), format="percent", **amber))
    values = np.concatenate([line.values for line in curves[1:]])
    log = bool(values.min() > 0 and values.max() / values.min() >= LOG_FROM)
    return [*above, Pane("equity", curves, 1.6, log), Pane("drawdown", falls)]


def table(bt: Backtest, kept: Backtest | None = None) -> list[tuple[str, ...]]:
    """Metrics: name, of the strategy, of a kept backtest if there is one, of buying at the first open and holding."""
    held = holding_metrics(bt.benchmark, float(bt.cash), periods_per_year=bt.bars.periods_per_year)
    own = [bt.metrics] if kept is None else [bt.metrics, kept.metrics]
    rows: list[tuple[str, ...]] = []
    for name in (*SHOWN, *ALONE):
        figures = [formats.metric(name, metrics[name]) for metrics in own]
        rows.append((formats.label(name), *figures, formats.metric(name, held[name]) if name in SHOWN else ""))
    return rows


def trades(bt: Backtest) -> pl.DataFrame:
    """Trades as the page lists them, newest first, with their number."""
    return bt.trades.with_row_index("trade", offset=1).reverse()


def window(bt: Backtest, trade: dict[str, Any]) -> tuple[int, int]:
    """Stretch [µs] of the chart that shows one trade with as much before and after it, at least 20 bars."""
    time = bt.bars.time
    first, last = (int(trade[name].timestamp() * 1e6) for name in ("entry_time", "exit_time"))
    a, b = np.searchsorted(time, [first, last])
    margin = max(20, int(b - a))
    return int(time[max(0, a - margin)]), int(time[min(len(time) - 1, b + margin)])
