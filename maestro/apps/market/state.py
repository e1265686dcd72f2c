"""The state of the Market app, as parameters."""

from __future__ import annotations

from maestro.apps.shared.command import command_of, pairs
from maestro.apps.shared.indicator_panes import IndicatorState
from maestro.apps.shared.regimes import RegimeState
from maestro.apps.shared.state import SeriesState, Settings


class MarketState(SeriesState, RegimeState, IndicatorState):
    """A series, its defects, its regimes and indicators."""

    notebook = "02_data_and_defects"

    def frozen(self) -> Settings:
        """Return the parameters of the notebook, which draws no indicators."""
        return {name: value for name, value in self.settings().items() if name != "indicators"}

    def command(self) -> str:
        """Command line that lists the defects of the same bars: of all by ``data check``, of a part by the notebook."""
        if self.start or self.end or self.data.startswith("sample:"):
            given = {name: value for name, value in self.frozen().items() if value is not None}
            return command_of(["report", self.notebook], {"param": pairs(given)})
        name, _, symbol = self.data.partition("#")
        return command_of(["data", "check", name], {"symbol": symbol})

    def python(self) -> str:
        """Lines of Python that give the same bars, and what is odd in them."""
        return f"{self._load_line()}bars.quality()\n{self._regime_lines()}"
