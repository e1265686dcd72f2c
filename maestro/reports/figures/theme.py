"""The theme of all figures: colours for colour-blind readers, light and dark, and one function that makes figures.

Every colour of a figure is taken from `LIGHT`; the report's toggle replaces each by its partner in `DARK`. None may
equal a default of Bokeh's, which it would leave out of the page: hence a ground that is not quite white.
The hues are those of Okabe and Ito (2008), shifted in lightness for contrast with the ground.
"""

from __future__ import annotations

from typing import Any, Literal, TypeAlias

from bokeh.models.annotations import Legend, Span
from bokeh.models.formatters import DatetimeTickFormatter, NumeralTickFormatter
from bokeh.models.tools import BoxZoomTool, HoverTool, PanTool, ResetTool, WheelZoomTool
from bokeh.plotting import figure

FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Noto Sans', 'Liberation Sans', sans-serif"

LIGHT = {
    "surface": "#fefefe",
    "ink": "#1b1e24",
    "muted": "#5b6270",
    "axis": "#c3c8d1",
    "grid": "#e8eaee",
    "shade": "#eef1f6",
    "strategy": "#0069a8",
    "benchmark": "#8b919d",
    "insample": "#b36b00",
    "gain": "#0f7fbf",
    "loss": "#cc4e00",
    "trial": "#9aa1ae",
    "overlay1": "#008563",
    "overlay2": "#b0518a",
    "overlay3": "#8a7a00",
    "overlay4": "#3d56b2",
}
DARK = {
    "surface": "#171a20",
    "ink": "#eceef2",
    "muted": "#a5acb9",
    "axis": "#4a505c",
    "grid": "#272b33",
    "shade": "#1f232b",
    "strategy": "#56b4e9",
    "benchmark": "#8f97a6",
    "insample": "#f0b13c",
    "gain": "#4aa8e0",
    "loss": "#ff8b4d",
    "trial": "#77808f",
    "overlay1": "#34c79e",
    "overlay2": "#e08fbe",
    "overlay3": "#e3d54a",
    "overlay4": "#93a6f5",
}
OVERLAYS = tuple(LIGHT[name] for name in ("overlay1", "overlay2", "overlay3", "overlay4"))
Scale: TypeAlias = Literal["auto", "log", "datetime"]
COLOR = LIGHT
"""Colours to draw with, by role."""


def swaps() -> dict[str, str]:
    """Light colour to dark colour, for the report's toggle."""
    return {LIGHT[role]: DARK[role] for role in LIGHT}


def make_figure(
    *, height: int, x: Scale = "auto", y: Scale = "auto", drag: str | None = None, label: str = "", **kwargs: Any
) -> Any:
    """Figure in the house style, as wide as its place.

    Parameters
    ----------
    height : int [px]
    x, y : {"auto", "log", "datetime"}
        Scale of the axes; auto takes names or numbers, as the ranges say.
    drag : {"x", "both"} or None
        Which way a drag zooms (pan, wheel zoom and reset come with it); None for a figure that stands still.
    label : str
        Title of the y axis.
    """
    tools: list[Any] = []
    if drag is not None:
        dimensions: Any = "width" if drag == "x" else "both"
        tools = [
            BoxZoomTool(dimensions=dimensions), PanTool(dimensions=dimensions),
            WheelZoomTool(dimensions=dimensions), ResetTool(),
        ]  # fmt: skip
    fig: Any = figure(
        height=height,
        sizing_mode="stretch_width",
        x_axis_type=x,
        y_axis_type=y,
        tools=tools,
        toolbar_location="above" if tools else None,
        toolbar_inner=True,
        background_fill_color=COLOR["surface"],
        border_fill_color=COLOR["surface"],
        outline_line_color=None,
        min_border_left=8,
        min_border_right=8,
        min_border_top=6,
        min_border_bottom=6,
        min_width=220,
        **kwargs,
    )
    fig.toolbar.logo = None
    if tools:
        fig.toolbar.autohide = True
        fig.toolbar.active_drag = tools[0]
        fig.toolbar.active_scroll = None
    apply_theme(fig)
    if x == "datetime":
        under = DatetimeTickFormatter(
            minutes="%d %b %Y",
            hourmin="%d %b %Y",
            hours="%d %b %Y",
            days="%Y",
            months="%Y",
            years="",
            hide_repeats=True,
        )
        fig.xaxis.formatter = DatetimeTickFormatter(
            minutes="%H:%M", hourmin="%H:%M", hours="%H:%M", days="%d %b", months="%b", years="%Y",
            context=under, context_which="all",
        )  # fmt: skip
    if label:
        fig.yaxis.axis_label = label
    for axis in fig.axis:
        if hasattr(axis.ticker, "desired_num_ticks"):
            axis.ticker.desired_num_ticks = 5 if height >= 250 or axis in fig.xaxis else 3
    return fig


def apply_theme(fig: Any) -> None:
    """Give axes and grid of a figure the house style."""
    for axis in fig.axis:
        axis.axis_line_color = COLOR["axis"]
        axis.major_tick_line_color = None
        axis.minor_tick_line_color = None
        axis.major_label_text_color = COLOR["muted"]
        axis.major_label_text_font = FONT
        axis.major_label_text_font_size = "11px"
        axis.axis_label_text_color = COLOR["muted"]
        axis.axis_label_text_font = FONT
        axis.axis_label_text_font_size = "11px"
        axis.axis_label_text_font_style = "normal"
        axis.axis_label_standoff = 8
    fig.yaxis.axis_line_color = None
    fig.xgrid.grid_line_color = None
    fig.ygrid.grid_line_color = COLOR["grid"]


def add_legend(fig: Any, items: list[tuple[str, list[Any]]]) -> None:
    """Put a legend above the figure, where it hides nothing; entries toggle what they name."""
    # Its stubs ask for wrapped properties where plain values do.
    make_legend: Any = Legend
    fig.add_layout(
        make_legend(
            items=items,
            orientation="horizontal",
            location="top_left",
            click_policy="hide",
            background_fill_color=None,
            border_line_color=None,
            label_text_color=COLOR["ink"],
            label_text_font=FONT,
            label_text_font_size="12px",
            glyph_width=22,
            glyph_height=20,
            label_height=20,
            spacing=10,
            padding=2,
            margin=2,
            label_standoff=3,
        ),
        "above",
    )


def add_hover(fig: Any, renderers: list[Any], rows: list[tuple[str, str]], **kwargs: Any) -> None:
    """Tell values where the pointer is."""
    fig.add_tools(HoverTool(renderers=renderers, tooltips=rows, visible=False, **kwargs))


def add_rule(
    fig: Any, at: float, *, dimension: Literal["width", "height"] = "width", role: str = "axis", dash: str = "solid"
) -> None:
    """Draw a straight line right across, e.g. at zero."""
    fig.add_layout(Span(location=at, dimension=dimension, line_color=COLOR[role], line_dash=dash, level="underlay"))


def percent_axis(axis: Any, digits: int = 0) -> None:
    """Write an axis of fractions as percentages."""
    axis.formatter = NumeralTickFormatter(format=f"0{'.' + '0' * digits if digits else ''} %")


def number_axis(axis: Any, pattern: str = "0,0.[00]") -> None:
    """Write an axis of plain numbers with thousands separated."""
    axis.formatter = NumeralTickFormatter(format=pattern)


def plain(text: object) -> str:
    """Text for a figure without the marks that would have it typeset as mathematics."""
    shown = str(text)
    for mark in ("$$", "\\(", "\\[", "@", "$"):
        shown = shown.replace(mark, "")
    return shown
