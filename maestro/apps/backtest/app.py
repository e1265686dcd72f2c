"""The Backtest app: controls at the left, and a backtest that follows them."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from typing import Any, ClassVar

import panel as pn

from maestro.apps.backtest import session
from maestro.apps.backtest.heat_map import HeatMap
from maestro.apps.backtest.state import BacktestState
from maestro.apps.backtest.view import BacktestView
from maestro.apps.notebook import in_cell
from maestro.apps.shared.controls import StrategyControls, TradeControls
from maestro.apps.shared.delivery import delivery
from maestro.apps.shared.freeze import Freeze
from maestro.apps.shared.journey import link_to, settings_from
from maestro.apps.shared.page import BUTTON_STYLE, HtmlPane, page
from maestro.apps.shared.regimes import RegimeSwitch
from maestro.apps.shared.series import SeriesPicker
from maestro.apps.shared.state import SERIES
from maestro.bars import Bars
from maestro.errors import MaestroError


class App(pn.viewable.Viewer):
    """State, controls and view of one visitor."""

    State: ClassVar = BacktestState

    def __init__(self, bars: Bars | None = None, *, query: Mapping[str, str] | None = None, **settings: Any) -> None:
        super().__init__()
        self.state = self.State(**settings)
        self.problems = [*self.state.read(query or {}), *self.state.unknown_axes()]
        self.picker = SeriesPicker(self.state, bars)
        self.rule, self.trade = StrategyControls(self.state), TradeControls(self.state)
        self.regimes = RegimeSwitch(self.state, self.compute)
        self.onward = HtmlPane("", stylesheets=[BUTTON_STYLE], margin=(4, 10))
        self._deliver = delivery()
        self.heat_map = HeatMap(self.state, self._deliver)
        self.view = BacktestView(self.state, self.heat_map, Freeze(self.state))
        if self._deliver is not None:
            pn.state.on_session_destroyed(lambda *_: self.heat_map.stop())
        self._asked = False
        self.state.param.watch(self._changed, list(self.state.settings()))
        self.compute()

    def settings(self) -> dict[str, Any]:
        """Return what reproduces the screen."""
        return self.state.settings()

    def _changed(self, *events: Any) -> None:
        """Compute once for all changes that are waiting, so that a slider is followed and never chased."""
        if any(event.name in SERIES for event in events):
            self.picker.load()
        if self._deliver is None:
            self.compute()
        elif not self._asked:
            self._asked = True
            self._deliver(self._compute_once)

    def _compute_once(self) -> None:
        self._asked = False
        self.compute()

    def _link(self) -> None:
        """Lead to the walk-forward of these settings, whose parameters are searched."""
        address = escape(link_to("walk_forward", settings_from(self.state)))
        self.onward.object = f"<a class='button' href='{address}'>Walk this forward</a>"

    def compute(self) -> None:
        """Simulate and show; after a failure the page says why, and dims what it showed before."""
        self._link()
        if self.picker.bars is None:
            self._fail(self.picker.problem)
            return
        try:
            shown = session.run(self.state, self.picker.bars, self.regimes.history(self.picker.bars))
        except MaestroError as error:
            self._fail(str(error))
        except Exception as error:  # a user-defined strategy may raise anything, and the page goes on
            self._fail(self.rule.raised(error))
        else:
            self.view.update(shown)
            self.view.message.say("; ".join(filter(None, (*self.problems, self.regimes.problem, shown.problem))))
        self.rule.check(self.picker.bars)

    def _fail(self, problem: str) -> None:
        """Say what went wrong, after what of the link could not be used."""
        self.view.fail("; ".join(filter(None, (*self.problems, problem))))

    def _controls(self) -> list[Any]:
        return [self.picker, self.rule, self.trade, self.onward, self.regimes]

    def page(self) -> Any:
        """Page of a served app."""
        return page("backtest", self._controls(), [self.view], self.state)

    def __panel__(self) -> Any:
        return in_cell(self._controls(), self.view)
