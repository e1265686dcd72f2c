"""Whether a visitor's window is narrow: then a page begins without its sidebar, which would cover it."""

from __future__ import annotations

from typing import Any

import panel as pn
import param
from panel.custom import JSComponent

from maestro.apps.shared.delivery import delivery

WIDTH = 900
"""Windows below this width [px] are narrow."""
COOKIE = "maestro_narrow"
"""Whether the window was narrow at the last visit; only the browser knows it, and only after the first page."""


class NarrowWindow(JSComponent):
    """Tells the server whether the window is narrow, and keeps it in a cookie."""

    narrow: bool = param.Boolean(default=False)  # type: ignore[assignment]

    _esm = f"""
    export function render({{model}}) {{
      const narrow = window.matchMedia("(max-width: {WIDTH - 1}px)");
      const tell = () => {{
        document.cookie = "{COOKIE}=" + (narrow.matches ? "yes" : "no") + "; path=/; max-age=31536000; SameSite=Lax";
        model.narrow = narrow.matches;
      }};
      tell();
      narrow.addEventListener("change", tell);
      model.on("remove", () => narrow.removeEventListener("change", tell));
      return document.createElement("span");
    }}
    """


def is_narrow() -> bool:
    """Whether the visitor of this page has a phone, or had a narrow window at the last visit."""
    known = dict(pn.state.cookies or {}).get(COOKIE)
    return known == "yes" if known else "Mobi" in (pn.state.headers or {}).get("User-Agent", "")


def close_when_narrow(page: Any) -> NarrowWindow:
    """Close the sidebar of a page while its window is narrow; a visitor can open it."""
    window, deliver = NarrowWindow(narrow=not page.sidebar_open, width=0, height=0, margin=0), delivery()

    def follow() -> None:
        page.sidebar_open = not window.narrow

    if page.sidebar:
        window.param.watch(lambda _: follow() if deliver is None else deliver(follow), "narrow")
    return window
