"""One run in vectorbt: by `from_signals` if possible, otherwise by an order function."""

from __future__ import annotations

from typing import Any

import numpy as np

from maestro.bars import Bars
from maestro.engine.costs import Costs
from maestro.engine.fills import Fill
from maestro.engine.kernels import account as ac
from maestro.engine.sizing import Sizing
from maestro.engine.vectorbt import by_orders, by_signals
from maestro.strategies.signals import Orders, Signals
from maestro.typing import FloatArray


def run(
    bars: Bars, signals: Signals, costs: Costs, sizing: Sizing, cash: float, at_close: bool
) -> tuple[Any, list[Fill], FloatArray, FloatArray, int]:
    """Portfolio, fills, equity and position a bar, and how many entries were cut."""
    if isinstance(signals, Orders):
        return by_orders.run_grid(bars, signals, costs, sizing, cash)
    shares = _shares(bars, sizing)
    cut_elsewhere = sizing.kind == "risk" or (sizing.kind in ("cash", "units") and sizing.max_exposure != 1.0)
    if at_close or (by_signals.can(signals, costs) and not cut_elsewhere):
        return by_signals.run(bars, signals, costs, sizing, cash, at_close, shares)
    return by_orders.run_signals(bars, signals, costs, sizing, cash, shares)


def _shares(bars: Bars, sizing: Sizing) -> FloatArray:
    """Share of equity of volatility sizing, by the returns up to each bar; zero before there are enough."""
    n, back = len(bars), ac.VOLATILITY_RETURNS
    shares = np.zeros(n)
    if sizing.kind == "volatility" and n > back:
        returns = bars.close[1:] / bars.close[:-1] - 1.0
        windows = np.lib.stride_tricks.sliding_window_view(returns, back)
        annual = windows.std(axis=1, ddof=1) * np.sqrt(bars.periods_per_year)
        shares[back:] = np.divide(sizing.value, annual, out=np.full(len(annual), np.inf), where=annual > 0)
    return shares
