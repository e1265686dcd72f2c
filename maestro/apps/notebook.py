"""Panel's library in a notebook, whatever was displayed before."""

from __future__ import annotations

_ALONE = "if (window.Bokeh && !window.Bokeh.Panel) { window.Bokeh = undefined; }"
"""Panel's loader keeps a Bokeh of its version that is already there, also one that a figure loaded without Panel: it
puts it back after it has loaded its own, and the app stays empty. Figures that are drawn keep the library that drew
them."""


def load_panel() -> None:
    """Load Panel's library into the notebook, inline, so that no other machine is asked; no output elsewhere."""
    import panel as pn

    shell = _shell()
    if hasattr(shell, "kernel"):
        from IPython.display import publish_display_data
        from panel.io.notebook import LOAD_MIME

        # In the same forms as Panel's loader, so that the frontend runs this one first.
        publish_display_data({"application/javascript": _ALONE, LOAD_MIME: _ALONE})
    pn.extension("tabulator", inline=True)


def _shell() -> object:
    """IPython's shell; None outside of it."""
    import sys

    if "IPython" not in sys.modules:
        return None
    from IPython import get_ipython  # type: ignore[attr-defined]

    return get_ipython()  # type: ignore[no-untyped-call]
