"""Regimes in an app: a switch, the history of the bars that are shown, and the probabilities as a pane of the chart."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Any

import panel as pn
import param

from maestro.apps.chart import Line, Pane
from maestro.apps.shared.delivery import delivery
from maestro.apps.shared.latest import Latest
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
    """Switch of the state's `regimes`; it fits the model once for the same bars.

    On a served page the model is fitted in a thread, so the page and other visitors do not wait.

    Parameters
    ----------
    state : RegimeState
    ready : callable
        Called when regimes that were fitted in the thread can be shown.
    """

    def __init__(self, state: RegimeState, ready: Callable[[], None]) -> None:
        import panel_material_ui as pmui

        super().__init__()
        self.state, self.problem = state, ""
        self._ready = ready
        self.switch = pmui.Switch(label="Regimes", value=state.regimes, sizing_mode="stretch_width")
        self.working = pmui.LinearProgress(
            variant="indeterminate", sizing_mode="stretch_width", visible=False, margin=(0, 10)
        )
        self.switch.param.watch(lambda event: state.param.update(regimes=event.new), "value")
        state.param.watch(lambda event: self.switch.param.update(value=event.new), "regimes")
        self._known: tuple[str, RegimeHistory | str] | None = None
        deliver = delivery()
        self._latest = Latest(deliver)
        if deliver is not None:
            pn.state.on_session_destroyed(lambda *_: self._latest.stop())

    def history(self, bars: Bars) -> RegimeHistory | None:
        """Regimes of the bars; None if they are off, not ready, or cannot be found, which `problem` explains."""
        self.problem = ""
        if not self.state.regimes:
            self._latest.stop()
            self.working.visible = False
            return None
        if self._known is None or self._known[0] != bars.fingerprint:
            self._ask(bars)
        if self._known is None or self._known[0] != bars.fingerprint:
            return None
        found = self._known[1]
        if isinstance(found, str):
            self.problem = f"Regimes: {found}"
            return None
        return found

    def _ask(self, bars: Bars) -> None:
        asking = True

        def steps(cancel: threading.Event) -> Iterator[RegimeHistory | str]:
            yield _found(bars)

        def step(found: RegimeHistory | str) -> None:
            self._known = (bars.fingerprint, found)

        def end(error: Exception | None) -> None:
            self.working.visible = False
            if error is not None:
                self._known = (bars.fingerprint, f"{type(error).__name__}: {error}")
            if not asking:
                self._ready()

        self.working.visible = True
        self._latest.ask(steps, step, end)
        asking = False

    def __panel__(self) -> Any:
        return pn.Column(self.switch, self.working, sizing_mode="stretch_width")


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
