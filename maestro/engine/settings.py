"""Settings of an account: costs, sizing, cash and fill, and the simulator that uses them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from maestro.bars import Bars
from maestro.engine.costs import Costs
from maestro.engine.simulator import Simulator, require_stop
from maestro.engine.sizing import Sizing
from maestro.strategies.base import Strategy
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

    def check(self, bars: Bars, strategy: type[Strategy], fixed: Mapping[str, Any]) -> None:
        """Refuse settings that are invalid for every trial of a search, before it begins.

        Parameters
        ----------
        bars : Bars
        strategy : type of Strategy
        fixed : mapping
            Parameters that are not searched; the others have their defaults here.

        Raises
        ------
        SettingsError
            Impossible settings.
        StrategyError
            Sizing by risk, and signals without stop, trail or bracket. If the strategy cannot be evaluated, its trials
            fail with the reason.
        """
        self.simulator(bars)
        if self.sizing.kind != "risk":
            return
        try:
            signals = strategy(**fixed).evaluate(bars)
        except Exception:  # user code
            return
        require_stop(signals)
