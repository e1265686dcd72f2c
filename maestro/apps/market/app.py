"""The Market app: a series, its columns, and its anomalies."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import panel as pn

from maestro.apps.market import session
from maestro.apps.market.state import MarketState
from maestro.apps.market.view import MarketView
from maestro.apps.notebook import in_cell
from maestro.apps.shared.freeze import Freeze
from maestro.apps.shared.indicator_panes import IndicatorBox
from maestro.apps.shared.page import page
from maestro.apps.shared.regimes import RegimeSwitch
from maestro.apps.shared.series import SeriesPicker
from maestro.bars import Bars
from maestro.errors import SettingsError


class App(pn.viewable.Viewer):
    """State, controls and view of one visitor."""

    State: ClassVar = MarketState

    def __init__(self, bars: Bars | None = None, *, query: Mapping[str, str] | None = None, **settings: Any) -> None:
        super().__init__()
        self.state = self.State(**settings)
        problems = self.state.read(query or {})
        self.picker, self.regimes = SeriesPicker(self.state, bars), RegimeSwitch(self.state, self._show)
        self.view = MarketView(IndicatorBox(self.state), Freeze(self.state))
        self.state.param.watch(self._changed, list(self.state.settings()))
        self._show()
        if problems:
            self.view.message.say("; ".join(filter(None, (*problems, self.view.message.text))))

    def settings(self) -> dict[str, Any]:
        """Return what reproduces the screen."""
        return self.state.settings()

    def _changed(self, *events: Any) -> None:
        if any(event.name not in ("regimes", "indicators") for event in events):
            self.picker.load()
        self._show()

    def _show(self) -> None:
        if self.picker.bars is None:
            self.view.fail(self.picker.problem)
        else:
            bars = self.picker.bars
            try:
                shown = session.look(bars, self.regimes.history(bars), self.state.indicators)
            except SettingsError as error:
                self.view.fail(str(error))
                return
            self.view.update(shown)
            self.view.message.say(self.regimes.problem)

    def page(self) -> Any:
        """Page of a served app."""
        return page("market", [self.picker, self.regimes], [self.view], self.state)

    def __panel__(self) -> Any:
        return in_cell([self.picker, self.regimes], self.view)
