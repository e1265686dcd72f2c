"""From bars, signals and settings to a compiled run: arguments are checked and laid out once, for many runs."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, get_args

import numpy as np

from maestro import metrics as m
from maestro.bars import Bars
from maestro.engine.costs import Costs
from maestro.engine.kernels import account as ac
from maestro.engine.kernels.protection import LEVEL, UNIT_CODES, block_extremes
from maestro.engine.kernels.segments import run_signals
from maestro.engine.sizing import Sizing
from maestro.errors import SettingsError, StrategyError
from maestro.strategies.signals import Orders, Signals
from maestro.typing import Fill, FloatArray, IntArray

_NONE = np.empty(0)
_FILLS = get_args(Fill)
_NO_TABLE = np.empty((0, 0))
_NO_UNITS = np.zeros(3, np.int64)


@dataclass(frozen=True, slots=True)
class Books:
    """Equity, position, orders and trades of a run in the layout of the kernels (`maestro.engine.kernels.account`)."""

    equity: FloatArray
    position: FloatArray
    orders: FloatArray
    trades: FloatArray


class Simulator:
    """Bars and settings prepared for many runs; use one object per thread, because its equity buffer is reused.

    Parameters
    ----------
    bars : Bars
    costs, sizing : Costs, Sizing
    cash : float
        Starting cash [currency], above 0.
    fill : {"next_open", "close"}
        Where an order decided at a close fills. ``"close"`` looks ahead by definition, and is for comparison only.
    window : (begin, end), optional
        Trade bars begin..end-1 only; the others are history for the signals, which cover all bars.
    close_at_end : bool
        Close an open position at the last close with costs, reason ``end`` (folds).

    Raises
    ------
    SettingsError
        Cash not above 0, an unknown fill, or a window outside the bars.

    Attributes
    ----------
    settings : float64
        Costs, sizing and the rest in the order in which the kernels read them (`maestro.engine.kernels.account`).
    """

    __slots__ = ("_at_risk", "_equity", "_layout", "_protection", "bars", "begin", "cash", "end", "fill", "settings")

    def __init__(
        self,
        bars: Bars,
        *,
        costs: Costs,
        sizing: Sizing,
        cash: float = 100_000.0,
        fill: Fill = "next_open",
        window: tuple[int, int] | None = None,
        close_at_end: bool = False,
    ) -> None:
        if isinstance(cash, bool) or not isinstance(cash, (int, float)) or not 0 < cash < math.inf:
            raise SettingsError(f"cash={cash!r} is not an amount above 0; give the starting cash, like 100_000.")
        if not 1e-100 <= cash <= 1e100:
            raise SettingsError(
                f"cash={cash!r} is not between 1e-100 and 1e100, where equity stays a number; give one that is."
            )
        if fill not in _FILLS:
            raise SettingsError(f"fill={fill!r} is unknown; allowed: next_open, close.")
        begin, end = window or (0, len(bars))
        if not 0 <= begin < end <= len(bars):
            raise SettingsError(f"window {begin}..{end} does not lie in the {len(bars)} bars.")
        self.bars, self.begin, self.end, self.cash, self.fill = bars, begin, end, float(cash), fill
        self._layout = _layout(bars, begin, end)
        self._protection: tuple[FloatArray, ...] | None = None
        self._at_risk = sizing.kind == "risk"
        self._equity = np.empty(end - begin)
        self.settings = np.array(
            [
                costs.fee, costs.slippage, cash, sizing.code, sizing.value, sizing.max_exposure,
                bars.periods_per_year, fill == "close", close_at_end, *_close_extremes(bars, begin, end),
            ],
            np.float64,
        )  # fmt: skip

    def metrics(self, signals: Signals) -> FloatArray:
        """Metrics of a run, float64[len(maestro.metrics.NAMES)]; nothing else is kept."""
        return self._run(signals, self._equity, _NONE, _NO_TABLE, _NO_TABLE)[0]

    def record(self, signals: Signals) -> Books:
        """Run and record everything: equity and position per bar, orders, trades."""
        _, totals = self._run(signals, self._equity, _NONE, _NO_TABLE, _NO_TABLE)
        equity = np.empty(self.end - self.begin)
        position = np.empty(self.end - self.begin)
        orders = np.zeros((int(totals[ac.N_ORDERS]), ac.ORDER_WIDTH))
        trades = np.zeros((int(totals[ac.N_TRADES]), ac.TRADE_WIDTH))
        self._run(signals, equity, position, orders, trades)
        return Books(equity, position, orders, trades)

    def _run(
        self, signals: Signals, equity: FloatArray, held: FloatArray, orders: FloatArray, trades: FloatArray
    ) -> tuple[FloatArray, FloatArray]:
        if len(signals) != len(self.bars):
            raise StrategyError(
                f"{len(signals)} signals for {len(self.bars)} bars; give one per bar, also for the bars of history."
            )
        if self._at_risk:
            require_stop(signals)
        totals = np.zeros(ac.TOTALS_WIDTH)
        out = np.empty(len(m.NAMES))
        opens, close, settlements, rates = self._layout
        if isinstance(signals, Orders):
            self._run_orders(signals, equity, held, orders, trades, totals, out)
            return out, totals
        stop, target, trail, bracket = signals.stop, signals.target, signals.trail, signals.bracket
        if stop is None and target is None and trail is None and bracket is None:
            run_signals(
                opens, close, _NONE, _NONE, _NONE, _NONE, settlements, rates,
                signals.long_entry, signals.long_exit, signals.short_entry, signals.short_exit, False, _NONE, _NONE,
                _NONE, _NO_UNITS, _NONE, _NONE, _NO_TABLE, self.begin, self.end, self.settings,
                equity, held, orders, trades, totals, out,
            )  # fmt: skip
            return out, totals
        if self._protection is None:
            self._protection = _protection(self.bars)
        low, high, block_low, block_high = self._protection
        levels = (_NONE, _NONE, _NO_TABLE)
        units = _NO_UNITS
        if bracket is not None:
            stop = bracket.short_level
            levels = (np.array([bracket.long_stop, bracket.long_target]), bracket.long_level, bracket.ladder)
        else:
            codes = [UNIT_CODES[unit] for unit in (signals.stop_unit, signals.target_unit, signals.trail_unit)]
            if codes[2] == LEVEL:
                raise StrategyError("trail_unit='level': a trail is a fraction or a distance in price.")
            units = np.array(codes, np.int64)
        run_signals(
            opens, close, low, high, block_low, block_high, settlements, rates,
            signals.long_entry, signals.long_exit, signals.short_entry, signals.short_exit, True,
            _NONE if stop is None else stop, _NONE if target is None else target,
            _NONE if trail is None else trail, units, *levels, self.begin, self.end, self.settings,
            equity, held, orders, trades, totals, out,
        )  # fmt: skip
        return out, totals

    def _run_orders(self, orders_of: Orders, *books: Any) -> None:
        from maestro.engine.kernels.orders import run_orders

        bars = self.bars
        opens, close, settlements, rates = self._layout
        low, high = _protection(bars)[:2]
        run_orders(
            opens, bars.high, bars.low, close, bars.volume, low, high, settlements, rates,
            orders_of.step, orders_of.long_entry, orders_of.columns, orders_of.numbers, orders_of.slots,
            orders_of.state, self.begin, self.end, self.settings, *books,
        )  # fmt: skip


def require_stop(signals: Signals) -> None:
    """Refuse signals that sizing by risk cannot size.

    Raises
    ------
    StrategyError
        They have neither stop, trail nor bracket.
    """
    if isinstance(signals, Orders):
        raise StrategyError(
            "sizing by risk needs the distance to a stop, and a strategy with limit orders of its own has none; use "
            "percent, cash, units or volatility."
        )
    if signals.stop is None and signals.trail is None and signals.bracket is None:
        raise StrategyError(
            "sizing by risk needs the distance to a stop, and this strategy has no stop or trail; give its signals one "
            "(ms.Signals(..., stop=0.05)), or use percent, cash, units or volatility."
        )


def _layout(bars: Bars, begin: int, end: int) -> tuple[FloatArray, FloatArray, IntArray, FloatArray]:
    """Prices and the settlements inside the window: bars with a funding rate other than zero, rates per bar."""
    rates = bars.funding_rate
    if rates is None:
        return bars.open, bars.close, _NO_UNITS[:0], _NONE
    paid = np.flatnonzero((rates[begin:end] == rates[begin:end]) & (rates[begin:end] != 0.0)) + begin
    return bars.open, bars.close, paid, rates


def _close_extremes(bars: Bars, begin: int, end: int) -> tuple[float, float]:
    """Lowest and highest close of the window, kept with the bars."""

    def extremes() -> tuple[float, float]:
        closes = bars.close[begin:end]
        return float(closes.min()), float(closes.max())

    return bars.cached(("closes", begin, end), extremes)


def _protection(bars: Bars) -> tuple[FloatArray, ...]:
    """Lows and highs widened to include the open, and their block extremes; kept with the bars."""

    def widened() -> tuple[FloatArray, ...]:
        low = np.minimum(bars.low, bars.open)
        high = np.maximum(bars.high, bars.open)
        return (low, high, *block_extremes(low, high))

    return bars.cached("protection", widened)
