"""Protocol of an engine: the backtests that it supports, and the fills, equity and position of a run."""

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
    """One backtest for an engine.

    Attributes
    ----------
    bars : Bars
    strategy : Strategy or None
        None if the backtest is of signals.
    signals : Signals
        Signals of the strategy, or the given ones; decided at a bar's close.
    costs, sizing, cash, fill
        As in `ms.backtest`.
    whole : bool
        Whether all bars are traded and an open position stays open; False for the windows of folds.
    options : mapping
        Options of the engine.
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
    """Result of an engine.

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
        Number of entries that were reduced to the cash or the maximum exposure.
    notes : tuple of str
        Notes on the interpretation of the numbers.
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
        ``yes``, ``no`` or a few words by the names in `ABILITIES`, for the table of `ms.engines`.
    """

    name: str
    alias: str = ""
    extra: str = ""
    abilities: Mapping[str, str] = {}

    def refusals(self, task: Task) -> Iterator[str]:
        """Yield the features of a task that the engine does not support, in words."""
        yield from ()

    def instead(self, task: Task) -> str:
        """Return a sentence on what to use instead for a task that is refused."""
        return "Use engine='fast'."

    @abstractmethod
    def run(self, task: Task) -> EngineRun:
        """Simulate a task that is not refused.

        Raises
        ------
        SettingsError
            A feature that turns out to be unsupported during the run.
        MissingExtraError
            Its library is not installed.
        """
