"""Apps in a notebook: Panel's library and that of the controls, whatever was displayed before, each of them once.

A saved notebook contains what its cells display, so whatever stands there once for each control makes it heavy: the
library of the controls alone has 1.4 MB.
"""

from __future__ import annotations

from typing import Any

import panel as pn
import param
from panel.custom import JSComponent
from panel.models.esm import ReactiveESM

_FIRST = "if (window.Bokeh && !window.Bokeh.Panel) { window.Bokeh = undefined; }"
"""Panel's loader keeps a Bokeh of its version that is already there, also one that a figure loaded without Panel: it
puts it back after it has loaded its own, and the app stays empty. Figures that are drawn keep the library that drew
them."""
_AGAIN = """
if (!window.Bokeh?.Panel) {
  if (window.maestroBokeh) window.Bokeh = window.maestroBokeh;
  else setTimeout(() => document.querySelectorAll(".maestro-missing").forEach((node) => { node.hidden = false; }), 500);
}
"""
"""In the cells after the first: a figure may have loaded Bokeh alone again."""
_MISSING = (
    "<div class='maestro-missing' hidden>The cell that loaded the library of the apps is gone: run this cell again."
    "</div>"
)
"""Shown where there is none to go back to."""
_SHARED = """
while (!globalThis.maestroControls) await new Promise((go) => setTimeout(go, 10));
export default (await globalThis.maestroControls).default;
"""
"""Stands in each control for the library that `Library` carries."""

_cells: set[str] = set()
"""Cells of this kernel that have shown an app."""


def load_panel() -> None:
    """Load Panel's library into the notebook, inline, so that no other machine is asked; no output elsewhere.

    It is loaded by the first cell with an app, and by a cell that is run again: its output is new, and it may have
    been the first one.
    """
    shell: Any = _shell()
    if hasattr(shell, "kernel"):
        cell = _cell(shell)
        again = bool(_cells) and cell not in _cells
        _cells.add(cell)
        if again:
            _publish(_AGAIN, _MISSING)
            return
        _publish(_FIRST)
    pn.extension("tabulator", inline=True)


def in_cell(controls: list[Any], shown: Any) -> pn.Row:
    """Return the layout of an app outside of a page of its own: controls at the left."""
    library = [Library()] if hasattr(_shell(), "kernel") else []
    return Cell(pn.Column(*controls, width=330), shown, *library, sizing_mode="stretch_width")


class Library(JSComponent):
    """Carries the library of all controls; it shows nothing."""

    text: str = param.String()  # type: ignore[assignment]

    _esm = """
    export function initialize({model}) {
      window.maestroBokeh = window.Bokeh;
      globalThis.maestroControls ??= importShim(URL.createObjectURL(new Blob([model.text], {type: "text/javascript"})));
    }
    export function render() {
      return document.createElement("span");
    }
    """

    def __init__(self, **params: Any) -> None:
        from panel_material_ui.base import BUNDLE_PATH

        super().__init__(**{"text": BUNDLE_PATH.read_text(encoding="utf-8"), "width": 0, "margin": 0, **params})


class Cell(pn.Row):
    """A row whose controls share one library where they are displayed in a notebook."""

    def get_root(self, doc: Any = None, comm: Any = None, preprocess: bool = True) -> Any:
        """Return the model of the row, with all that it contains."""
        root = super().get_root(doc, comm, preprocess)
        texts = [one.text for one in self if isinstance(one, Library)]
        if comm is not None and texts:
            for model in root.references():
                if isinstance(model, ReactiveESM) and model.esm in texts:
                    model.update(esm=_SHARED)
        return root


def _publish(script: str, html: str = "") -> None:
    """Run a script, in the same forms as Panel's loader, so that the frontend runs it in turn."""
    from IPython.display import publish_display_data
    from panel.io.notebook import LOAD_MIME

    if html:
        publish_display_data({"text/html": html})
    publish_display_data({"application/javascript": script, LOAD_MIME: script})


def _cell(shell: Any) -> str:
    """Identity of the cell that is running: its id, or its text where the frontend sends none."""
    asked = shell.get_parent()
    return str(asked["metadata"].get("cellId") or asked["content"].get("code", ""))


def _shell() -> object:
    """IPython's shell; None outside of it."""
    import sys

    if "IPython" not in sys.modules:
        return None
    from IPython import get_ipython  # type: ignore[attr-defined]

    return get_ipython()  # type: ignore[no-untyped-call]
