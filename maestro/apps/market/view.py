"""What the Market app puts on the page, made once and then updated."""

from __future__ import annotations

from html import escape
from typing import Any

import panel as pn

from maestro.apps.chart import Chart
from maestro.apps.market import session
from maestro.apps.page import TABLE_STYLE, Message, card


class MarketView(pn.viewable.Viewer):
    """Chart of a series with its defects marked, and a table of them."""

    def __init__(self, *beside: Any) -> None:
        super().__init__()
        self.beside, self.message = beside, Message()
        self.headline = pn.pane.HTML("", sizing_mode="stretch_width", margin=(0, 0, 8, 0))
        self.chart = Chart(height=640)
        self.defects = pn.widgets.Tabulator(
            disabled=True, show_index=False, selectable=1, theme="simple", sizing_mode="stretch_width",
            pagination="remote", page_size=10, stylesheets=[TABLE_STYLE],
        )  # fmt: skip
        self.clean = pn.pane.HTML("Nothing odd was found.", visible=False)
        self.defects.on_click(self._clicked)
        self._market: session.Market | None = None
        self._places: dict[int, int] = {}

    def fail(self, problem: str) -> None:
        """Say why there is nothing new to show; what was shown stays."""
        self.message.say(problem)

    def update(self, market: session.Market) -> None:
        """Show a series."""
        bars = market.bars
        with pn.io.hold():
            self.chart.set_bars(bars)
            self.chart.set_panes(market.panes)
            self.chart.mark(market.marks)
            span = f"{bars.start:%Y-%m-%d %H:%M} to {bars.end:%Y-%m-%d %H:%M} UTC"
            self.headline.object = f"<b>{escape(bars.name)}</b>, {len(bars):,} bars, {span}"
            self.defects.value = session.table(market.findings).to_pandas()
            self.defects.visible, self.clean.visible = bool(market.findings), not market.findings
            self.message.say(". ".join(bars.notes), "info")
        self._market, self._places = market, {}

    def _clicked(self, event: Any) -> None:
        """Go to the next place of the defect that was clicked."""
        if self._market is None:
            return
        place = self._places.get(event.row, -1) + 1
        self._places[event.row] = place
        self.chart.go_to(*session.window(self._market.bars, self._market.findings[event.row], place))

    def __panel__(self) -> Any:
        return pn.Column(
            self.message, card("", self.headline, self.chart),
            card("What is odd: a click goes to the next place", self.defects, self.clean), *self.beside,
            sizing_mode="stretch_width",
        )  # fmt: skip
