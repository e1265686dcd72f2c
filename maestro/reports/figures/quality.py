"""Where the data is odd: the closes with every defect marked in its place, as a figure and as a page of its own."""

from __future__ import annotations

import os
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from bokeh.models.sources import ColumnDataSource

from maestro.data.timeframes import as_datetime, timeframe_us
from maestro.reports.figures.downsampling import thin
from maestro.reports.figures.equity import LOG_FROM
from maestro.reports.figures.theme import COLOR, add_hover, add_legend, make_figure, number_axis, plain
from maestro.reports.page.output import write_text

if TYPE_CHECKING:
    from maestro.bars import Bars
    from maestro.bars.quality import Finding, Quality

_COLORS = ("insample", "overlay2", "overlay4", "overlay1", "overlay3", "gain")
_MARKED = 500
"""Places marked of one kind, evenly chosen where there are more."""
_STYLE = (
    "body{font:14px system-ui,sans-serif;margin:24px auto;max-width:1200px;padding:0 16px}h1{font-size:20px;margin:0}"
    "table{border-collapse:collapse;margin-top:16px}td,th{padding:4px 12px 4px 0;text-align:left;vertical-align:top;"
    "border-bottom:1px solid #e8eaee}"
)
_NARROWEST = 1 / 400
"""Share of the time axis that a mark is wide at least, so that one bar in years can be seen."""


def quality_figure(bars: Bars, quality: Quality | None = None, *, height: int = 360) -> Any:
    """Figure of the closes, with a band wherever `bars.quality()` finds something odd.

    Parameters
    ----------
    bars : Bars
    quality : Quality, optional
        What was found; looked for where it is not given.
    height : int [px]

    Returns
    -------
    bokeh figure; a click on the legend hides one kind of defect
    """
    found = bars.quality() if quality is None else quality
    time = bars.time / 1e3
    log = bars.close.max() / bars.close.min() >= LOG_FROM
    label = "Close, log scale" if log else "Close"
    fig = make_figure(height=height, x="datetime", y="log" if log else "auto", drag="x", label=label)
    number_axis(fig.yaxis, "0,0.[0000]")
    fig.x_range.range_padding = 0.01
    items = [
        (f"{plain(finding.check)} ({finding.count:,})", [_mark(fig, bars, finding, place)])
        for place, finding in enumerate(found.findings)
    ]
    rows = thin(bars.close)
    line = fig.line(time[rows], bars.close[rows], color=COLOR["muted"], width=1.1)
    items.insert(0, ("Close", [line]))
    add_legend(fig, items)
    return fig


def _mark(fig: Any, bars: Bars, finding: Finding, place: int) -> Any:
    spans = np.array(finding.spans or [(finding.first, finding.last)], np.float64)
    if len(spans) > _MARKED:
        spans = spans[np.linspace(0, len(spans) - 1, _MARKED).astype(int)]
    widest = (bars.time[-1] - bars.time[0]) * _NARROWEST
    left, right = spans[:, 0], np.maximum(spans[:, 1], spans[:, 0] + timeframe_us(bars.timeframe))
    short = np.maximum(widest - (right - left), 0.0) / 2
    source = ColumnDataSource(
        {
            "left": (left - short) / 1e3,
            "right": (right + short) / 1e3,
            "bottom": np.full(len(spans), bars.close.min()),
            "top": np.full(len(spans), bars.close.max()),
            "check": [plain(finding.check)] * len(spans),
            "when": [f"{as_datetime(int(a)):%Y-%m-%d %H:%M} to {as_datetime(int(b)):%Y-%m-%d %H:%M}" for a, b in spans],
        }
    )
    color = COLOR["loss" if finding.severity == "fatal" else _COLORS[place % len(_COLORS)]]
    band = fig.quad("left", "right", "bottom", "top", source=source, fill_color=color, fill_alpha=0.35, line_color=None)
    add_hover(fig, [band], [("", "@check"), ("", "@when")])
    return band


def write_quality(bars: Bars, path: str | os.PathLike[str], quality: Quality | None = None) -> Path:
    """Write table and figure as one HTML file that needs no network; returns its path.

    Raises
    ------
    RunError
        The path cannot be written to.
    """
    from bokeh.embed import components
    from bokeh.resources import Resources

    found = bars.quality() if quality is None else quality
    name = escape(bars.name)
    span = f"{len(bars):,} bars of {bars.timeframe} from {bars.start:%Y-%m-%d %H:%M} to {bars.end:%Y-%m-%d %H:%M} UTC"
    script, place = components(quality_figure(bars, found))
    drawing = "".join(Resources(mode="inline", components=["bokeh"]).js_raw)
    page = (
        f"<!doctype html><html lang='en'><head><meta charset='utf-8'><title>Quality of {name}</title>"
        f"<style>{_STYLE}</style><script>{drawing}</script>{script}</head><body><h1>{name}</h1><p>{span}</p>"
        f"{place}{found._repr_html_()}</body></html>"
    )
    return write_text(path, page)
