"""Which engines can simulate a backtest, what each can do, and a run in one of the others."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import polars as pl

from maestro.bars import Bars
from maestro.engine.backtest import Backtest
from maestro.engine.costs import Costs
from maestro.engine.fills import Fill, keep_books
from maestro.engine.simulator import Books, Simulator
from maestro.engine.sizing import Sizing
from maestro.errors import MissingExtraError, SettingsError, nearest
from maestro.strategies.base import Strategy
from maestro.strategies.signals import Orders, Signals
from maestro.typing import Fill as Where
from maestro.typing import FloatArray

ALIASES = {"v1": "backtrader", "v2": "fast"}
"""Names of the 2020 system's engine and of this one's."""
NAMES = ("fast", "vectorbt", "backtrader")
_CAN: dict[str, tuple[str, str, str]] = {
    "alias": ("v2", "", "v1"),
    "extra": ("", "vectorbt", "legacy"),
    "trades": ("the signals", "the signals", "the rules, bar by bar"),
    "stops, brackets, grid": ("yes", "yes", "yes"),
    "own limit orders": ("yes", "no", "no"),
    "funding": ("yes", "no", "yes"),
    "max_exposure above 1": ("yes", "no", "no"),
    "fill at the close": ("yes", "without stops, grids", "no"),
    "windows of folds": ("yes", "no", "no"),
    "ruin": ("yes", "no", "yes"),
}
"""What each engine can do, in the order of `NAMES`."""


def engines() -> pl.DataFrame:
    """Table of what each engine can do, a column an engine; ``extra`` is what brings its library.

    What an engine cannot do is refused by name when it is asked for.
    """
    columns = zip(*_CAN.values(), strict=True)
    return pl.DataFrame({"what": list(_CAN), **dict(zip(NAMES, map(list, columns), strict=True))})


def engine_name(given: str) -> str:
    """Name of an engine, its alias resolved.

    Raises
    ------
    SettingsError
        No such engine; the nearest name is suggested.
    """
    name = ALIASES.get(given, given) if isinstance(given, str) else given
    if name not in NAMES:
        allowed = [*NAMES, *ALIASES]
        raise SettingsError(
            f"engine={given!r} is unknown; allowed: {', '.join(allowed)}.{nearest(str(given), allowed)}"
        )
    return str(name)


@dataclass(frozen=True)
class _Run:
    """What another engine gave back."""

    fills: list[Fill]
    equity: FloatArray
    position: FloatArray
    native: Any
    payments: tuple[tuple[int, float], ...] = ()
    cuts: int = 0
    notes: tuple[str, ...] = ()


class EngineBacktest(Backtest):
    """Result of a run in vectorbt or backtrader: their fills, equity and position, our metrics of them.

    `native` is what the engine itself gave: a ``vectorbt.Portfolio`` (of one to three rows a bar), or the results of
    backtrader's analyzers by name.
    """

    def __init__(
        self,
        simulator: Simulator,
        signals: Signals,
        strategy: Strategy | None,
        costs: Costs,
        sizing: Sizing,
        engine: str,
        run: _Run,
    ) -> None:
        books, values = keep_books(simulator, run.fills, run.equity, run.position, payments=run.payments, cuts=run.cuts)
        super().__init__(simulator, signals, values, strategy, costs, sizing)
        self.engine = engine
        self.native = run.native
        self._kept = books
        self._said = run.notes

    @cached_property
    def _books(self) -> Books:
        return self._kept

    @cached_property
    def notes(self) -> tuple[str, ...]:
        """What a reader must know to judge the numbers."""
        return (f"Simulated by {self.engine}.", *super().notes, *self._said)


def run_engine(
    engine: str,
    bars: Bars,
    strategy: Strategy | None,
    signals: Signals,
    *,
    costs: Costs,
    sizing: Sizing,
    cash: float,
    fill: Where,
    window: tuple[int, int] | None = None,
    close_at_end: bool = False,
    plain: frozenset[str] = frozenset(),
) -> EngineBacktest:
    """Simulate in vectorbt or backtrader; `plain` names what backtrader does as it comes (`AS_IT_COMES` there).

    Raises
    ------
    SettingsError
        The engine cannot do what was asked for; the message names it and the engine that can.
    MissingExtraError
        The library is not installed.
    """
    whole = window is None and not close_at_end
    reasons = list(_refusals(engine, bars, signals, sizing, fill, whole))
    if reasons:
        raise SettingsError(
            f"engine={engine!r} cannot do this: {'; '.join(reasons)}. {_use_instead(engine, bars, signals, fill)}"
        )
    simulator = Simulator(bars, costs=costs, sizing=sizing, cash=cash, fill=fill)
    started = time.perf_counter()
    if engine == "vectorbt":
        run = _in_vectorbt(bars, signals, costs, sizing, simulator.cash, fill)
    else:
        run = _in_backtrader(bars, strategy, signals, costs, sizing, simulator.cash, plain)
    seconds = time.perf_counter() - started
    result = EngineBacktest(simulator, signals, strategy, costs, sizing, engine, run)
    result.seconds = seconds
    return result


def _refusals(engine: str, bars: Bars, signals: Signals, sizing: Sizing, fill: Where, whole: bool) -> Iterator[str]:
    """What an engine cannot do of what was asked for, each in words."""
    grid = _is_grid(signals)
    protected = any(x is not None for x in (signals.stop, signals.target, signals.trail, signals.bracket))
    if isinstance(signals, Orders) and not grid:
        yield "limit orders of a strategy's own step (of the built-in strategies it has the grid)"
    if grid and sizing.kind == "volatility":
        yield "a grid with volatility sizing"
    if sizing.max_exposure > 1:
        yield f"max_exposure={sizing.max_exposure:g}, as nobody lends it cash"
    if not whole:
        yield "window and close_at_end, which are for folds"
    if fill == "close" and (engine == "backtrader" or grid or protected):
        yield "fill='close'" + ("" if engine == "backtrader" else " with stops, targets, trails or a grid")
    if fill == "close" and engine == "vectorbt" and sizing.kind in ("cash", "units") and sizing.max_exposure < 1:
        yield "fill='close' with max_exposure below 1"
    if engine == "vectorbt" and bars.funding_rate is not None and bool(np.nan_to_num(bars.funding_rate).any()):
        yield "funding, as its cash changes by orders only"


def _use_instead(engine: str, bars: Bars, signals: Signals, fill: Where) -> str:
    funded_only = engine == "vectorbt" and fill != "close" and not isinstance(signals, Orders)
    if funded_only and bars.funding_rate is not None:
        return "Use engine='fast' or engine='backtrader', or give bars without funding_rate."
    return "Use engine='fast'."


def _is_grid(signals: Signals) -> bool:
    if not isinstance(signals, Orders):
        return False
    from maestro.strategies.builtin.grid import grid_step

    return signals.step is grid_step


def _in_vectorbt(bars: Bars, signals: Signals, costs: Costs, sizing: Sizing, cash: float, fill: Where) -> _Run:
    try:
        from maestro.engine import vectorbt
    except ImportError as error:
        raise MissingExtraError("vectorbt", "vectorbt") from error
    ruin = (
        "the account is ruined {where}, and vectorbt, which lends nothing, cannot close what costs more than the cash. "
        "Use engine='fast' or engine='backtrader', a smaller sizing, or bars that end before."
    )
    try:
        portfolio, fills, equity, position, cuts = vectorbt.run(bars, signals, costs, sizing, cash, fill == "close")
    except Exception as error:
        if type(error).__name__ == "RejectedOrderError":
            raise SettingsError(f"engine='vectorbt': {ruin.format(where='(' + str(error) + ')')}") from error
        raise
    if (equity <= 0).any():
        bar = int(np.argmax(equity <= 0))
        raise SettingsError(f"engine='vectorbt': {ruin.format(where=f'at bar {bar}')}")
    return _Run(fills, equity, position, portfolio, cuts=cuts)


def _in_backtrader(
    bars: Bars,
    strategy: Strategy | None,
    signals: Signals,
    costs: Costs,
    sizing: Sizing,
    cash: float,
    plain: frozenset[str],
) -> _Run:
    try:
        from maestro.engine import backtrader
    except ImportError as error:
        raise MissingExtraError("backtrader", "legacy") from error
    from maestro.strategies import STRATEGIES

    built_in = strategy is not None and STRATEGIES.get(strategy.name) is type(strategy)
    diary, analyzers = backtrader.run(bars, strategy if built_in else None, signals, costs, sizing, cash, plain)
    notes = []
    if not built_in:
        notes.append("backtrader traded the signals that were given: only the built-in rules are written for it.")
    if diary.refused:
        notes.append(f"backtrader's broker refused {diary.refused} orders that cost more than the cash.")
    equity, position = np.array(diary.equity), np.array(diary.position)
    position[abs(position) < 1e-12 * max(abs(position).max(), 1e-300)] = 0.0
    return _Run(diary.fills, equity, position, analyzers, tuple(diary.payments), diary.cuts, tuple(notes))
