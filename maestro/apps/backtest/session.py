"""From the Backtest app's settings to its frames and lines, without Panel."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from maestro._core import formatting as formats
from maestro.apps.backtest.state import BacktestState
from maestro.apps.chart import Line, Pane
from maestro.apps.shared.regimes import regime_pane
from maestro.bars import Bars
from maestro.engine import Backtest, Costs, Sizing, backtest
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
class Shown:
    """One backtest as the page shows it."""

    bt: Backtest
    panes: list[Pane]
    table: list[tuple[str, str, str]]
    """Metric, of the strategy, of buy and hold."""
    notes: tuple[str, ...]
    by_regime: pl.DataFrame | None = None


def run(state: BacktestState, bars: Bars, history: RegimeHistory | None = None) -> Shown:
    """Simulate what the state says; with the regimes of the bars, also measure performance in each.

    Raises
    ------
    MaestroError
        What the strategy, its parameters or a setting refuses; anything else that a user-defined strategy raises.
    """
    bt = backtest(
        bars, state.chosen(), params=state.params, costs=Costs(fee=state.fee, slippage=state.slippage),
        sizing=Sizing.of(state.sizing), cash=state.cash, fill=state.fill,
    )  # fmt: skip
    notes = tuple(dict.fromkeys((*bt.notes, *scored(bt))))  # looking is searching
    if history is None:
        return Shown(bt, panes(bt), table(bt), notes)
    return Shown(bt, [*panes(bt), regime_pane(history)], table(bt), notes, performance(bt, history))


STEPS: dict[str, Any] = {"lineType": 1}
"""Option of the chart's library: a value holds until the next one."""


def panes(bt: Backtest) -> list[Pane]:
    """Overlays on the price and below it, then equity beside buy and hold, then drawdown."""
    bars = bt.bars
    lines: dict[str, list[Line]] = {"price": []}
    for overlay in bt.strategy.overlays(bars) if bt.strategy is not None else ():
        own = lines.setdefault(overlay.pane, [])
        color, look = OVERLAYS[len(own) % len(OVERLAYS)], dict(STEPS) if overlay.steps else {}
        own.append(Line(overlay.name, bars.time, overlay.values, color=color, options=look))
    equity = bt.equity
    lines["equity"] = [
        Line("buy and hold", bars.time, bt.benchmark, color=LIGHT["benchmark"], width=1, format="money"),
        Line("equity", bars.time, equity["equity"].to_numpy(), color=LIGHT["strategy"], width=2, format="money"),
    ]
    fall = {"topColor": "rgba(204,78,0,0.05)", "bottomColor": "rgba(204,78,0,0.35)", "invertFilledArea": True}
    lines["drawdown"] = [
        Line("drawdown", bars.time, equity["drawdown"].to_numpy(), color=LIGHT["loss"], kind="area", format="percent",
             options=fall)
    ]  # fmt: skip
    values = equity["equity"].to_numpy()
    log = bool(values.min() > 0 and values.max() / values.min() >= LOG_FROM)
    return [Pane(name, own, 1.6 if name == "equity" else 1.0, log and name == "equity") for name, own in lines.items()]


def table(bt: Backtest) -> list[tuple[str, str, str]]:
    """Metrics of the strategy beside those of buying at the first open and holding."""
    held = holding_metrics(bt.benchmark, float(bt.cash), periods_per_year=bt.bars.periods_per_year)
    rows = [
        (formats.label(name), formats.metric(name, bt.metrics[name]), formats.metric(name, held[name]))
        for name in SHOWN
    ]
    return rows + [(formats.label(name), formats.metric(name, bt.metrics[name]), "") for name in ALONE]


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
