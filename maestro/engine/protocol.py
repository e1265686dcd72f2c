"""What an engine promises: which backtests it can simulate, and the fills, equity and position of a run."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from maestro.bars import Bars
from maestro.engine.costs import Costs
from maestro.engine.fills import Fill
from maestro.engine.sizing import Sizing
from maestro.strategies.base import Strategy
from maestro.strategies.signals import Signals
from maestro.typing import Fill as Where
from maestro.typing import FloatArray

ABILITIES = (
    "trades", "stops, brackets, grid", "own limit orders", "funding", "max_exposure above 1", "fill at the close",
    "windows of folds", "ruin",
)  # fmt: skip
"""What `ms.engines` tells of every engine."""


@dataclass(frozen=True, slots=True)
class Task:
    """One backtest that an engine is asked to simulate.

    Attributes
    ----------
    bars : Bars
    strategy : Strategy or None
        None if signals were given.
    signals : Signals
        Those of the strategy, or the given ones; decided at a bar's close.
    costs, sizing, cash, fill
        As in `ms.backtest`.
    whole : bool
        All bars are traded, and an open position stays open; False for the windows of folds.
    options : mapping
        The engine's own.
    """

    bars: Bars
    strategy: Strategy | None
    signals: Signals
    costs: Costs
    sizing: Sizing
    cash: float
    fill: Where
    whole: bool = True
    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class EngineRun:
    """What an engine returns.

    Attributes
    ----------
    fills : list of Fill, in order of time
    equity, position : float64[n]
        At each bar's close: equity [currency] and units held, negative when short.
    native : object
        The engine's own result, for `Backtest.native`.
    payments : tuple of (bar, amount)
        Funding paid, negative when received.
    cuts : int
        Entries that were made smaller to fit the cash or the largest exposure.
    notes : tuple of str
        What a reader must know to judge the numbers.
    """

    fills: list[Fill]
    equity: FloatArray
    position: FloatArray
    native: Any = None
    payments: tuple[tuple[int, float], ...] = ()
    cuts: int = 0
    notes: tuple[str, ...] = ()


class Engine(ABC):
    """An engine that simulates backtests; metrics are computed from its fills and equity by Maestro.

    Attributes
    ----------
    name : str
        As in ``engine="name"``.
    alias : str
        A second name.
    extra : str
        The extra of Maestro that installs its library, if one does.
    abilities : mapping
        By the names in `ABILITIES`, ``yes``, ``no`` or a few words; for the table of `ms.engines`.
    """

    name: str
    alias: str = ""
    extra: str = ""
    abilities: Mapping[str, str] = {}

    def refusals(self, task: Task) -> Iterator[str]:
        """Yield what the engine cannot do of a task, each in words; nothing if it can do all of it."""
        yield from ()

    def instead(self, task: Task) -> str:
        """Return what to use for a task that is refused, in a sentence."""
        return "Use engine='fast'."

    @abstractmethod
    def run(self, task: Task) -> EngineRun:
        """Simulate a task that is not refused.

        Raises
        ------
        SettingsError
            Something it finds out only now that it cannot simulate.
        MissingExtraError
            Its library is not installed.
        """
