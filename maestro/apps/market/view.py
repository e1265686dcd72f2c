"""The panes of the Market app, built once and then updated."""

from __future__ import annotations

from html import escape
from typing import Any

import panel as pn

from maestro.apps.chart import Chart
from maestro.apps.market import session
from maestro.apps.shared.indicator_panes import PANE, IndicatorBox
from maestro.apps.shared.page import HtmlPane, Message, card
from maestro.apps.shared.stale import Stale
from maestro.apps.shared.table import Table

_FACTS = """
h2 { font-size: 20px; font-weight: 600; margin: 0 0 8px; overflow-wrap: anywhere; }
dl { display: flex; flex-wrap: wrap; gap: 8px 28px; margin: 0; }
dt { font-size: 11.5px; opacity: .68; } dd { margin: 0; font-size: 14.5px; font-variant-numeric: tabular-nums; }
p { margin: 10px 0 0; font-size: 12.5px; opacity: .75; overflow-wrap: anywhere; }
"""


HEIGHT = 640
"""Pixels of a chart with at most two panes below the price."""


class MarketView(pn.viewable.Viewer):
    """Chart of a series with its defects marked, and a table of them."""

    def __init__(self, indicators: IndicatorBox, *beside: Any) -> None:
        import panel_material_ui as pmui

        super().__init__()
        self.beside, self.message = beside, Message()
        self.facts = HtmlPane("", sizing_mode="stretch_width", margin=0, stylesheets=[_FACTS])
        self.chart = Chart(height=HEIGHT)
        self.defects = Table(
            layout="fit_data_stretch", sortable=False, widths={"Where": 230},
            formatters={"Where": {"type": "textarea"}, "Meaning": {"type": "textarea"}},
        )  # fmt: skip
        shared: dict[str, Any] = {"variant": "outlined", "color": "default", "size": "small", "width": 110}
        self.back = pmui.Button(label="Previous", icon="chevron_left", **shared)
        self.on = pmui.Button(label="Next", end_icon="chevron_right", **shared)
        self.here = HtmlPane("", margin=(10, 10))
        self.steps = pn.FlexBox(self.back, self.on, self.here, align_items="center", margin=(0, 0, 4, 0))
        self.clean = HtmlPane("Nothing odd was found in these bars.", visible=False, margin=(4, 0))
        self.back.on_click(lambda _: self._step(-1))
        self.on.on_click(lambda _: self._step(1))
        self.defects.on_click(lambda event: self._clicked(event.row))
        self.stale = Stale(
            card("", self.facts), card("", indicators, self.chart),
            card("What is odd in the data, and what it can do to a backtest", self.steps, self.defects, self.clean),
        )  # fmt: skip
        self._market: session.Market | None = None
        self._place = -1

    def fail(self, problem: str) -> None:
        """Say why the series cannot be shown, and dim the one before."""
        self.message.say(problem)
        if self._market is not None:
            self.stale.mark(f"This is still {self._market.bars.name}.")

    def update(self, market: session.Market) -> None:
        """Show a series."""
        bars, odd = market.bars, bool(market.findings)
        with pn.io.hold():
            if self._market is None or self._market.bars is not bars:  # other panes alone leave the zoom as it is
                self.chart.set_bars(bars)
            self.chart.height = HEIGHT + PANE * max(0, len(market.panes) - 2)
            self.chart.set_panes(market.panes)
            self.chart.mark(market.marks)
            rows = "".join(
                f"<div><dt>{name}</dt><dd>{escape(text)}</dd></div>" for name, text in session.facts(bars).items()
            )
            others = [note for note in bars.notes if note != bars.calendar.text]  # which is among the facts
            notes = f"<p>{escape('; '.join(others))}</p>" if others else ""
            self.facts.object = f"<h2>{escape(bars.name)}</h2><dl>{rows}</dl>{notes}"
            self.defects.fill(session.table(market.findings))
            self.defects.box.visible = self.steps.visible = odd
            self.clean.visible = not odd
            self.here.object = f"Places: {len(market.places):,}. A click on a row goes to its next one."
            self.message.say()
            self.stale.mark()
        self._market, self._place = market, -1

    def _step(self, by: int) -> None:
        """Go to the next place of any defect, or the one before."""
        if self._market is not None and self._market.places:
            start = self._place if self._place >= 0 or by > 0 else 0
            self._go((start + by) % len(self._market.places))

    def _clicked(self, row: int) -> None:
        """Go to the next place of the defect in that row of the table."""
        if self._market is not None:
            own = [number for number, place in enumerate(self._market.places) if place.row == row]
            if own:  # else the click is on the table of the series before
                self._go(next((number for number in own if number > self._place), own[0]))

    def _go(self, number: int) -> None:
        assert self._market is not None
        self._place = number
        self.here.object = escape(session.described(self._market, number))
        self.chart.go_to(*session.window(self._market.bars, self._market.places[number]))

    def __panel__(self) -> Any:
        return pn.Column(
            self.message, self.stale, *self.beside, sizing_mode="stretch_width",
        )  # fmt: skip
