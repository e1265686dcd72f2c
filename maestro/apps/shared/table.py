"""A table of rows that can be clicked, built in the browser once its columns are known."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import panel as pn
import polars as pl

from maestro.apps.shared.page import TABLE_STYLE


class Table(pn.viewable.Viewer):
    """A Tabulator for a frame whose columns come with the first result.

    Tabulator fails in the browser ("Cannot read properties of null") where its columns change while it is still being
    built, which happens on a busy machine. So no Tabulator exists before the first frame, and other columns or formats
    get a new one.

    Parameters
    ----------
    **settings
        Settings of `panel.widgets.Tabulator`.

    """

    def __init__(self, **settings: Any) -> None:
        super().__init__()
        self._settings = {
            "disabled": True, "show_index": False, "sizing_mode": "stretch_width", "theme": "simple",
            "selectable": 1, "stylesheets": [TABLE_STYLE], **settings,
        }  # fmt: skip
        self.box = pn.Column(sizing_mode="stretch_width")
        self._click: Callable[[Any], None] | None = None
        self._form: Any = None
        self.widget: Any = None

    def on_click(self, call: Callable[[Any], None]) -> None:
        """Call `call(event)` for each click; `event.row` is the number of the row."""
        self._click = call

    def fill(self, frame: pl.DataFrame, form: Any = None, **settings: Any) -> None:
        """Show the rows of `frame`.

        Parameters
        ----------
        frame
            One row per row of the table.
        form
            What the `settings` depend on; others get a new Tabulator.
        **settings
            Settings that depend on the result, such as formatters.

        """
        rows = frame.to_pandas()
        if self.widget is not None and self._form == (frame.columns, form):
            if not self.widget.value.equals(rows):  # Panel fails where rows change before the browser has drawn them
                self.widget.value = rows
            return
        self._form = (frame.columns, form)
        self.widget = pn.widgets.Tabulator(rows, **{**self._settings, **settings})
        if self._click is not None:
            self.widget.on_click(self._click)
        self.box[:] = [self.widget]

    def __panel__(self) -> Any:
        return self.box
