"""The plan of a fold: everything that determines its result, and the simulation of its windows."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from maestro.bars import Bars
from maestro.engine import Backtest, Costs, SimulationSettings, Simulator, Sizing
from maestro.search.space import Space
from maestro.strategies.base import Strategy
from maestro.strategies.signals import Signals
from maestro.typing import Fill, Parameters
from maestro.walkforward.selection import Selection
from maestro.walkforward.splitters import Window


@dataclass(frozen=True)
class Plan:
    """Everything that determines the result of a fold, except its bars and window."""

    strategy: type[Strategy]
    space: Space
    method: Any
    trials: int
    seed: int
    selection: Selection
    costs: Costs
    sizing: Sizing
    cash: float
    fill: Fill
    first: tuple[Parameters, ...] = ()
    pruner: Any = None

    def seed_of(self, fold: int) -> int:
        """Seed of a fold's search, from the run's seed and the fold alone."""
        return int(np.random.SeedSequence([self.seed, fold]).generate_state(1)[0])

    @property
    def settings(self) -> SimulationSettings:
        """Costs, sizing, cash and fill."""
        return SimulationSettings(self.costs, self.sizing, self.cash, self.fill)

    def simulator(self, bars: Bars) -> Simulator:
        """Return the simulator of a training window, or of any bars that are traded as a whole; it ends flat."""
        return self.settings.simulator(bars, close_at_end=True)

    def test_simulator(self, bars: Bars, window: Window, *, costs: Costs | None = None) -> Simulator:
        """Return the simulator of a test window, with the bars from the start of the training window as history.

        Signals must cover all of its `bars`; it trades those from `begin` to `end`, and ends flat.

        Parameters
        ----------
        bars : Bars
            All bars of the run, or the same number of bars with other values.
        window : Window
        costs : Costs, optional
            Costs to use instead of the plan's.
        """
        settings = self.settings if costs is None else replace(self.settings, costs=costs)
        return settings.simulator(window.history(bars), window.tested, close_at_end=True)

    def signals(self, params: Parameters, bars: Bars) -> Signals:
        """Return the signals of a set of parameters on bars.

        The strategy may be user-defined: any exception can come from it.
        """
        return self.strategy(**params).evaluate(bars)

    def backtest(self, simulator: Simulator, params: Parameters) -> Backtest:
        """Simulate a set of parameters and return the result with its equity and trades."""
        strategy = self.strategy(**params)
        signals = strategy.evaluate(simulator.bars)
        return Backtest(simulator, signals, simulator.metrics(signals), strategy, self.costs, self.sizing)
