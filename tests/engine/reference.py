"""The engine's semantics as a plain loop over bars: slow, obvious, and sharing no code with the kernels."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np


@dataclass
class Position:
    """What is held, with the levels of its signal bar."""

    side: int
    units: float
    price: float
    bar: int
    fee: float
    funding: float = 0.0
    stop: float = math.nan
    target: float = math.nan
    trail: float = math.nan
    trail_unit: str = "fraction"
    best: float = math.nan
    rung: int = 0


@dataclass
class Result:
    """Equity and position a bar; trades and orders as dictionaries."""

    equity: list[float] = field(default_factory=list)
    held: list[float] = field(default_factory=list)
    trades: list[dict[str, Any]] = field(default_factory=list)
    orders: list[dict[str, Any]] = field(default_factory=list)
    cuts: int = 0
    ruined: bool = False


class Account:
    """Cash, one position, and what an order does to them."""

    def __init__(self, bars: Any, costs: Any, sizing: Any, cash: float) -> None:
        self.bars, self.costs, self.sizing, self.cash = bars, costs, sizing, cash
        self.position: Position | None = None
        self.result = Result()

    def size(self, price: float, side: int, signals: Any, signal_bar: int) -> float:
        equity = self.cash
        if equity <= 0:
            return 0.0
        gross = price * (1 + self.costs.fee)
        value, most = self.sizing.value, self.sizing.max_exposure
        if self.sizing.kind == "risk":
            loss = self.loss_at_stop(price, side, signals, signal_bar)
            units = value * equity / loss if loss is not None else 0.0
            self.result.cuts += loss is None or units > most * equity / gross
            return min(units, most * equity / gross)
        if self.sizing.kind == "percent":
            return value * equity / gross
        if self.sizing.kind == "volatility":
            if signal_bar < 30:
                return 0.0
            closes = self.bars.close[signal_bar - 30 : signal_bar + 1]
            deviation = np.std(closes[1:] / closes[:-1] - 1, ddof=1) * math.sqrt(self.bars.periods_per_year)
            return min(most, value / deviation if deviation > 0 else math.inf) * equity / gross
        units = value / gross if self.sizing.kind == "cash" else value
        if units > most * equity / gross:
            self.result.cuts += 1
            units = most * equity / gross
        return units

    def loss_at_stop(self, price: float, side: int, signals: Any, signal_bar: int) -> float | None:
        """What one unit loses from its entry to its first stop, with both fees; None without a stop that can lose."""
        tried = Position(side, 1.0, price, signal_bar, price * self.costs.fee, best=price)
        self.protect(signals, signal_bar, tried)
        trail = price * tried.trail if tried.trail_unit == "fraction" else tried.trail
        levels = [level for level in (tried.stop, price - side * trail) if not math.isnan(level)]
        if not levels:
            return None
        level = max(levels) if side > 0 else min(levels)
        if (level >= price) if side > 0 else (level <= price):
            return None
        out = max(level, 0.0) * (1 - side * self.costs.slippage)
        return side * (price - out) + (price + out) * self.costs.fee

    def close(self, bar: int, reference: float, reason: str, *, slipped: bool = True) -> None:
        position = self.position
        assert position is not None
        price = reference * (1 - position.side * self.costs.slippage) if slipped else reference
        fee = position.units * price * self.costs.fee
        self.cash += position.side * position.units * price - fee
        self.book_order(bar, -position.side, position.units, price)
        self.book_trade(bar, price, fee, reason)

    def book_order(self, bar: int, side: int, units: float, price: float) -> None:
        fee = units * price * self.costs.fee
        self.result.orders.append({"bar": bar, "side": side, "size": units, "price": price, "fee": fee})

    def book_trade(self, bar: int, price: float, fee: float, reason: str) -> None:
        p = self.position
        assert p is not None
        fees = p.fee + fee
        self.result.trades.append(
            {
                "side": p.side, "entry": p.bar, "exit": bar, "entry_price": p.price, "exit_price": price,
                "size": p.units, "fees": fees, "funding": p.funding,
                "pnl": p.side * p.units * (price - p.price) - fees - p.funding, "reason": reason,
            }
        )  # fmt: skip
        self.position = None

    def enter(self, bar: int, reference: float, side: int, signals: Any, signal_bar: int) -> None:
        """Close what is held, then open `side`: one order, at most two trades."""
        price = reference * (1 + side * self.costs.slippage)
        before, closed = self.position, 0.0
        if before is not None:
            closed = before.units
            fee = closed * price * self.costs.fee
            self.cash += before.side * closed * price - fee
        bracket = signals.bracket
        barred = bracket is not None and side < 0 and not bracket.short_level[signal_bar] > price
        units = 0.0 if barred else self.size(price, side, signals, signal_bar)
        if before is not None:
            self.book_trade(bar, price, fee, "reversal" if units > 0 else "signal")
        if units > 0:
            fee = units * price * self.costs.fee
            self.cash -= side * units * price + fee
            self.position = Position(side, units, price, bar, fee, best=price)
            self.protect(signals, signal_bar)
        if closed + units > 0:
            self.book_order(bar, side, closed + units, price)

    def protect(self, signals: Any, bar: int, position: Position | None = None) -> None:
        p = position or self.position
        assert p is not None
        bracket = signals.bracket
        if bracket is not None:
            if p.side > 0:
                level = bracket.long_level[bar]
                p.stop = level if level < p.price else p.price * (1 - bracket.long_stop)
                p.target = p.price * (1 + bracket.long_target)
            else:
                p.stop = bracket.short_level[bar]
            return
        for name, direction in (("stop", -p.side), ("target", p.side)):
            values, unit = getattr(signals, name), getattr(signals, f"{name}_unit")
            if values is None:
                continue
            value = values[bar]
            level = {
                "fraction": p.price * (1 + direction * value), "price": p.price + direction * value, "level": value,
            }[unit]  # fmt: skip
            setattr(p, name, level)
        if signals.trail is not None:
            p.trail, p.trail_unit = signals.trail[bar], signals.trail_unit

    def inside(self, t: int, signals: Any) -> None:
        """Stop, trail and target in bar t; then the best price and the ladder move."""
        p = self.position
        assert p is not None
        opens = self.bars.open[t]
        low, high = min(self.bars.low[t], opens), max(self.bars.high[t], opens)
        levels = []
        if not math.isnan(p.stop):
            levels.append(("stop", p.stop))
        if not math.isnan(p.trail):
            if p.trail_unit == "fraction":
                levels.append(("trail", p.best * (1 - p.side * p.trail)))
            else:
                levels.append(("trail", p.best - p.side * p.trail))
        if levels:
            name, level = levels[0]
            for other, value in levels[1:]:
                if p.side * value > p.side * level:
                    name, level = other, value
            if (p.side > 0 and low <= level) or (p.side < 0 and high >= level):
                gapped = opens <= level if p.side > 0 else opens >= level
                self.close(t, opens if gapped else level, name)
                return
        if not math.isnan(p.target) and ((p.side > 0 and high >= p.target) or (p.side < 0 and low <= p.target)):
            gapped = opens >= p.target if p.side > 0 else opens <= p.target
            self.close(t, opens if gapped else p.target, "target", slipped=False)
            return
        p.best = max(p.best, high) if p.side > 0 else min(p.best, low)
        if signals.bracket is not None and p.side > 0:
            for trigger, stop, target in signals.bracket.ladder[p.rung :]:
                if self.bars.close[t] / p.price - 1 > trigger:
                    p.stop = max(p.stop, p.price * (1 + stop))
                    p.target = max(p.target, p.price * (1 + target))
                    p.rung += 1


def decide(signals: Any, t: int, side: int) -> tuple[int, bool]:
    """(direction to open, whether to close) from the signals of bar t and what is held."""
    enters_long = bool(signals.long_entry[t]) and not signals.long_exit[t]
    enters_short = bool(signals.short_entry[t]) and not signals.short_exit[t]
    direction = 0 if enters_long == enters_short else (1 if enters_long else -1)
    if direction == side:
        direction = 0
    exits = (side > 0 and bool(signals.long_exit[t])) or (side < 0 and bool(signals.short_exit[t]))
    return direction, exits


def simulate(
    bars: Any, signals: Any, *, costs: Any, sizing: Any, cash: float = 100_000.0, fill: str = "next_open",
    window: tuple[int, int] | None = None, close_at_end: bool = False,
) -> Result:  # fmt: skip
    """Walk the bars one by one in the order of events that docs/engine.md states."""
    begin, end = window or (0, len(bars))
    account = Account(bars, costs, sizing, cash)
    result = account.result
    pending: tuple[int, bool] | None = None
    for t in range(begin, end):
        position = account.position
        if bars.funding_rate is not None and position is not None and not math.isnan(bars.funding_rate[t]):
            paid = position.side * position.units * bars.open[t] * bars.funding_rate[t]
            account.cash -= paid
            position.funding += paid
        if pending is not None:
            direction, exits = pending
            if direction:
                account.enter(t, bars.open[t], direction, signals, t - 1)
            elif exits:
                account.close(t, bars.open[t], "signal")
            pending = None
        if account.position is not None:
            account.inside(t, signals)
        if t < end - 1:
            side = account.position.side if account.position else 0
            direction, exits = decide(signals, t, side)
            if fill == "next_open":
                pending = (direction, exits) if direction or exits else None
            elif direction:
                account.enter(t, bars.close[t], direction, signals, t)
            elif exits:
                account.close(t, bars.close[t], "signal")
        units = account.position.side * account.position.units if account.position else 0.0
        equity = account.cash + units * bars.close[t]
        if equity <= 0:
            if account.position:
                account.close(t, bars.close[t], "ruin")
            result.equity += [account.cash] * (end - t)
            result.held += [0.0] * (end - t)
            result.ruined = True
            return result
        if t == end - 1 and account.position is not None:
            if close_at_end:
                account.close(t, bars.close[t], "end")
                equity, units = account.cash, 0.0
            else:
                account.book_trade(t, bars.close[t], 0.0, "open")
        result.equity.append(equity)
        result.held.append(units)
    return result
