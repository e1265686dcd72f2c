"""The Decision tab of the Walk-forward app: concentration, Monte Carlo, regimes and current parameters, on request."""

from __future__ import annotations

import threading
from typing import Any

import panel as pn

from maestro._core.formatting import label
from maestro.apps.shared.page import HtmlPane, Message
from maestro.apps.shared.theming import themed
from maestro.apps.walk_forward.job import Job
from maestro.decision.measure import Decision, measure
from maestro.errors import message_of
from maestro.reports.html.environment import Html, stylesheet
from maestro.reports.html.fragments import paragraph
from maestro.reports.page.decision import blocks
from maestro.walkforward.result import WalkForward

_EVERY = 150
"""Milliseconds between two looks at the measurement."""
_HINT = (
    "<p>Measure shows the sources of the profit, the role of luck, regimes, and current parameters. It takes "
    "seconds.</p>"
)

_PARTS = {
    "monte_carlo": "Monte Carlo of the trades", "now": "current parameters", "expected": "expected band",
    "by_regime": "performance by regime", "cpcv": "combinatorial cross-validation",
    "parameter_permutation": "all parameter sets of the search", "retiming": "other moments of retraining",
}  # fmt: skip
"""What is being measured, where the name of the part does not say it."""


class DecisionTab(pn.viewable.Viewer):
    """Measures the run that is shown in a thread; another run ends the measurement and empties the tab."""

    def __init__(self) -> None:
        import panel_material_ui as pmui

        super().__init__()
        self.button = pmui.Button(label="Measure", variant="contained", width=120)
        self.button.on_click(lambda *_: self.begin())
        self.message, self.hint = Message(), HtmlPane(_HINT, sizing_mode="stretch_width")
        self.body = pn.Column(sizing_mode="stretch_width")
        self.measured: Decision | None = None
        self.dark = False
        self._wf: WalkForward | None = None
        self._job: Job | None = None
        self._cancel = threading.Event()
        self._thread: threading.Thread | None = None
        self._ended: tuple[Decision | None, Exception | None] | None = None
        self._part = ""
        self._watch: Any = None

    def put(self, wf: WalkForward, job: Job) -> None:
        """Take another run; nothing is measured until the button is pressed."""
        self.stop()
        self._wf, self._job, self.measured, self._ended = wf, job, None, None
        self.body[:] = []
        self.hint.object = _HINT
        self.message.say()
        self.button.disabled = False

    def begin(self) -> None:
        """Measure the run in a thread."""
        wf, job = self._wf, self._job
        if wf is None or job is None or self._watch is not None:
            return
        cancel = self._cancel = threading.Event()
        self.button.disabled, self._ended = True, None

        def work() -> None:
            ended: tuple[Decision | None, Exception | None]
            try:
                ended = measure(wf, job.bars, strategy=job.own, cancel=cancel, progress=self._tell), None
            except Exception as error:  # a user-defined strategy may raise anything
                ended = None, error
            if not cancel.is_set():  # else the tab shows another run by now
                self._ended = ended

        self._thread = threading.Thread(target=work, name="decision", daemon=True)
        self._thread.start()
        self._watch = pn.state.add_periodic_callback(self.look, period=_EVERY)

    def look(self) -> None:
        """Show what is being measured, and the result at its end."""
        if self._ended is None:
            self.hint.object = f"<p>Measuring: {_PARTS.get(self._part, label(self._part).lower())}</p>"
            return
        (found, error), self._ended = self._ended, None
        self._unwatch()
        self.button.disabled, self.hint.object = False, ""
        if error is not None:
            self.message.say(message_of(error))
            return
        self.measured = found
        self._draw()

    def wait(self, seconds: float) -> None:
        """Wait for the measurement in progress."""
        if self._thread is not None:
            self._thread.join(seconds)

    def stop(self) -> None:
        """End the measurement in progress before its next part."""
        self._cancel.set()
        self._unwatch()

    def theme(self, dark: bool) -> None:
        """Draw the figures in the page's theme."""
        self.dark = dark
        if self.measured is not None:
            self._draw()

    def _tell(self, part: str) -> None:
        self._part = part

    def _unwatch(self) -> None:
        if self._watch is not None:
            self._watch.stop()
            self._watch = None

    def _draw(self) -> None:
        assert self._wf is not None
        before, after, figures = blocks(self._wf, self.measured)
        rows: list[Any] = []
        for block in (*before, *after):
            rows.append(HtmlPane(f"<h3>{block.title}</h3>{paragraph(block.lead, 'note')}", sizing_mode="stretch_width"))
            for place, _ in block.figures:
                rows.append(pn.pane.Bokeh(themed(figures[place], self.dark), sizing_mode="stretch_width"))
            styled = Html(f"<style>{stylesheet('tables.css')}</style><div class='mst'>{block.html}</div>")
            rows.append(HtmlPane(str(styled), sizing_mode="stretch_width"))
        self.body[:] = rows

    def __panel__(self) -> Any:
        return pn.Column(self.button, self.message, self.hint, self.body, sizing_mode="stretch_width")
