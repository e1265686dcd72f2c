"""Costs paid: fees, slippage and funding, compared with the profit before them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class CostsPaid:
    """Amounts [currency] over all trades; NaN if the result does not record them."""

    net: float
    """Profit after all costs: the sum of the trades' pnl."""
    fees: float
    slippage: float
    """Notional lost to slippage."""
    funding: float
    """Paid; negative if received."""

    @property
    def total(self) -> float:
        """All costs that are recorded."""
        return self.fees + self.funding + (self.slippage if math.isfinite(self.slippage) else 0.0)

    @property
    def gross(self) -> float:
        """Profit before the recorded costs."""
        return self.net + self.total

    @property
    def share(self) -> float:
        """Costs as a share of the profit before costs; NaN if that is not above zero."""
        return self.total / self.gross if self.gross > 0 else math.nan


def costs_paid(result: Any) -> CostsPaid:
    """Add up what a walk-forward (all folds, out of sample) or a backtest paid.

    The account of each fold starts with the same cash, so amounts of a walk-forward are sums over accounts.
    """
    trades = result.trades
    # Exact sums: those of a live run and of a reloaded one are equal, however the tables lie in memory.
    net, fees, funding = (
        math.fsum(trades[name].drop_nulls()) if name in trades.columns else math.nan
        for name in ("pnl", "fees", "funding")
    )
    return CostsPaid(net, fees, float(result.metrics.get("slippage", math.nan)), funding)
