"""What a visitor sees before a page is drawn: its bar with the menu, as the page's HTML has them."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Template
from panel.io import resources

from maestro.apps.shared.delivery import served_document
from maestro.apps.shared.narrow import WIDTH
from maestro.apps.shared.theme import CHOSEN, SYSTEM


def open_with_bar(page: Any, menu: str, style: str, theme: dict[str, Any]) -> None:
    """Send the bar with the page itself, so that it is there while scripts are loaded and components are drawn.

    Parameters
    ----------
    page : panel_material_ui.Page
    menu : str
        HTML of the menu.
    style : str
        CSS of the menu.
    theme : dict
        Material UI's theme of the page.
    """
    document = served_document()
    if document is None:
        return
    base = resources.BASE_TEMPLATE
    page.template = _template(base)
    document.template_variables.update(
        base=base, menu=menu, menu_style=style, narrow=WIDTH, sidebar=bool(page.sidebar),
        sidebar_open=page.sidebar_open, dark=page.dark_theme, theme=theme, chosen=CHOSEN, system=SYSTEM,
    )  # fmt: skip


@cache
def _template(base: Template) -> Template:
    return base.environment.from_string(_HTML.read_text(encoding="utf-8"))


_HTML = Path(__file__).with_name("opening.html")
