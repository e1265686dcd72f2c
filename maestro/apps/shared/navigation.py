"""Opens another app without a new page load: its session takes the place of the one that is shown.

The browser keeps the libraries of the page, and the apps that were open: the menu leads back to them as they were left,
with the series, strategy and costs that were chosen meanwhile. Links can be opened in a tab of their own as ever, Back
and Forward lead through the apps, and what cannot be opened in place, such as a login page, is loaded as usual.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import param
from panel.custom import JSComponent


class Navigation(JSComponent):
    """Shows nothing; there is one on each page."""

    pages: list[str] = param.List(default=[], item_type=str, doc="That open in place, if they are in the same folder.")  # type: ignore[assignment]
    kept: bool = param.Boolean(default=True, doc="Whether this page is kept for the way back.")  # type: ignore[assignment]
    left: bool = param.Boolean(
        default=False, doc="Set when the page is first left: the browser finds its connection by it."
    )  # type: ignore[assignment]

    _esm = Path(__file__).with_suffix(".js").read_text(encoding="utf-8")

    def __init__(self, **params: Any) -> None:
        super().__init__(**{"width": 0, "height": 0, "margin": 0, **params})
