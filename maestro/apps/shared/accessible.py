"""What the libraries of the apps lack for keyboards and screen readers, added in the browser by ``accessible.js``.

The faults are upstream, in Panel 1.9, panel-material-ui 0.16, Bokeh 3.9 and Tabulator 6.4:

- Bokeh's tabs are plain elements: without roles, and without keys.
- Panel gives every column of a table an editor, also where the table is disabled. Tabulator makes cells with an editor
  focusable, and takes the focus away from one that may not be edited, so Tab never leaves the table.
- Tabulator's grid contains its page buttons and a focusable element without a role, which a grid may not; rows and
  headers react to the mouse only; a page button that was pressed is replaced, and the focus is lost.
- A select opens by the mouse only, and its options are items of a menu, which a list box may not contain.
- Progress bars have no name, the handle of the sidebar and hints beside labels have a name but no role that may have
  one, and the sidebar begins with an empty heading.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from panel.custom import JSComponent


class Accessible(JSComponent):
    """Shows nothing; one on a page is enough, and it follows what is drawn later."""

    _esm = Path(__file__).with_suffix(".js").read_text(encoding="utf-8")

    def __init__(self, **params: Any) -> None:
        super().__init__(**{"width": 0, "height": 0, "margin": 0, **params})
