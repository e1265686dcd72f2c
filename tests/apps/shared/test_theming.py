"""A figure of Bokeh in the colours of the page's theme."""

from __future__ import annotations

from bokeh.models.sources import ColumnDataSource

from maestro.apps.shared.theming import themed
from maestro.reports.figures.theme import DARK, LIGHT, make_figure


def test_the_dark_partner_of_every_colour_is_taken_and_the_paper_is_the_pages() -> None:
    figure = make_figure(height=200, label="Close")
    source = ColumnDataSource({"x": [1, 2], "y": [1, 2], "color": [LIGHT["gain"], "#123456"]})
    line = figure.line("x", "y", source=source, color=LIGHT["strategy"])
    assert themed(figure, False) is figure
    assert (line.glyph.line_color, figure.border_fill_alpha) == (LIGHT["strategy"], 0.0)
    themed(figure, True)
    assert line.glyph.line_color == DARK["strategy"]
    assert source.data["color"] == [DARK["gain"], "#123456"]
    assert figure.background_fill_color == DARK["surface"]
    assert figure.yaxis[0].axis_label_text_color == DARK["muted"]
