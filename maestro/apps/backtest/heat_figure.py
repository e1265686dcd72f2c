"""The figure of a heat map: cells by metric, those without a number by why, and the current values as a mark."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import numpy as np
import polars as pl

from maestro._core import formatting as formats
from maestro.apps.backtest.plane import Axis, Plane

_LABELS = 8
"""Labels of an axis at most."""
_HOVER = ("sharpe_ratio", "total_return", "max_drawdown", "num_trades")
_LOOKS: dict[str, tuple[str, str, str]] = {
    "ruined": ("Account lost", "loss", "x"),
    "failed": ("Failed", "muted", "/"),
    "undefined": ("No number", "trial", "."),
}
"""Of cells without a number: name in the legend, colour and hatch."""
MARK = "here"


def drawn(plane: Plane, metric: str, params: Mapping[str, Any], go: Callable[[int, int], None]) -> Any:
    """Draw a plane.

    Parameters
    ----------
    plane : Plane
    metric : str
        Colours the cells.
    params : mapping
        Current values of the parameters; those of the two axes are marked.
    go : callable
        Called with the places of a cell that is clicked.
    """
    from bokeh.models.annotations import ColorBar
    from bokeh.models.formatters import NumeralTickFormatter
    from bokeh.models.mappers import LinearColorMapper
    from bokeh.models.sources import ColumnDataSource
    from bokeh.models.tools import TapTool
    from bokeh.palettes import Cividis256

    from maestro.reports.figures.theme import COLOR, FONT, add_hover, add_legend, make_figure

    x, y = plane.x, plane.y
    fig = make_figure(
        height=400, label=y.name.replace("_", " "), x_range=(-0.5, len(x.values) - 0.5),
        y_range=(-0.5, len(y.values) - 0.5),
    )  # fmt: skip
    fig.xaxis.axis_label = x.name.replace("_", " ")
    for axis, ticks in ((fig.xaxis[0], x), (fig.yaxis[0], y)):
        _label(axis, ticks)
    fig.ygrid.grid_line_color = None
    cells = plane.cells.with_columns(plane.outcomes(metric))
    values = cells.filter(pl.col("outcome") == "measured")[metric].cast(pl.Float64)
    low, high = (float(values.min()), float(values.max())) if len(values) else (0.0, 1.0)  # type: ignore[arg-type]
    mapper: Any = LinearColorMapper(palette=Cividis256, low=low, high=high if high > low else low + 1e-9)
    renderers, legend = [], []
    for outcome in ("measured", *_LOOKS):
        own = cells.filter(pl.col("outcome") == outcome)
        if not len(own):
            continue
        source = ColumnDataSource(_columns(own, metric, x, y))
        if outcome == "measured":
            look: dict[str, Any] = {"fill_color": {"field": "value", "transform": mapper}}
        else:
            name, role, hatch = _LOOKS[outcome]
            look = {"fill_color": COLOR["shade"], "hatch_pattern": hatch, "hatch_color": COLOR[role],
                    "hatch_scale": 8, "hatch_weight": 1.2}  # fmt: skip
        tiles = fig.rect("i", "j", 1, 1, source=source, line_color=None, **look)
        tiles.nonselection_glyph = tiles.selection_glyph = None
        renderers.append(tiles)
        if outcome != "measured":
            legend.append((name, [tiles]))
        source.selected.on_change("indices", partial(_tapped, source, go))
    spot = ColumnDataSource(_spot(plane, params), name=MARK)
    fig.scatter("x", "y", source=spot, size=17, marker="circle", fill_color=None, line_color="#ffffff", line_width=5)
    ring = fig.scatter("x", "y", source=spot, size=17, marker="circle", fill_color=None, line_color="#cc2200",
                       line_width=2.5)  # fmt: skip
    add_legend(fig, [("Current values", [ring]), *legend])
    fig.legend.click_policy = "none"
    percent = formats.metric(metric, 0.5).endswith("%")
    fig.add_layout(
        ColorBar(
            color_mapper=mapper, width=8, background_fill_color=None, major_label_text_color=COLOR["muted"],
            major_label_text_font=FONT, major_label_text_font_size="11px",
            formatter=NumeralTickFormatter(format="0,0 %" if percent else "0,0.[00]"),
        ),
        "right",
    )  # fmt: skip
    shown = [(formats.label(name), f"@shown_{name}") for name in dict.fromkeys((metric, *_HOVER))]
    rows = [(x.name, "@x"), (y.name, "@y"), *shown, ("", "@error")]
    add_hover(fig, renderers, rows)
    fig.add_tools(TapTool(renderers=renderers, visible=False))
    return fig


def mark(fig: Any, plane: Plane, params: Mapping[str, Any]) -> None:
    """Move the mark of the current values."""
    fig.select_one({"name": MARK}).data = _spot(plane, params)


def _spot(plane: Plane, params: Mapping[str, Any]) -> dict[str, Any]:
    """Where the current values are; nowhere if one of them is outside of its axis."""
    at = [axis.place(params.get(axis.name)) for axis in (plane.x, plane.y)]
    return {"x": [], "y": []} if None in at else {"x": [float(at[0] or 0)], "y": [float(at[1] or 0)]}


def _tapped(source: Any, go: Callable[[int, int], None], attr: str, old: list[int], rows: list[int]) -> None:
    if rows:
        place = int(source.data["i"][rows[0]]), int(source.data["j"][rows[0]])
        source.selected.indices = []
        go(*place)


def _columns(cells: pl.DataFrame, metric: str, x: Axis, y: Axis) -> dict[str, Any]:
    texts = {"ruined": "the account is lost", "failed": "", "undefined": "no number", "measured": ""}
    shown = {
        f"shown_{name}": [formats.metric(name, value) for value in cells[name].to_list()]
        for name in dict.fromkeys((metric, *_HOVER))
    }
    why = zip(cells["error"].to_list(), cells["outcome"].to_list(), strict=True)
    return {
        "i": cells["i"].to_numpy(), "j": cells["j"].to_numpy(),
        "value": cells[metric].cast(pl.Float64).fill_null(np.nan).to_numpy(),
        "x": [formats.significant(x.values[i]) for i in cells["i"]],
        "y": [formats.significant(y.values[j]) for j in cells["j"]],
        "error": [error or texts[outcome] for error, outcome in why], **shown,
    }  # fmt: skip


def _label(axis: Any, ticks: Axis) -> None:
    """Write the values of some cells."""
    every = -(-len(ticks.values) // _LABELS)
    places = list(range(0, len(ticks.values), every))
    axis.ticker = places
    axis.major_label_overrides = {k: formats.significant(ticks.values[k]) for k in places}
