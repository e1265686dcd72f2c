"""The buttons of the Walk-forward app, in a bar that stays at the top of the page while it scrolls."""

from __future__ import annotations

from html import escape
from typing import Any

import panel as pn

from maestro.apps.shared.page import HtmlPane
from maestro.execution.jobs import Progress

_STAYS = {"position": "sticky", "top": "0", "z-index": "20", "max-height": "none"}
_TEXT = {"font-size": "13px", "font-variant-numeric": "tabular-nums"}


class ActionBar(pn.viewable.Viewer):
    """Start, cancel, verdict and report, with what a start costs, or how far the run in progress is."""

    def __init__(self) -> None:
        import panel_material_ui as pmui

        super().__init__()
        small: dict[str, Any] = {"size": "small", "margin": (4, 6)}
        self.start = pmui.Button(label="Start", variant="contained", **small)
        self.cancel = pmui.Button(label="Cancel", variant="outlined", disabled=True, **small)
        self.judge = pmui.Button(label="Verdict", variant="outlined", disabled=True, **small)
        self.report = pmui.Button(label="Report", variant="outlined", disabled=True, **small)
        self.text = HtmlPane("", margin=(4, 8), styles=_TEXT)
        self.progress = pmui.LinearProgress(
            value=0, variant="determinate", sizing_mode="stretch_width", margin=(2, 0, 0, 0), visible=False
        )
        self._effort, self._progress = "", ""

    def offer(self, verb: str, effort: str) -> None:
        """Show what the first button does, and what that costs."""
        self.start.label, self._effort = verb, effort
        self._say()

    def show_progress(self, progress: Progress | None) -> None:
        """Show how far the run is; None ends it."""
        self._progress = "" if progress is None else progress.words
        if progress is not None:
            self.progress.value = progress.percent
        self.progress.visible = progress is not None
        self._say()

    def _say(self) -> None:
        self.text.object = escape(self._progress or self._effort)

    def __panel__(self) -> Any:
        import panel_material_ui as pmui

        buttons = pn.FlexBox(
            self.start, self.cancel, self.judge, self.report, self.text, align_items="center", margin=(2, 6),
        )  # fmt: skip
        inner = pn.Column(buttons, self.progress, sizing_mode="stretch_width")
        return pmui.Paper(inner, sizing_mode="stretch_width", elevation=2, margin=(0, 0, 12, 0), styles=_STAYS)
