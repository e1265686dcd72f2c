"""The grid in backtrader: a limit order a level, laid and armed at closes."""

from __future__ import annotations

from typing import Any

import backtrader as bt

from maestro.engine.backtrader.indicators import Bands
from maestro.engine.backtrader.trading import Trading

# What several levels spend together is the whole budget: rounding must not make the last one cost more than the cash.
_HAIR = 1.0 - 1e-10


class Grid(Trading):
    """Buy each level below the anchor, sell what it bought one level up, give up below the lowest."""

    @staticmethod
    def warmup(rule: Any) -> int:
        return int(rule.period - 1)

    def lines_of(self, rule: Any) -> None:
        self.bands = Bands(self.data.close, period=rule.period, factor=rule.num_std)
        self.anchor = 0.0
        self.spend = self.count = 0.0
        self.held: dict[int, float] = {}
        self.working: dict[int, Any] = {}
        self.leaving = False

    def price_of(self, level: int) -> float:
        """Price of a level's order: of its sale where it holds, else of its purchase."""
        steps = level if level in self.held else level + 1
        return float(self.anchor * (1.0 - steps * self.rule.grid_size))

    def next_open(self) -> None:
        self.settle()
        first = self.data.open[0]
        if self.leaving:
            self.leaving = False
            for level, size in self.held.items():
                self.sell(size=size, reason="signal", lot=level, tradeid=level, cut=False)
            return
        if "size" in self.p.plain:
            return
        cash = max(self.broker.getcash(), 0.0)
        for level in [one for one in self.working if one not in self.held]:
            fill = min(first, self.price_of(level))
            wanted = self.spend or self.count * fill * (1.0 + self.p.costs.fee)
            short = cash < wanted * (1.0 - 1e-9)
            # Below its level it fills here, and cheaper: more units. What the cash does not pay is cut to it.
            if (fill == first and self.spend) or short or self.working[level].info["cut"]:
                self.cancel(self.working.pop(level))
                self.arm(level, fill, cash if short else 0.0)

    def arm(self, level: int, fill: float = 0.0, most: float = 0.0) -> None:
        """Lay the order of a level, in force until it fills or the grid goes; `most` is all there is to spend."""
        price = self.price_of(level)
        terms = {"exectype": bt.Order.Limit, "reason": "limit", "lot": level, "tradeid": level, "cut": most > 0}
        if level in self.held:
            self.working[level] = self.sell(size=self.held[level], price=price, **terms)
            return
        gross = (fill or price) * (1.0 + self.p.costs.fee)
        size = (most or self.spend) / gross if most or self.spend else self.count
        self.working[level] = self.buy(size=size * _HAIR, price=price, **terms)

    def notify_order(self, order: Any) -> None:
        super().notify_order(order)
        level = order.info["lot"]
        if order.status == order.Margin:
            self.working.pop(level, None)  # laid again at this close
        if order.status != order.Completed:
            return
        self.diary.cuts += order.info["cut"]
        self.working.pop(level, None)
        if order.isbuy():
            self.held[level] = order.executed.size
        else:
            del self.held[level]

    def next(self) -> None:
        self.mark()
        close, rule = self.data.close[0], self.rule
        if self.ruined or self.broker.getvalue() <= 0:
            if not self.ruined:
                self.clear_orders()
                self.give_up(self.position.size)
            return
        if self.anchor and close < self.anchor * (1.0 - (rule.num_grids + 1) * rule.grid_size):
            self.clear_orders()
            self.anchor, self.leaving = 0.0, bool(self.held)
            return
        if not self.held and self.bar >= self.warm and self.bands.lower[0] <= close <= self.bands.upper[0]:
            self.clear_orders()
            self.anchor = self.bands.middle[0]
            self.budget()
        if self.anchor:
            for level in range(rule.num_grids):
                if level not in self.working:
                    self.arm(level)

    def budget(self) -> None:
        """What a level spends, or buys, until the next anchor."""
        sizing, equity = self.p.sizing, self.broker.getvalue()
        spend = {"percent": sizing.value * equity, "cash": sizing.value, "units": 0.0}[sizing.kind]
        self.spend = spend / self.rule.num_grids
        self.count = sizing.value / self.rule.num_grids if sizing.kind == "units" else 0.0

    def clear_orders(self) -> None:
        """Cancel what waits."""
        for order in self.working.values():
            self.cancel(order)
        self.working = {}
