"""How a strategy trades in backtrader: decide at the close, size and order at the next open, guard the position.

backtrader's own means are used as far as they go. *Cheat-on-open* lets the strategy size at the price it will pay,
instead of at the signal's close, where a gap up ends in a margin call. Stop and target are one OCO pair, placed with
the entry rather than as its bracket children, which would sleep until the next bar. A trail is a stop order replaced
at each close: its own `StopTrail` follows closes, not highs. Funding is taken from the cash at the open.
"""

from __future__ import annotations

import math
import statistics
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, NamedTuple

import backtrader as bt

from maestro.engine.fills import Fill

# An order for all the cash must not fail because its last digit was rounded up.
_HAIR = 1.0 - 1e-12
VOLATILITY_RETURNS = 30
DEFAULT_SETTINGS = {
    "size": "the size is fixed at the signal's close, and a fill that costs more than the cash is refused (Margin)",
    "brackets": "stops and targets become active in the bar after the fill",
    "trail": "a trailing stop follows closes, not highs and lows",
    "slippage": "slippage stops at the bar's high or low",
    "limits": "a limit order that fills at a gapped open is slipped",
    "funding": "there is no funding",
}
"""backtrader's defaults that Maestro changes, by a short name; a run can keep any of them."""
Sides = tuple[bool, bool, bool, bool]
"""Long entry, long exit, short entry, short exit."""
NEVER: Sides = (False, False, False, False)


@dataclass
class Levels:
    """Absolute stop and target, and a trail as fraction of the best price or as a distance; NaN is none."""

    stop: float = math.nan
    target: float = math.nan
    trail: float = math.nan
    trail_is_price: bool = False


@dataclass
class Diary:
    """What a run wrote down, bar by bar."""

    fills: list[Fill] = field(default_factory=list)
    payments: list[tuple[int, float]] = field(default_factory=list)
    equity: list[float] = field(default_factory=list)
    position: list[float] = field(default_factory=list)
    cuts: int = 0
    refused: int = 0


class Waiting(NamedTuple):
    """A decision of the last close: the side to open (0: none), and what the signal bar knew."""

    direction: int
    seen: Any


