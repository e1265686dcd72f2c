"""One page for every app: title, controls at the left, content, links to the other apps, light and dark."""

from __future__ import annotations

from html import escape
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import panel as pn
import param
from bokeh.models.css import ImportedStyleSheet
from panel.io.notebook import replace_inline_css
from panel.util import edit_readonly  # type: ignore[attr-defined]

from maestro.apps.shared.accessible import Accessible
from maestro.apps.shared.journey import link_to, settings_from
from maestro.apps.shared.narrow import close_when_narrow, is_narrow
from maestro.apps.shared.navigation import Navigation
from maestro.apps.shared.opening import open_with_bar
from maestro.apps.shared.state import AppState
from maestro.apps.shared.theme import remember

APPS = {
    "market": "Market",
    "backtest": "Backtest",
    "walk_forward": "Walk-forward",
    "many": "Many",
    "runs": "Runs",
}
"""The apps by the name of their script, in the order of the menu."""
ICON = Path(__file__).parents[1] / "icon.svg"
"""Icon of the product, of a tab of a browser and of JupyterLab."""
_MENU = """
h1 { position: absolute; width: 1px; height: 1px; margin: 0; overflow: hidden; clip-path: inset(50%); }
nav { display: flex; gap: 4px; margin-left: 24px; }
nav a { color: #ffffff; text-decoration: none; padding: 6px 12px; border-radius: 6px; opacity: .8; font-size: 15px;
  white-space: nowrap; }
nav a:hover, nav a:focus-visible { background: rgba(255, 255, 255, .15); opacity: 1; }
nav a.opening { opacity: 1; cursor: progress; background: rgba(255, 255, 255, .15); }
nav a[aria-current] { background: rgba(255, 255, 255, .22); opacity: 1; font-weight: 600; }
@media (max-width: 700px) { nav { margin-left: 2px; gap: 0; } nav a { padding: 6px 5px; font-size: 12px; } }
"""
TABLE_STYLE = """
.tabulator, .tabulator .tabulator-header, .tabulator .tabulator-row { font-size: 12.5px !important; }
.tabulator, .tabulator .tabulator-header, .tabulator .tabulator-header .tabulator-col,
.tabulator .tabulator-tableholder, .tabulator .tabulator-tableholder .tabulator-table,
.tabulator-row, .tabulator-row.tabulator-row-even, .tabulator .tabulator-footer {
  background: transparent !important; color: inherit !important; border-color: rgba(128, 128, 128, .2) !important;
}
.tabulator { border: none !important; }
.tabulator .tabulator-header .tabulator-col[tabulator-field] .tabulator-col-content { padding: 4px 7px !important; }
.tabulator .tabulator-header .tabulator-col-title { font-weight: 500; opacity: .75; }
.tabulator-row .tabulator-cell[tabulator-field] { padding: 4px 7px !important; }
.tabulator-row:hover, .tabulator-row.tabulator-selected {
  background: rgba(0, 105, 168, .14) !important; cursor: pointer;
}
.tabulator .tabulator-footer .tabulator-page { color: inherit; background: transparent; }
.tabulator-tooltip { background: #2b3038 !important; color: #ffffff !important; border: none !important; }
"""
"""For Tabulator on paper of either theme."""
MESSAGE_STYLE = """
div[role] {
  border-style: solid; border-width: 0 0 0 4px; border-radius: 6px; padding: 9px 14px; font-size: 14px;
  overflow-wrap: anywhere;
}
.error { border-color: #cc4e00; background: rgba(204, 78, 0, .12); }
.warning { border-color: #b36b00; background: rgba(179, 107, 0, .12); }
.info { border-color: #0f7fbf; background: rgba(15, 127, 191, .10); }
.success { border-color: #008563; background: rgba(0, 133, 99, .10); }
"""
"""Of errors, warnings, information and success, as `message_html` writes them."""
_TITLE = "h2 { margin: 0; font-size: inherit; line-height: inherit; font-weight: 700; }"
_THEME = {
    "light": {
        "palette": {"primary": {"main": "#0069a8"}, "background": {"default": "#f1f3f6", "paper": "#ffffff"}},
        "components": {"MuiAppBar": {"styleOverrides": {"root": {"backgroundColor": "#0b4f7d"}}}},
    },
    "dark": {
        "palette": {
            "primary": {"main": "#3d94cf", "contrastText": "#0b1016"},
            "default": {"main": "#d5d9e0", "light": "#f1f3f6", "dark": "#b4bac5", "contrastText": "#0b1016"},
            "error": {"main": "#f44336", "contrastText": "#0b1016"},
            "background": {"default": "#0e1116", "paper": "#171a20"},
        },
        "components": {
            "MuiAppBar": {
                "styleOverrides": {
                    "root": {"backgroundColor": "#10273a", "backgroundImage": "none", "color": "#ffffff"}
                }
            },
            "MuiPaper": {"styleOverrides": {"root": {"backgroundImage": "none"}}},
        },
    },
}


