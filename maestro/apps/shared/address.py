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
    followed : callable
        Takes the query of a link that has led back to this page.
    """

    search: str = param.String(default="")  # type: ignore[assignment]

    _esm = """
    export function render({model}) {
      const path = window.location.pathname;
      let last = -Infinity, replace = true;
      const show = () => {
        if (window.location.pathname !== path) return;  // Navigation is about to open another page
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
      const back = (event) => {
        if (window.location.pathname !== path) return;
        const search = window.location.search, forward = event.detail?.forward ?? false;
        replace = true;
        if (forward) show();  // this page's own settings again; those of the link follow
        replace = true;
        last = -Infinity;
        model.send_msg({search, forward});
      };
      const kinds = ["popstate", "maestro-shown"];  // the latter when Navigation shows a page again
      for (const kind of kinds) window.addEventListener(kind, back);
      model.on("remove", () => kinds.forEach((kind) => window.removeEventListener(kind, back)));
      show();
      last = -Infinity;
      return document.createElement("span");
    }
    """

    def __init__(
        self, restored: Callable[[Mapping[str, str]], Any], followed: Callable[[Mapping[str, str]], Any], **params: Any
    ) -> None:
        super().__init__(width=0, height=0, margin=0, **params)
        self._restored, self._followed = restored, followed

    def _handle_msg(self, msg: Any) -> None:
        query = query_of(str(msg["search"]))
        (self._followed if msg["forward"] else self._restored)(query)


def query_of(search: str) -> dict[str, str]:
    """Return the settings of a query such as ``?fee=0.002``, as texts; Panel's own reader drops what is not JSON."""
    return dict(parse_qsl(search.removeprefix("?"), keep_blank_values=True))
