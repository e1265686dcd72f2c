"""Growth and drawdown of several runs on one time axis."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from bokeh.layouts import column
from bokeh.models.ranges import Range1d
from bokeh.models.sources import ColumnDataSource

from maestro.reports.figures.theme import (
    COLOR,
    OVERLAYS,
    add_hover,
    add_legend,
    add_rule,
    make_figure,
    number_axis,
    percent_axis,
    plain,
)

if TYPE_CHECKING:
    from maestro.reports.tables.compare import Curve

LINES = (COLOR["strategy"], COLOR["insample"], *OVERLAYS, COLOR["loss"], COLOR["muted"])
"""Colours of the runs, in order; beyond them dashes tell lines of one colour apart."""
_DASHES = ("solid", "dashed", "dotted", "dotdash")
_LEFT = 62


def comparison_figure(curves: Sequence[Curve], *, height: int = 380, log: bool = False) -> Any:
    """Growth of 1 over time, one line per run, and the drawdowns below; a click on a name hides its lines."""
    upper = make_figure(height=height, x="datetime", y="log" if log else "auto", drag="x", label="Growth of 1")
    lower = make_figure(height=max(height * 2 // 5, 120), x="datetime", drag="x", label="Drawdown")
    times = [np.asarray(curve.time, "datetime64[us]").astype(np.int64) / 1e3 for curve in curves]
    known = [time for time in times if len(time)]
    if known:
        first, last = min(time[0] for time in known), max(time[-1] for time in known)
        pad = 0.01 * (last - first)
        upper.x_range = lower.x_range = Range1d(first - pad, last + pad)
    items = []
    for k, (curve, time) in enumerate(zip(curves, times, strict=True)):
        source = ColumnDataSource(
            {"time": time, "growth": curve.growth, "drawdown": curve.drawdown, "name": [plain(curve.name)] * len(time)}
        )
        look = {"color": LINES[k % len(LINES)], "line_dash": _DASHES[k // len(LINES) % len(_DASHES)]}
        above = upper.line("time", "growth", source=source, line_width=1.8, **look)
        below = lower.line("time", "drawdown", source=source, line_width=1.2, **look)
        items.append((plain(curve.name), [above, below]))
        add_hover(
            upper, [above], [("", "@name"), ("", "@time{%F %H:%M} UTC"), ("Growth", "@growth{0.000}")],
            formatters={"@time": "datetime"}, attachment="horizontal",
        )  # fmt: skip
    legend(upper, items)
    add_rule(upper, 1.0)
    number_axis(upper.yaxis, "0.[00]")
    percent_axis(lower.yaxis)
    for fig in (upper, lower):
        fig.min_border_left = _LEFT
    upper.xaxis.visible = False
    return column(upper, lower, sizing_mode="stretch_width", spacing=0)


def legend(fig: Any, items: list[tuple[str, list[Any]]]) -> None:
    """Names of the runs above the figure, a line each where they are long or many."""
    add_legend(fig, items)
    if len(items) > 1:
        fig.legend[0].orientation = "vertical"
        fig.legend[0].ncols = 1 if len(items) <= 8 else 2
