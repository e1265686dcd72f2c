"""The orders of a strategy for the next bar, as the engine would execute them."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, NamedTuple

import numpy as np

from maestro.bars import Bars
from maestro.bars.calendar import infer_calendar
from maestro.data.files.names import OPTIONAL, PRICES
from maestro.data.timeframes import WEEK_US, as_datetime, bar_ends, timeframe_us
from maestro.decision.expectation import Expectation, expectation
from maestro.decision.now import Now, end_of, extended_bars, now
from maestro.engine.kernels import account as ac
from maestro.errors import SettingsError
from maestro.reproduce.plan import recorded_plan
from maestro.walkforward.plan import Plan

_FAR = 1e6
"""A probe reaches prices this many times lower and higher, so that every resting order fills."""

_USUAL = 3 * WEEK_US
"""The next bar opens on a weekday and at an hour at which a bar opened within this stretch."""


class Order(NamedTuple):
    """An order for the next bar."""

    type: str
    """``market`` at the open; ``stop``, ``trail``, ``target`` or ``limit`` at a price, as long as that bar lasts."""
    side: str
    """``buy`` or ``sell``."""
    size: float
    """Units; computed at the last close if the size depends on the price."""
    price: float | None
    """Level; None for a market order."""
    reason: str
    """``entry``, or the exit's: signal, reversal, stop, trail, target, limit."""


