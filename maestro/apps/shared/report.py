"""A run's report on the page of an app: in a frame of its own, to be read, saved and closed."""

from __future__ import annotations

import io
from html import escape
from typing import Any

import panel as pn

from maestro.apps.shared.page import HtmlPane, card

_FRAME = "width: 100%; height: 82vh; border: 0; border-radius: 4px; display: block; scroll-margin-top: 130px"
_SCROLL = " onload=\"this.scrollIntoView({behavior: 'smooth', block: 'start'})\""
"""Of a report that was just opened: it may lie below the screen."""


class ReportFrame(pn.viewable.Viewer):
    """Hidden until a report is shown; its scripts run, and reach nothing of the page around it.

    Attributes
    ----------
    run : str
        Run whose report is shown; empty if none is.
    """

    def __init__(self) -> None:
        import panel_material_ui as pmui

        super().__init__()
        wide: dict[str, Any] = {"size": "small", "margin": (2, 4)}
        self.text, self.run, self.dark = "", "", False
        self.frame = HtmlPane("", sizing_mode="stretch_width")
        self.save = pmui.FileDownload(
            callback=lambda: io.BytesIO(self.text.encode()), filename="report.html", label="Save", icon="download",
            variant="outlined", **wide,
        )  # fmt: skip
        self.close = pmui.Button(label="Close", icon="close", variant="text", **wide)
        self.close.on_click(lambda _: self.put("", ""))
        self.card = card("Report", pn.Row(self.save, self.close), self.frame, visible=False)

    def put(self, text: str, run: str) -> None:
        """Show the text of a run's report; an empty one hides what is shown."""
        opened = run != self.run
        self.text, self.run = text, run
        self.save.filename = f"maestro-{run}.html"
        self._draw(_SCROLL if opened else "")
        self.card.visible = bool(text)

    def theme(self, dark: bool) -> None:
        """Show the report in the page's theme; the saved file follows the system of its reader."""
        self.dark = dark
        self._draw()

    def _draw(self, more: str = "") -> None:
        shown = self.text.replace("<html ", f'<html data-theme="{"dark" if self.dark else "light"}" ', 1)
        paper = "#0e1014" if self.dark else "#ffffff"
        self.frame.object = shown and (
            f'<iframe title="Report" sandbox="allow-scripts" style="{_FRAME}; background: {paper}"{more} '
            f'srcdoc="{escape(shown)}"></iframe>'
        )

    def __panel__(self) -> Any:
        return self.card
