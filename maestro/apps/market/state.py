"""The state of the Market app, as parameters."""

from __future__ import annotations

from maestro.apps.shared.regimes import RegimeState
from maestro.apps.shared.state import SeriesState


class MarketState(SeriesState, RegimeState):
    """A series, its defects and its regimes."""

    notebook = "02_data_and_defects"

    def python(self) -> str:
        """Lines of Python that give the same bars, and what is odd in them."""
        return f"{self._load_line()}bars.quality()\n{self._regime_lines()}"