@dataclass(frozen=True)
class Signal:
    """Result of `signal`.

    Attributes
    ----------
    run, strategy, series : str
    params : dict
    bar, close : open of the last closed bar, and its close
    next_open : datetime
        Time of the orders: the next usual open. Holidays are not known.
    position : float
        Units held after the last closed bar; negative is short.
    equity : float
        Equity of the account that trades these parameters.
    orders : tuple of Order
    settings : dict
        Costs, sizing and cash of the run.
    expected : Expectation or None
        Expected band for the next test window.
    """

    run: str
    strategy: str
    series: str
    params: dict[str, Any]
    bar: datetime
    close: float
    next_open: datetime
    position: float
    equity: float
    orders: tuple[Order, ...]
    settings: dict[str, Any]
    expected: Expectation | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return plain values, for JSON."""
        return {
            "run": self.run, "strategy": self.strategy, "series": self.series, "params": self.params,
            "bar": self.bar.isoformat(), "close": self.close, "next_open": self.next_open.isoformat(),
            "position": self.position, "equity": self.equity, "orders": [one._asdict() for one in self.orders],
            "settings": self.settings, "expected": self.expected and self.expected.to_dict(),
        }  # fmt: skip

    def __repr__(self) -> str:
        parts = ", ".join(
            f"{o.side} {o.size:,.6g} {o.type}{'' if o.price is None else f' at {o.price:,.6g}'}" for o in self.orders
        )
        return (
            f"Signal({self.strategy} on {self.series} for {self.next_open:%Y-%m-%d %H:%M} UTC: {parts or 'no order'})"
        )


def signal(
    wf: Any, bars: Bars | None = None, chosen: Now | None = None, *, strategy: Any = None, seed: int = 0,
    expect: bool = True,
) -> Signal:  # fmt: skip
    """Orders for the next bar, from the run's strategy with its current parameters.

    The account starts flat with the run's cash at the first bar after the training window, like a test window, and
    trades the bars since. The orders are the engine's fills in one additional bar that opens at the last close: once
    without a price move, once with a very low price, and once with a very high one.

    Parameters
    ----------
    wf : WalkForward, live or loaded
    bars : Bars, optional
        The run's bars followed by those that have closed since; by default the run's.
    chosen : Now, optional
        Parameters and the end of their training window; by default those of `now` on the run's own bars.
    strategy : type of Strategy, optional
        The class, for a run with a user-defined strategy that was loaded from disk.
    seed : int
        Seed of the bootstrap for the expected band.
    expect : bool
        Whether to compute the expected band for the next test window.

    Raises
    ------
    BarsError, RunError
        As in `now`.
    SettingsError
        The run fills orders at the close that decides them, which cannot be traded.
    """
    plan, whole = recorded_plan(wf, strategy), extended_bars(wf, bars)
    if plan.fill != "next_open":
        raise SettingsError(f"run {wf.id} fills orders at the close that decides them, which cannot be traded.")
    found = chosen or now(wf, strategy=strategy)
    first = int(np.searchsorted(whole.time, int(found.trained_from.timestamp() * 1_000_000)))
    begin = int(np.searchsorted(whole.time, int(found.trained_until.timestamp() * 1_000_000)))
    history = whole[first:]
    position, equity, orders = next_orders(plan, history, found.params, begin - first)
    last = len(whole) - 1
    spec = wf.spec
    return Signal(
        wf.id, found.strategy, found.series, found.params, as_datetime(int(whole.time[last])),
        float(whole.close[last]), next_open(whole), position, equity, orders,
        {"costs": asdict(spec.costs), "sizing": asdict(spec.sizing), "cash": spec.cash},
        expectation(wf, seed=seed) if expect else None,
    )  # fmt: skip


def next_open(bars: Bars) -> datetime:
    """Time at which the next bar opens, according to the weekdays and hours of the last three weeks."""
    end = end_of(bars, len(bars) - 1)
    if infer_calendar(bars.time, bars.timeframe).kind in ("24/7", "sparse", "weeks", "months"):
        return end
    length = timeframe_us(bars.timeframe)
    usual = bars.time[bars.time > bars.time[-1] - _USUAL] % WEEK_US
    after = int(end.timestamp() * 1_000_000) + np.arange(WEEK_US // length + 1) * length
    opens = after[np.isin(after % WEEK_US, usual)]
    return as_datetime(int(opens[0])) if len(opens) else end


def next_orders(
    plan: Plan, history: Bars, params: dict[str, Any], begin: int
) -> tuple[float, float, tuple[Order, ...]]:
    """Position and equity after the last bar of `history`, and the orders for the bar after it.

    Parameters
    ----------
    plan : Plan
    history : Bars
        From the start of the training window on.
    params : dict, complete
    begin : int
        Row of `history` at which trading began, like a test window; its length if it begins with the next bar.
    """
    price = float(history.close[-1])
    flat = _probe(plan, history, params, begin, price, price)
    market = flat.fills
    resting = [
        one
        for probe in (
            _probe(plan, history, params, begin, price / _FAR, price),
            _probe(plan, history, params, begin, price, price * _FAR),
        )
        for one in probe.fills[len(market) :]
    ]
    return flat.position, flat.equity, (*market, *dict.fromkeys(resting))


class _Probed(NamedTuple):
    position: float
    equity: float
    fills: list[Order]


def _probe(plan: Plan, history: Bars, params: dict[str, Any], begin: int, low: float, high: float) -> _Probed:
    """Trade one more bar, which opens and closes at the last close and reaches `low` and `high`."""
    n, price = len(history), float(history.close[-1])
    bars = _one_more(history, price, low, high)
    books = plan.settings.simulator(bars, (min(begin, n), n + 1)).record(plan.signals(params, bars))
    before = len(books.position) - 2
    held = float(books.position[before]) if before >= 0 else 0.0
    equity = float(books.equity[before]) if before >= 0 else plan.cash
    here = books.orders[books.orders[:, ac.ORDER_BAR] == n]
    closed = [t for t in books.trades if t[ac.T_EXIT_BAR] == n and ac.REASONS[int(t[ac.T_REASON])] != "open"]
    return _Probed(held, equity, [_order(row, closed, plan, price) for row in here])


def _order(row: Any, closed: list[Any], plan: Plan, opened: float) -> Order:
    side, size, price = ("buy" if row[ac.ORDER_SIDE] > 0 else "sell"), float(row[ac.ORDER_SIZE]), row[ac.ORDER_PRICE]
    matching = [t for t in closed if t[ac.T_EXIT_PRICE] == price]
    reason = ac.REASONS[int(matching[0][ac.T_REASON])] if matching else "entry"
    kind = reason if reason in ("stop", "trail", "target", "limit") else "market"
    slip = plan.costs.slippage
    if reason == "entry" and abs(price - opened * (1.0 + slip if side == "buy" else 1.0 - slip)) > 1e-9 * opened:
        kind = "limit"
    aimed = price / (1.0 + slip) if side == "buy" else price / (1.0 - slip)
    if kind in ("stop", "trail"):
        return Order(kind, side, size, float(aimed), reason)
    if kind in ("target", "limit"):
        return Order(kind, side, size, float(price), reason)
    return Order("market", side, size, None, reason)


def _one_more(bars: Bars, price: float, low: float, high: float) -> Bars:
    """Return the bars followed by one more."""
    values = {"open": price, "high": high, "low": low, "close": price, "volume": float(bars.volume[-1])}
    columns: dict[str, Any] = {"time": np.append(bars.time, bar_ends(bars.time[-1:], bars.timeframe))}
    columns |= {name: np.append(getattr(bars, name), values[name]) for name in (*PRICES, "volume")}
    for name in OPTIONAL:
        if getattr(bars, name) is not None:
            columns[name] = np.append(getattr(bars, name), np.nan)
    for column in columns.values():
        column.flags.writeable = False
    return bars.like(columns)
