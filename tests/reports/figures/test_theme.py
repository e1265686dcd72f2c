"""The theme: every colour has a partner, figures are dressed alike, and names are no mathematics."""

from __future__ import annotations

import pytest
from bokeh.models.tools import BoxZoomTool

from maestro.reports.figures.theme import DARK, LIGHT, make_figure, percent_axis, plain, swaps


def test_every_colour_has_one_partner_and_none_is_a_default_of_bokeh() -> None:
    assert LIGHT.keys() == DARK.keys()
    assert len(set(LIGHT.values())) == len(LIGHT)
    assert len(set(DARK.values())) == len(DARK)
    assert not {"#ffffff", "#444444", "#e5e5e5", "#000000"} & set(LIGHT.values())


def test_each_light_colour_is_swapped_for_the_dark_one_of_its_role() -> None:
    found = swaps()
    assert len(found) == len(LIGHT)
    assert found[LIGHT["gain"]] == DARK["gain"]


def luminance(colour: str) -> float:
    """Relative luminance as in WCAG 2."""
    parts = [int(colour[k : k + 2], 16) / 255 for k in (1, 3, 5)]
    linear = [x / 12.92 if x <= 0.04045 else ((x + 0.055) / 1.055) ** 2.4 for x in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("colours", [LIGHT, DARK], ids=["light", "dark"])
def test_text_has_the_contrast_of_wcag_and_lines_can_be_seen(colours: dict[str, str]) -> None:
    ground = luminance(colours["surface"])

    def contrast(role: str) -> float:
        high, low = sorted((ground, luminance(colours[role])), reverse=True)
        return (high + 0.05) / (low + 0.05)

    assert min(contrast("ink"), contrast("muted")) >= 4.5
    lines = ("strategy", "insample", "gain", "loss", "overlay1", "overlay2", "overlay3", "overlay4")
    assert {role for role in lines if contrast(role) < 3.0} == set()


def test_a_figure_stands_still_unless_a_drag_zooms() -> None:
    still = make_figure(height=200, label="Return")
    assert still.toolbar.tools == []
    assert still.yaxis[0].axis_label == "Return"
    zooming = make_figure(height=200, x="datetime", drag="x")
    [box] = [tool for tool in zooming.toolbar.tools if isinstance(tool, BoxZoomTool)]
    assert zooming.toolbar.active_drag is box
    assert box.dimensions == "width"


def test_percentages_have_the_digits_that_are_asked_for() -> None:
    fig = make_figure(height=200)
    percent_axis(fig.yaxis[0], 2)
    assert fig.yaxis[0].formatter.format == "0.00 %"
    percent_axis(fig.yaxis[0])
    assert fig.yaxis[0].formatter.format == "0 %"


def test_names_are_no_mathematics_and_no_columns() -> None:
    assert plain("$$x$$ \\(y\\) @z $1 a_b") == "x y\\) z 1 a_b"
    assert plain(5) == "5"
