"""The state of the Backtest app, as parameters."""

from __future__ import annotations

import param

from maestro.apps.shared.regimes import RegimeState
from maestro.apps.shared.state import Settings, TradeState


class BacktestState(TradeState, RegimeState):
    """Bars, rule, parameters, costs, sizing and fill of one backtest, and whether regimes are shown."""

    notebook = "08_backtest_report"

    heat_map = param.List(
        default=[], item_type=str, doc="Two parameters and a metric, of which a heat map is shown; empty for none."
    )

    def frozen(self) -> Settings:
        """Return the parameters of the notebook, which has no heat map."""
        return {name: value for name, value in self.settings().items() if name != "heat_map"}

    def python(self) -> str:
        """Lines of Python that give the same backtest."""
        more = "ms.validation.by_regime(bt, train=train, refit=refit)\n" if self.regimes else ""
        return (
            f"{self._load_line()}bt = ms.backtest(bars, {self._strategy_text()}, params={self.params!r}, "
            f"{self._trade_lines()})\nbt.metrics\n{self._regime_lines()}{more}"
        )