class Trading(bt.Strategy):  # type: ignore[misc]
    """Base of all; a rule defines `decide`, and where it protects its positions `see` and `levels`."""

    params: Any = (
        ("rule", None), ("costs", None), ("sizing", None), ("periods_per_year", 0.0), ("diary", None),
        ("plain", frozenset()),
    )  # fmt: skip

    def __init__(self) -> None:
        self.diary: Diary = self.p.diary
        self.rule = self.p.rule
        self.warm = self.warmup(self.rule)
        self.waiting: Waiting | None = None
        self.guards: list[Any] = []
        self.unguarded = False
        self.guarded = Levels()
        self.entry = self.best = math.nan
        self.ruined = False
        self.lines_of(self.rule)

    # -- what a rule says -----------------------------------------------------------------

    @staticmethod
    def warmup(rule: Any) -> int:
        """Bars before every condition is defined."""
        return 0

    def lines_of(self, rule: Any) -> None:
        """Build the indicators."""

    def decide(self) -> Sides:
        """Read the rule at the close of this bar."""
        return NEVER

    def see(self) -> Any:
        """What the signal bar knows, for the levels of the trade."""
        return None

    def levels(self, side: int, fill: float, seen: Any) -> Levels | None:
        """Protection of a position opened at `fill`; None: it must not be opened."""
        return Levels()

    def climb(self) -> bool:
        """Move the levels at a close; True where they have moved."""
        return False

    # -- the open -------------------------------------------------------------------------

    @property
    def bar(self) -> int:
        """Number of this bar, from 0."""
        return len(self.data) - 1

    def next_open(self) -> None:
        self.settle()
        waiting, self.waiting = self.waiting, None
        if waiting is not None:
            self.act(waiting)

    def settle(self) -> None:
        """Pay or receive funding on what is carried into this open."""
        rate, held = self.data.funding_rate[0], self.position.size
        if rate == rate and rate != 0 and held and "funding" not in self.p.plain:
            paid = held * self.data.open[0] * rate
            self.broker.add_cash(-paid)
            self.broker.get_value([self.data])  # takes the payment into the cash
            self.diary.payments.append((self.bar, paid))

    def act(self, waiting: Waiting) -> None:
        """Carry out the decision of the last close in one market order, and place the guards of what it opens."""
        held = self.position.size
        side = waiting.direction or (-1 if held > 0 else 1)
        price = self.data.open[0] * (1.0 + side * self.p.costs.slippage)
        units, levels = 0.0, None
        if waiting.direction:
            levels = self.levels(side, price, waiting.seen)
            seen = self.data.close[-1] * (1.0 + side * self.p.costs.slippage) if "size" in self.p.plain else price
            money = self.broker.getcash() + held * seen - abs(held) * seen * self.p.costs.fee
            units = self.units(seen, money, side, levels) if levels is not None else 0.0
        total = abs(held) + units
        if not total:
            return
        self.unguard()
        trade = self.buy if side > 0 else self.sell
        trade(size=total, reason="signal")
        if units and levels is not None:
            self.entry = self.best = price
            self.guarded = levels
            self.unguarded = bool(self.p.plain & {"brackets", "size"})
            if not self.unguarded:
                self.guard(held + side * total)

    def units(self, price: float, equity: float, side: int, levels: Levels) -> float:
        """Size of an entry, as `ms.Sizing` has it."""
        if equity <= 0:
            return 0.0
        sizing, gross = self.p.sizing, price * (1.0 + self.p.costs.fee)
        most = sizing.max_exposure * equity / gross
        if sizing.kind == "percent":
            return float(sizing.value * equity / gross * _HAIR)
        if sizing.kind == "volatility":
            return min(sizing.max_exposure, self.share(sizing.value)) * equity / gross * _HAIR
        if sizing.kind == "risk":
            wanted = sizing.value * equity / self.loss(price, side, levels)
        else:
            wanted = sizing.value / gross if sizing.kind == "cash" else sizing.value
        self.diary.cuts += wanted > most or wanted == 0.0
        return float(min(wanted, most * _HAIR))

    def loss(self, price: float, side: int, levels: Levels) -> float:
        """Loss of a unit at the stop of an entry, costs included; infinite where there is no stop on that side."""
        stop, _ = self.floor(side, levels, price)
        if not side * stop < side * price:
            return math.inf
        out = max(stop, 0.0) * (1.0 - side * self.p.costs.slippage)
        return side * (price - out) + float(self.p.costs.fee) * (price + out)

    def share(self, target: float) -> float:
        """Share of equity with the volatility `target`, by the last 30 returns up to the signal bar."""
        if self.bar - 1 < VOLATILITY_RETURNS:
            return 0.0
        closes = self.data.close.get(ago=-1, size=VOLATILITY_RETURNS + 1)
        returns = [now / before - 1.0 for before, now in pairwise(closes)]
        annual = statistics.stdev(returns) * math.sqrt(self.p.periods_per_year)
        return target / annual if annual > 0 else math.inf

    # -- guards ---------------------------------------------------------------------------

    def guard(self, held: float) -> None:
        """Place the stop and the target of a position of `held` units as an OCO pair, the stop first."""
        self.unguard()
        level, why = self.floor(1 if held > 0 else -1)
        trade, size = (self.sell if held > 0 else self.buy), abs(held)
        if level == level:
            self.guards.append(trade(exectype=bt.Order.Stop, price=level, size=size, reason=why))
        if self.guarded.target == self.guarded.target:
            other = self.guards[0] if self.guards else None
            limit = trade(exectype=bt.Order.Limit, price=self.guarded.target, size=size, oco=other, reason="target")
            self.guards.append(limit)

    def floor(self, side: int, levels: Levels | None = None, best: float = math.nan) -> tuple[float, str]:
        """Level of the stop in force and its name: stop or trail, the nearer of the two, the stop on a tie."""
        g, top = (self.guarded, self.best) if levels is None else (levels, best)
        if g.trail != g.trail:
            return g.stop, "stop"
        trail = top - side * g.trail if g.trail_is_price else top * (1.0 - side * g.trail)
        return (trail, "trail") if g.stop != g.stop or side * trail > side * g.stop else (g.stop, "stop")

    def unguard(self) -> None:
        """Cancel stop and target."""
        for order in self.guards:
            self.cancel(order)
        self.guards = []

    def follow(self) -> None:
        """Move the guards after this bar, in force from the next one."""
        held = self.position.size
        if self.unguarded and held:
            self.guard(held)
        self.unguarded = False
        if not self.guards:
            return
        before = self.floor(1 if held > 0 else -1)
        first = self.data.open[0]
        far = max(self.data.high[0], first) if held > 0 else min(self.data.low[0], first)
        if "trail" in self.p.plain:
            far = self.data.close[0]
        self.best = max(self.best, far) if held > 0 else min(self.best, far)
        if self.climb() or self.floor(1 if held > 0 else -1) != before:
            self.guard(held)

    def notify_order(self, order: Any) -> None:
        if order.status in (order.Partial, order.Completed):
            why = order.info["reason"]
            for bit in order.executed.iterpending():
                fill = Fill(
                    self.bar - self.ruined, bit.size, bit.price, bit.closedcomm + bit.openedcomm, why,
                    slipped=order.exectype != bt.Order.Limit, lot=order.info.get("lot", -1),
                )  # fmt: skip
                self.diary.fills.append(fill)
            if not self.position.size:
                self.guards = []
        elif order.status in (order.Margin, order.Rejected):
            self.diary.refused += 1

    # -- the close ------------------------------------------------------------------------

    def prenext(self) -> None:
        self.mark()

    def next(self) -> None:
        self.mark()
        self.follow()
        if self.ruined or self.bar < self.warm:
            return
        held = self.position.size
        if self.broker.getvalue() <= 0:
            self.give_up(held)
            return
        self.waiting = self.choose(held)

    def give_up(self, held: float) -> None:
        """Close a ruined account at this close (cheat-on-close: the broker fills it in its next round), for good."""
        self.ruined = True
        self.unguard()
        self.broker.set_coc(True)
        if held:
            trade = self.sell if held > 0 else self.buy
            trade(size=abs(held), reason="ruin", lot=-1, cut=False)

    def mark(self) -> None:
        """Write down what is owned at this close."""
        self.diary.equity.append(self.broker.getvalue())
        self.diary.position.append(self.position.size)

    def choose(self, held: float) -> Waiting | None:
        """What follows from the four sides and what is held: exits strike first, then entries."""
        long_entry, long_exit, short_entry, short_exit = self.decide()
        to_long, to_short = long_entry and not long_exit, short_entry and not short_exit
        direction = 0 if to_long == to_short else 1 if to_long else -1
        if direction and direction * held <= 0:
            return Waiting(direction, self.see())
        leaves = (held > 0 and long_exit) or (held < 0 and short_exit)
        return Waiting(0, None) if leaves else None


def crosses_above(a: Any, b: Any, ago: int = 0) -> bool:
    """Whether line `a` crosses above `b` (a line or a level) `ago` bars ago."""
    now, before = (b[-ago], b[-ago - 1]) if hasattr(b, "__getitem__") else (b, b)
    return bool(a[-ago] > now and a[-ago - 1] <= before)


def crosses_below(a: Any, b: Any, ago: int = 0) -> bool:
    """Whether line `a` crosses below `b` (a line or a level) `ago` bars ago."""
    now, before = (b[-ago], b[-ago - 1]) if hasattr(b, "__getitem__") else (b, b)
    return bool(a[-ago] < now and a[-ago - 1] >= before)


def flip(long_entry: bool, long_exit: bool) -> Sides:
    """Sides of a rule whose short is the mirror of its long."""
    return long_entry, long_exit, long_exit, long_entry
