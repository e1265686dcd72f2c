"""One page for every app: title, controls at the left, content, links to the other apps, light and dark."""

from __future__ import annotations

from html import escape
from typing import Any

import panel as pn

APPS = {
    "market": "Market",
    "backtest": "Backtest",
    "walk_forward": "Walk-forward",
    "runs": "Runs",
}
"""The apps by the name of their script, in the order of the menu."""
_MENU = """
nav { display: flex; gap: 4px; margin-left: 24px; }
nav a { color: #ffffff; text-decoration: none; padding: 6px 12px; border-radius: 6px; opacity: .8; font-size: 15px; }
nav a:hover, nav a:focus-visible { background: rgba(255, 255, 255, .15); opacity: 1; }
nav a[aria-current] { background: rgba(255, 255, 255, .22); opacity: 1; font-weight: 600; }
@media (max-width: 700px) { nav { margin-left: 4px; } nav a { padding: 6px; font-size: 13px; } }
"""
TABLE_STYLE = """
.tabulator { font-size: 12.5px; background: transparent; color: inherit; border: none; }
.tabulator .tabulator-header, .tabulator .tabulator-header .tabulator-col { background: transparent; color: inherit; }
.tabulator .tabulator-header .tabulator-col-title { font-weight: 500; opacity: .75; }
.tabulator-row, .tabulator-row.tabulator-row-even { background: transparent; color: inherit; }
.tabulator-row:hover, .tabulator-row.tabulator-selected {
  background: rgba(0, 105, 168, .14) !important; color: inherit; cursor: pointer;
}
.tabulator .tabulator-footer { background: transparent; color: inherit; border: none; }
.tabulator .tabulator-footer .tabulator-page { color: inherit; background: transparent; }
"""
"""For Tabulator on paper of either theme."""
_THEME = {
    "light": {"palette": {"primary": {"main": "#0069a8"}, "background": {"default": "#f5f6f8", "paper": "#ffffff"}}},
    "dark": {"palette": {"primary": {"main": "#2b7fb8"}, "background": {"default": "#101318", "paper": "#171a20"}}},
}


def page(name: str, sidebar: list[Any], main: list[Any]) -> Any:
    """Put an app's views on its page; `name` is one of `APPS`."""
    from panel_material_ui.template import Page  # type: ignore[attr-defined]

    here = ((key, escape(title)) for key, title in APPS.items())
    links = "".join(
        f'<a href="./{key}"{" aria-current=page" if key == name else ""}>{title}</a>' for key, title in here
    )
    menu = pn.pane.HTML(f"<nav aria-label='Apps'>{links}</nav>", stylesheets=[_MENU], margin=0)
    return Page(
        title="Maestro", header=[menu], sidebar=sidebar, main=main,
        sidebar_width=330, theme_config=_THEME, theme_toggle=True, busy_indicator="linear",
    )  # fmt: skip


def card(title: str, *content: Any, **options: Any) -> Any:
    """Content on paper, under a small title."""
    import panel_material_ui as pmui

    head = [pn.pane.HTML(f"<b>{escape(title)}</b>", margin=(0, 0, 4, 0))] if title else []
    inner = pn.Column(*head, *content, sizing_mode="stretch_width", margin=12)
    options.setdefault("margin", (0, 0, 12, 0))
    return pmui.Paper(inner, sizing_mode="stretch_width", elevation=1, **options)


class Message(pn.viewable.Viewer):
    """A line that says what went wrong, or what to know; hidden while there is nothing to say."""

    def __init__(self) -> None:
        import panel_material_ui as pmui

        super().__init__()
        self._alert = pmui.Alert(object="", visible=False, sizing_mode="stretch_width", margin=(0, 0, 12, 0))

    def say(self, text: str = "", kind: str = "error") -> None:
        """Show `text` as it is, without any markup of its own; nothing hides the line."""
        self._alert.param.update(object=escape(text), alert_type=kind, visible=bool(text))

    @property
    def text(self) -> str:
        """What is shown."""
        return str(self._alert.object) if self._alert.visible else ""

    def __panel__(self) -> Any:
        return self._alert