TAB_STYLE = """
.bk-header { overflow: visible; }
.bk-headers-wrapper { display: flex; flex-wrap: wrap; max-width: 100%; }
:host(.bk-above) .bk-header { border-bottom: 1px solid rgba(128, 128, 128, .35); }
:host(.bk-above) .bk-header .bk-tab:not(.bk-active, :hover, :focus) { border-bottom-color: transparent; }
"""
"""For tabs that do not fit into one row, which Bokeh cuts off, with a line below the open one only."""
BUTTON_STYLE = """
a.button { display: inline-block; padding: 6px 14px; border: 1px solid currentColor; border-radius: 4px; color: inherit;
  text-decoration: none; font-size: 14px; font-weight: 500; }
a.button:hover, a.button:focus-visible { background: rgba(0, 105, 168, .14); }
"""
"""For links that look like buttons."""


_NARROW = {"@media (max-width: 480px)": {"& header .MuiTypography-root": {"display": "none"}}}
"""On a phone the name of the product gives way to the links and the button of the theme."""


class _Idle(param.Parameterized):  # type: ignore[misc]
    """A busy state of one page, which is never busy."""

    busy = param.Boolean(False)


class HtmlPane(pn.pane.HTML):
    """HTML that asks no other machine for its styles: not in a notebook cell, and not when it changes out of sight."""

    def _get_properties(self, doc: Any) -> dict[str, Any]:
        # In a tab that is not shown, a model has no document, and Panel would take the styles from its own host.
        properties: dict[str, Any] = super()._get_properties(doc or pn.state.curdoc)
        if pn.config.inline:  # Panel puts styles into the cell at the first drawing only
            sheets = properties["stylesheets"]
            properties["stylesheets"] = [
                replace_inline_css(sheet) if isinstance(sheet, ImportedStyleSheet) else sheet for sheet in sheets
            ]
        return properties


