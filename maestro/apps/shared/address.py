"""The address of a page: one entry of the browser's history for each settled change, and Back restores the controls."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import parse_qsl

import param
from panel.custom import JSComponent


class Address(JSComponent):
    """Shows a query in the address bar; changes that follow each other quickly, as of a slider, share one entry.

    Parameters
    ----------
    restored : callable
        Takes the query, as a mapping, that Back or Forward has restored.
    """

    search: str = param.String(default="")  # type: ignore[assignment]

    _esm = """
    export function render({model}) {
      let last = -Infinity, replace = true;
      const show = () => {
        const theme = new URLSearchParams(window.location.search).get("theme");
        const kept = theme === null ? "" : (model.search ? "&" : "?") + "theme=" + encodeURIComponent(theme);
        const search = model.search + kept, now = performance.now(), once = replace || now - last < 800;
        last = now;
        replace = false;
        if (search === window.location.search) return;
        const address = window.location.pathname + search + window.location.hash;
        window.history[once ? "replaceState" : "pushState"]({}, "", address);
      };
      model.on("search", show);
      window.addEventListener("popstate", () => {
        replace = true;
        last = -Infinity;
        model.send_msg(window.location.search);
      });
      show();
      last = -Infinity;
      return document.createElement("span");
    }
    """

    def __init__(self, restored: Callable[[Mapping[str, str]], Any], **params: Any) -> None:
        super().__init__(width=0, height=0, margin=0, **params)
        self._restored = restored

    def _handle_msg(self, msg: Any) -> None:
        self._restored(dict(parse_qsl(str(msg).lstrip("?"), keep_blank_values=True)))
