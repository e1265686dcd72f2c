"""What an account trades with: costs, sizing, cash and fill, and the simulator that uses them."""

from __future__ import annotations

from dataclasses import dataclass

from maestro.bars import Bars
from maestro.engine.costs import Costs
from maestro.engine.simulator import Simulator
from maestro.engine.sizing import Sizing
from maestro.typing import Fill


@dataclass(frozen=True)
class SimulationSettings:
    """Costs, sizing, starting cash [currency] and fill of a simulation; see `Simulator`."""

    costs: Costs
    sizing: Sizing
    cash: float
    fill: Fill

    def simulator(
        self, bars: Bars, window: tuple[int, int] | None = None, *, close_at_end: bool = False
    ) -> Simulator:  # fmt: skip
        """Return a simulator of these settings on bars, or on a window of them.

        Raises
        ------
        SettingsError
            Impossible settings, or a window outside the bars.
        """
        return Simulator(
            bars, costs=self.costs, sizing=self.sizing, cash=self.cash, fill=self.fill, window=window,
            close_at_end=close_at_end,
        )  # fmt: skip
