"""The state of the Backtest app, as parameters."""

from __future__ import annotations

from maestro.apps.shared.regimes import RegimeState
from maestro.apps.shared.state import TradeState


class BacktestState(TradeState, RegimeState):
    """Bars, rule, parameters, costs, sizing and fill of one backtest, and whether regimes are shown."""

    notebook = "08_backtest_report"

    def python(self) -> str:
        """Lines of Python that give the same backtest."""
        more = "ms.validation.by_regime(bt, train=train, refit=refit)\n" if self.regimes else ""
        return (
            f"{self._load_line()}bt = ms.backtest(bars, {self._strategy_text()}, params={self.params!r}, "
            f"{self._trade_lines()})\nbt.metrics\n{self._regime_lines()}{more}"
        )
