"""Results on a page that are older than its controls: dimmed, under a line that says so."""

from __future__ import annotations

from typing import Any

import panel as pn

from maestro.apps.shared.page import Message

DIMMED = "0.45"
"""Opacity of a result that does not belong to the controls."""


class Stale(pn.viewable.Viewer):
    """Holds what a page shows of a result; `mark` says that the controls ask for another one."""

    def __init__(self, *content: Any) -> None:
        super().__init__()
        self.line = Message()
        self.content = content

    def mark(self, why: str = "") -> None:
        """Dim the content and say why it is old; an empty text says that it is current."""
        self.line.say(why, "warning")
        for one in self.content:
            one.styles = {**one.styles, "opacity": DIMMED if why else "1"}  # the browser keeps a style left out

    def __panel__(self) -> Any:
        styles = {"max-height": "none"}  # otherwise a tall result is cut at the height of the page, as in `page.card`
        return pn.Column(self.line, *self.content, sizing_mode="stretch_width", styles=styles)
