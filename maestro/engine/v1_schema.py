"""A result in the schema of the 2020 system: backtrader's analyzers and observers, as plain JSON, from every engine.

Names and definitions are those of backtrader's PyFolio, VWR and TradeAnalyzer analyzers and its BuySell observer;
they are computed from Maestro's tables, and a test compares them with backtrader's own. See docs/engines.md.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Protocol

import numpy as np
import polars as pl

from maestro._core.json import plain
from maestro.bars import Bars
from maestro.data.timeframes import DAY_US, timeframe_us
from maestro.engine.kernels import account as ac
from maestro.engine.simulator import Books
from maestro.strategies.base import Strategy

_MS = 1_000


class Result(Protocol):
    """What is read of a `Backtest`."""

    @property
    def bars(self) -> Bars: ...
    @property
    def strategy(self) -> Strategy | None: ...
    @property
    def engine(self) -> str: ...
    @property
    def seconds(self) -> float: ...
    @property
    def cash(self) -> float: ...
    @property
    def metrics(self) -> dict[str, float]: ...
    @property
    def orders(self) -> pl.DataFrame: ...
    @property
    def books(self) -> Books: ...


def document(result: Result) -> dict[str, Any]:
    """Return a backtest as plain values; NaN is None.

    Stamps are the bars' opens: milliseconds since 1970 in ``start``, ``end`` and the observers, ISO text without a
    zone (UTC) where they are keys. ``processing_time`` is in seconds.
    """
    bars, strategy = result.bars, result.strategy
    found: dict[str, Any] = plain(
        {
            "engine": result.engine,
            "strategy": strategy.name if strategy is not None else "signals",
            "parameters": dict(strategy.params) if strategy is not None else {},
            "provider": bars.provider,
            "symbol": bars.symbol,
            "timeframe": bars.timeframe,
            "start": int(bars.time[0]) // _MS,
            "end": int(bars.time[-1]) // _MS,
            "processing_time": result.seconds,
            "cash": result.cash,
            "value": result.metrics["final_equity"],
            "analyzers": {
                "PyFolio": _pyfolio(result),
                "VWR": {"vwr": result.metrics["vwr"]},
                "TradeAnalyzer": trade_analyzer(result),
            },
            "observers": {"BuySell": _buy_sell(result)},
        }
    )
    return found


def _pyfolio(result: Result) -> dict[str, Any]:
    """Daily returns; value, cash, transactions and leverage per bar."""
    bars, equity = result.bars, result.books.equity
    position = result.books.position
    value = position * bars.close
    daily = timeframe_us(bars.timeframe) >= DAY_US
    stamps = [_stamp(t) for t in bars.time]
    days = bars.time // DAY_US
    last = np.append(np.flatnonzero(np.diff(days)), len(days) - 1)
    before = np.concatenate(([result.cash], equity[last[:-1]]))
    symbol = bars.symbol or "data"
    transactions: dict[str, Any] = {"date": [["amount", "price", "sid", "symbol", "value"]]}
    for stamp, side, size, price in result.orders.select("timestamp", "side", "size", "price").iter_rows():
        # backtrader nets what is traded within a bar, so a position opened and closed in one leaves no line.
        amount = size if side == "buy" else -size
        net = transactions.setdefault(_stamp_of(stamp), [0.0, 0.0])
        net[0], net[1] = _merge(net[0], net[1], amount, price)
    rows = {
        key: [[amount, price, 0, symbol, -amount * price]]
        for key, (amount, price) in list(transactions.items())[1:]
        if abs(amount) > 0
    }
    return {
        "returns": {_stamp(int(days[k]) * DAY_US): equity[k] / b - 1.0 for k, b in zip(last, before, strict=True)},
        "positions": {
            "Datetime": [symbol, "cash"],
            **{(s[:10] if daily else s): [v, e - v] for s, v, e in zip(stamps, value, equity, strict=True)},
        },
        "transactions": {"date": transactions["date"], **rows},
        "gross_lev": {s: (v / e if e else math.nan) for s, v, e in zip(stamps, value, equity, strict=True)},
    }


def _merge(held: float, price: float, amount: float, at: float) -> tuple[float, float]:
    """Net amount of a bar and its mean price, as a position counts them."""
    total = held + amount
    if abs(total) <= 1e-12 * abs(amount):
        return 0.0, 0.0
    if held * amount > 0:
        return total, (held * price + amount * at) / total
    return total, price if abs(held) > abs(amount) else at


def _buy_sell(result: Result) -> dict[str, list[list[float]]]:
    """[ms, price] of every purchase and every sale."""
    marks: dict[str, list[list[float]]] = {"buy": [], "sell": []}
    for stamp, side, price in result.orders.select("timestamp", "side", "price").iter_rows():
        marks[side].append([round(stamp.timestamp() * 1000), price])
    return marks


def trade_analyzer(result: Result) -> dict[str, Any]:
    """Figures of backtrader's TradeAnalyzer: totals, streaks, profits, lengths in bars.

    A trade without a loss counts as won, as there. ``net`` has fees and funding off. Where backtrader shows the
    largest integer for the shortest of no trades, there is None.
    """
    book = result.books.trades
    opened = book[:, ac.T_REASON] == ac.OPEN
    closed = book[~opened]
    if not len(book):
        return {"total": {"total": 0}}
    total: dict[str, Any] = {"total": len(book), "open": int(opened.sum())}
    if not len(closed):
        return {"total": total}
    total["closed"] = len(closed)
    net = closed[:, ac.T_PNL]
    gross = closed[:, ac.T_SIDE] * closed[:, ac.T_SIZE] * (closed[:, ac.T_EXIT_PRICE] - closed[:, ac.T_ENTRY_PRICE])
    bars = closed[:, ac.T_EXIT_BAR] - closed[:, ac.T_ENTRY_BAR]
    won, long = net >= 0.0, closed[:, ac.T_SIDE] > 0
    every = np.ones(len(closed), bool)
    by_result = {"won": won, "lost": ~won}
    by_side = {"long": long, "short": ~long}
    return {
        "total": total,
        "streak": {name: _streak(which.tolist()) for name, which in by_result.items()},
        "pnl": {"gross": _sums(gross), "net": _sums(net)},
        **{name: {"total": int(which.sum()), "pnl": _profits(net, which, name)} for name, which in by_result.items()},
        **{
            name: {
                "total": int(side.sum()),
                "pnl": {
                    "total": float(net[side].sum()),
                    "average": float(net[side].sum()) / (int(side.sum()) or 1),
                    **{kind: _profits(net, which & side, kind) for kind, which in by_result.items()},
                },
                **{kind: int((which & side).sum()) for kind, which in by_result.items()},
            }
            for name, side in by_side.items()
        },
        "len": {
            **_lengths(bars, every),
            **{kind: _lengths(bars, which) for kind, which in by_result.items()},
            **{
                name: {
                    **_lengths(bars, side),
                    **{kind: _lengths(bars, which & side) for kind, which in by_result.items()},
                }
                for name, side in by_side.items()
            },
        },
    }


def _sums(values: Any) -> dict[str, float]:
    return {"total": float(values.sum()), "average": float(values.mean())}


def _profits(net: Any, which: Any, kind: str) -> dict[str, float]:
    values = net[which]
    best = max if kind == "won" else min
    return {
        "total": float(values.sum()),
        "average": float(values.sum()) / (len(values) or 1),
        "max": float(best(values, default=0.0)),
    }


def _streak(which: Sequence[bool]) -> dict[str, int]:
    current = longest = 0
    for one in which:
        current = current + 1 if one else 0
        longest = max(longest, current)
    return {"current": current, "longest": longest}


def _lengths(bars: Any, which: Any) -> dict[str, Any]:
    """Bars in the market; a trade of no whole bar does not count as the shortest, as in backtrader."""
    values = bars[which]
    real = values[values > 0]
    return {
        "total": int(values.sum()),
        "average": float(values.sum()) / (len(values) or 1),
        "max": int(values.max(initial=0)),
        "min": int(real.min()) if len(real) else None,
    }


def _stamp(time_us: Any) -> str:
    return datetime.fromtimestamp(int(time_us) / 1e6, UTC).replace(tzinfo=None).isoformat()


def _stamp_of(moment: datetime) -> str:
    return moment.replace(tzinfo=None).isoformat()
