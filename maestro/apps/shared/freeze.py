"""The settings of a screen as a link, a command, lines of Python, and YAML for papermill."""

from __future__ import annotations

from html import escape
from io import StringIO
from typing import Any

import panel as pn

from maestro.apps.shared.accessible import Accessible
from maestro.apps.shared.address import Address
from maestro.apps.shared.copying import CopyButton
from maestro.apps.shared.delivery import REST, after_pause
from maestro.apps.shared.page import TAB_STYLE, HtmlPane, card
from maestro.apps.shared.state import AppState

_STYLE = """
pre { white-space: pre-wrap; overflow-wrap: anywhere; margin: 0; font-size: 12px; line-height: 1.45; }
"""


class Freeze(pn.viewable.Viewer):
    """A card that shows how to reproduce the screen; it follows the state."""

    def __init__(self, state: AppState) -> None:
        import panel_material_ui as pmui

        super().__init__()
        self.state = state
        self._texts = {name: HtmlPane("", stylesheets=[_STYLE]) for name in ("Link", "Command", "Python", "Papermill")}
        self._plain: dict[str, str] = {}
        self.copy = CopyButton()
        self.tabs = pn.Tabs(*self._texts.items(), dynamic=True, stylesheets=[TAB_STYLE], sizing_mode="stretch_width")
        self.tabs.param.watch(lambda *_: self._offer_copy(), "active")
        name = state.notebook or "settings"
        self.download = pmui.FileDownload(
            callback=lambda: StringIO(state.papermill()), filename=f"{name}.yaml", label="Save the YAML",
            color="default", variant="outlined", size="small", width=180,
        )  # fmt: skip
        self.address = Address(state.restore, state.follow)
        self._when_still = after_pause(REST)
        state.param.watch(lambda *_: self.update(), list(state.settings()))
        self.address.search = state.link()
        self._write()

    def update(self) -> None:
        """Update the address of the page, and the texts once a slider rests."""
        self.address.search = self.state.link()
        if self._when_still is None:
            self._write()
        else:
            self._when_still(self._write)

    def _write(self) -> None:
        command = f"maestro report {self.state.notebook}.ipynb --batch {self.state.notebook}.yaml"
        why = self.state.unnamed()
        texts = {
            "Link": why or self._address(),
            "Command": why or self.state.command(),
            "Python": self.state.python(),
            "Papermill": why or f"# {command}\n{self.state.papermill()}",
        }
        self.download.disabled = bool(why)
        for name, text in texts.items():
            self._texts[name].object = f"<pre>{escape(text)}</pre>"
        self._plain = texts
        self._offer_copy()

    def _offer_copy(self) -> None:
        """Copy what the open tab shows."""
        name = list(self._texts)[self.tabs.active]
        words = {"Link": "the link", "Command": "the command", "Python": "the Python", "Papermill": "the YAML"}
        self.copy.param.update(text=self._plain.get(name, ""), label=f"Copy {words[name]}")

    def _address(self) -> str:
        """Address that shows the same; without a page (a notebook) only its query."""
        page, query = pn.state.location, self.state.link()
        if page is None or not page.hostname:
            return query or "(the defaults)"
        return f"{page.protocol}//{page.hostname}{f':{page.port}' if page.port else ''}{page.pathname}{query}"

    def __panel__(self) -> Any:
        unseen = Accessible() if pn.state.location is None else self.address  # a served page has the former
        return card(
            "Freeze: reproduce this screen", self.tabs,
            pn.FlexBox(self.copy, self.download, align_items="center"), unseen,
        )  # fmt: skip
