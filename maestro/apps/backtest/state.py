"""The state of the Backtest app, as parameters."""

from __future__ import annotations

import param

from maestro._core.formatting import listed
from maestro.apps.backtest.plane import MEASURED, axes_of
from maestro.apps.shared.command import command_of
from maestro.apps.shared.indicator_panes import IndicatorState
from maestro.apps.shared.regimes import RegimeState
from maestro.apps.shared.state import SERIES, Settings, TradeState
from maestro.errors import MaestroError, SettingsError

KEPT = ("strategy", "params", "fee", "slippage", "sizing", "cash", "fill")
"""Settings of a backtest that is kept for comparison."""
_DRAWN = ("heat_map", "indicators", "kept")


class BacktestState(TradeState, RegimeState, IndicatorState):
    """Bars, rule, parameters, costs, sizing and fill of one backtest, and whether regimes are shown."""

    notebook = "08_backtest_report"

    heat_map = param.List(
        default=[], item_type=str, doc="Two parameters and a metric, of which a heat map is shown; empty for none."
    )

    kept = param.Dict(default={}, doc="Strategy, parameters, costs, sizing, cash and fill of a second backtest.")

    def _handed_over(self, values: Settings) -> Settings:
        """Return what settings of another app change here: the parameters of a heat map are those of one strategy."""
        return values if values["strategy"] == self.strategy else {**values, "heat_map": []}

    def frozen(self) -> Settings:
        """Return the parameters of the notebook, which has none of what is drawn beside the backtest."""
        return {name: value for name, value in self.settings().items() if name not in _DRAWN}

    def unknown_axes(self) -> list[str]:
        """What of the heat map of a link cannot be drawn, in words."""
        if not self.heat_map:
            return []
        try:
            axes = list(axes_of(self.chosen(), self.params))
        except MaestroError:  # the page says what is wrong with the strategy
            return []
        if len(axes) < 2:  # the heat map says so
            return []
        x, y, metric = [*self.heat_map, "", "", ""][:3]
        wrong = [f"{name!r} is not one of {listed(axes, word='or')}" for name in (x, y) if name not in axes]
        wrong += [] if metric in MEASURED else [f"{metric!r} is not one of {listed(list(MEASURED), 20, word='or')}"]
        return [f"the heat map of the link: {', '.join(wrong)}"] if wrong else []

    def keep(self) -> None:
        """Keep what is simulated now for comparison."""
        settings = self.settings()
        self.kept = {name: settings[name] for name in KEPT}

    def second(self) -> BacktestState | None:
        """State of the backtest that is kept, on the bars of this one.

        Raises
        ------
        SettingsError
            What is kept does not fit; a link may say anything.
        """
        if not self.kept:
            return None
        series = {name: getattr(self, name) for name in SERIES}
        try:
            return type(self)(self.own, **series, **{name: self.kept[name] for name in self.kept if name in KEPT})
        except (ValueError, TypeError) as error:
            raise SettingsError(f"its settings are refused ({error}); keep another one.") from error

    def command(self) -> str:
        """Command line that gives the same backtest."""
        options = {**self._trade_options(), "periods-per-year": self.periods_per_year}
        return command_of(["backtest", self.strategy], options)

    def python(self) -> str:
        """Lines of Python that give the same backtest."""
        more = "ms.validation.by_regime(bt, train=train, refit=refit)\n" if self.regimes else ""
        return (
            f"{self._load_line()}bt = ms.backtest(bars, {self._strategy_text()}, params={self.params!r}, "
            f"{self._trade_lines()})\nbt.metrics\n{self._regime_lines()}{more}"
        )
