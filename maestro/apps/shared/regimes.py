"""Regimes in an app: a switch, the history of the bars that are shown, and the probabilities as a pane of the chart."""

from __future__ import annotations

from typing import Any

import panel as pn
import param

from maestro.apps.chart import Line, Pane
from maestro.apps.shared.state import AppState
from maestro.bars import Bars
from maestro.errors import MaestroError
from maestro.regime import RegimeHistory, regimes, training_lengths
from maestro.reports.figures.regimes import state_color


class RegimeState(AppState):
    """Whether regimes are shown."""

    regimes = param.Boolean(
        default=False, doc="Show the regimes: two states by returns, each known at its bar's close."
    )

    def _regime_lines(self) -> str:
        """Lines of Python that give the regimes of `bars` as the app shows them; none where they are switched off."""
        if not self.regimes:
            return ""
        return (
            "\nimport maestro.regime\n\ntrain, refit = maestro.regime.training_lengths(bars)\n"
            "regimes = ms.regimes(bars, train=train, refit=refit)\n"
        )


class RegimeSwitch(pn.viewable.Viewer):
    """Switch of the state's `regimes`; it fits the model once for the same bars."""

    def __init__(self, state: RegimeState) -> None:
        import panel_material_ui as pmui

        super().__init__()
        self.state, self.problem = state, ""
        self.switch = pmui.Switch(label="Regimes", value=state.regimes, sizing_mode="stretch_width")
        self.switch.param.watch(lambda event: state.param.update(regimes=event.new), "value")
        state.param.watch(lambda event: self.switch.param.update(value=event.new), "regimes")
        self._known: tuple[str, RegimeHistory | str] | None = None

    def history(self, bars: Bars) -> RegimeHistory | None:
        """Regimes of the bars; None if they are off or cannot be found, which `problem` explains."""
        self.problem = ""
        if not self.state.regimes:
            return None
        if self._known is None or self._known[0] != bars.fingerprint:
            self._known = (bars.fingerprint, _found(bars))
        found = self._known[1]
        if isinstance(found, str):
            self.problem = f"Regimes: {found}"
            return None
        return found

    def __panel__(self) -> Any:
        return self.switch


def _found(bars: Bars) -> RegimeHistory | str:
    """Regimes of the bars, or why there are none."""
    train, refit = training_lengths(bars)
    try:
        return regimes(bars, train=train, refit=refit)
    except MaestroError as error:
        return str(error)


def regime_pane(history: RegimeHistory) -> Pane:
    """Filtered probability of each state over time."""
    lines = [
        Line(
            f"state {k}",
            history.bars.time,
            history.probabilities[:, k],
            color=state_color(k),
            width=1,
            format="percent",
        )
        for k in range(history.settings.states)
    ]
    return Pane("regimes", lines)