def page(name: str, sidebar: list[Any], main: list[Any], state: AppState | None = None) -> Any:
    """Put an app's views on its page.

    Parameters
    ----------
    name : str
        One of `APPS`, or ``home``, which has no sidebar.
    state : AppState, optional
        Its settings travel with the links of the menu.
    """
    from panel_material_ui.template import Page  # type: ignore[attr-defined]

    heading = HtmlPane(f"<h1>{escape(APPS.get(name, 'Maestro'))}</h1>", stylesheets=[_MENU], margin=0)
    menu = HtmlPane(menu_text(name, state), stylesheets=[_MENU], margin=0)
    if state is not None:
        state.param.watch(lambda *_: setattr(menu, "object", menu_text(name, state)), [*state.settings(), "carried"])
    left = [pn.Column(*sidebar, margin=(14, 0), sizing_mode="stretch_width")] if sidebar else []
    made = Page(
        title="Maestro", site_url="./", favicon=ICON, header=[menu], sidebar=left,
        sidebar_open=bool(left) and not is_narrow(),  # in a narrow window the controls would cover the page
        main=[pn.Column(*main, margin=(14, 14), sizing_mode="stretch_width", styles={"max-height": "none"})],
        sx={"& main": {"backgroundColor": "background.default"}, **_NARROW}, sidebar_width=330 if left else 0,
        theme_config=_THEME, theme_toggle=True, busy_indicator=None,
    )  # fmt: skip
    leads = Navigation(pages=[*APPS, "home", ""], kept=state is not None)
    made.header = [heading, menu, remember(made), Accessible(), close_when_narrow(made), leads]
    open_with_bar(made, menu.object, _MENU, _THEME["dark" if made.dark_theme else "light"])
    for view in main:
        if isinstance(view, Themed):
            made.param.watch(lambda event, view=view: view.theme(event.new), "dark_theme")
            if made.dark_theme:
                view.theme(True)
    with edit_readonly(made):
        # A page follows the busy state of the server: it would show what other visitors do, and the server would hold
        # the page for ever. A plain False ends the first but not the second; another reference ends both.
        made.busy = _Idle().param.busy
    return made


@runtime_checkable
class Themed(Protocol):
    """A view that draws something by itself in the page's theme."""

    def theme(self, dark: bool) -> None:
        """Draw in the dark theme, or in the light one."""


def message_html(text: str, kind: str = "error") -> str:
    """A line in the style of `MESSAGE_STYLE`; no markup in `text` is obeyed."""
    role = "alert" if kind == "error" else "status"
    return f"<div role='{role}' class='{escape(kind)}'>{escape(text)}</div>" if text else ""


def menu_text(name: str, state: AppState | None) -> str:
    """Menu of the apps, with `name` as the current one."""
    settings = {} if state is None else settings_from(state)
    links = "".join(
        f'<a href="{escape(link_to(key, settings))}"{" aria-current=page" if key == name else ""}>{escape(title)}</a>'
        for key, title in APPS.items()
    )
    return f"<nav aria-label='Apps'>{links}</nav>"


def card(title: str, *content: Any, **options: Any) -> Any:
    """Content on paper, under a small title."""
    import panel_material_ui as pmui

    head = [HtmlPane(f"<h2>{escape(title)}</h2>", stylesheets=[_TITLE], margin=(0, 0, 4, 0))] if title else []
    inner = pn.Column(*head, *content, sizing_mode="stretch_width", margin=12)
    options.setdefault("margin", (0, 0, 12, 0))
    # Panel limits a card to the height of the window, so that the next card covers the rest of it.
    options["styles"] = {"max-height": "none", **options.get("styles", {})}
    return pmui.Paper(inner, sizing_mode="stretch_width", elevation=1, **options)


class Message(pn.viewable.Viewer):
    """A line that says what went wrong, or what to know; hidden while there is nothing to say.

    Parameters
    ----------
    margin : pixels
    until : Parameterized, optional
        The message ends when a setting of this state changes: a refused entry is over once another one is taken.
    """

    def __init__(self, margin: tuple[int, ...] = (0, 0, 12, 0), until: param.Parameterized | None = None) -> None:
        super().__init__()
        if until is not None:
            until.param.watch(lambda *_: self.say(), [name for name in until.param if name != "name"])
        self.text = ""
        self._line = HtmlPane(
            "", visible=False, sizing_mode="stretch_width", margin=margin, stylesheets=[MESSAGE_STYLE]
        )

    def say(self, text: str = "", kind: str = "error") -> None:
        """Show `text` ("error", "warning", "info" or "success") as it is, without markup or Markdown."""
        if text or self.text:
            self.text = text
            self._line.param.update(object=message_html(text, kind), visible=bool(text))

    def __panel__(self) -> Any:
        return self._line
