"""Light or dark: as the link says, else as the visitor chose on an earlier page, else as the system prefers."""

from __future__ import annotations

from typing import Any

import panel as pn
import param
from panel.custom import JSComponent

CHOSEN, SYSTEM = "maestro_theme", "maestro_system_theme"
"""Cookies: what a visitor chose by the button, and what the system preferred at the last visit."""


class ThemeMemory(JSComponent):
    """Keeps a choice of theme in a cookie, and what the system prefers; the page before it is drawn follows that."""

    dark: bool = param.Boolean(default=False)  # type: ignore[assignment]

    _esm = f"""
    export function render({{model}}) {{
      const path = window.location.pathname;
      const kept = (name) => document.cookie.split("; ").some((one) => one.startsWith(name));
      const keep = (name, dark) => {{
        document.cookie = name + "=" + (dark ? "dark" : "light") + "; path=/; max-age=31536000; SameSite=Lax";
      }};
      const linked = () => new URLSearchParams(window.location.search).has("theme");
      const system = window.matchMedia("(prefers-color-scheme: dark)");
      let shown = model.dark;
      model.on("dark", () => {{
        if (model.dark === shown) return;
        shown = model.dark;
        keep("{CHOSEN}", shown);
        if (linked()) {{
          const address = new URL(window.location.href);
          address.searchParams.delete("theme");
          window.history.replaceState({{}}, "", address);
        }}
      }});
      const follow = () => keep("{SYSTEM}", system.matches);
      // Another page that was shown meanwhile may have changed the theme.
      const again = (event) => {{
        if (event.detail.path !== path || linked()) return;
        model.dark = kept("{CHOSEN}=") ? kept("{CHOSEN}=dark") : system.matches;
      }};
      follow();
      system.addEventListener("change", follow);
      window.addEventListener("maestro-shown", again);
      model.on("remove", () => {{
        system.removeEventListener("change", follow);
        window.removeEventListener("maestro-shown", again);
      }});
      return document.createElement("span");
    }}
    """


def remembered() -> bool:
    """Whether the page that is being made for a visitor is dark."""
    location = pn.state.location
    linked = None if location is None else location.query_params.get("theme")
    cookies: dict[str, Any] = dict(pn.state.cookies or {})
    return (linked or cookies.get(CHOSEN) or cookies.get(SYSTEM)) == "dark"


def remember(page: Any) -> ThemeMemory:
    """Give a page its theme, and keep what the visitor chooses."""
    page.dark_theme = remembered()
    memory = ThemeMemory(dark=page.dark_theme, width=0, height=0, margin=0)
    memory.param.watch(lambda event: page.param.update(dark_theme=event.new), "dark")
    page.param.watch(lambda event: memory.param.update(dark=event.new), "dark_theme")
    return memory
