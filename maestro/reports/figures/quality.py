"""Anomalies of the data, each marked in its place on the closing prices."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from bokeh.models.sources import ColumnDataSource

from maestro.data.timeframes import as_datetime, timeframe_us
from maestro.reports.figures.downsampling import thin
from maestro.reports.figures.equity import LOG_FROM
from maestro.reports.figures.theme import COLOR, add_hover, add_legend, make_figure, number_axis, plain

if TYPE_CHECKING:
    from maestro.bars import Bars
    from maestro.bars.quality import Finding, Quality

_COLORS = ("insample", "overlay2", "overlay4", "overlay1", "overlay3", "gain")
_MARKED = 500
"""Places marked of one kind, evenly chosen where there are more."""
_NARROWEST = 1 / 400
"""Share of the time axis that a mark is wide at least, so that one bar in years can be seen."""


def quality_figure(bars: Bars, quality: Quality | None = None, *, height: int = 360) -> Any:
    """Return a figure of the closing prices, with a band wherever `bars.quality()` finds an anomaly.

    Parameters
    ----------
    bars : Bars
    quality : Quality, optional
        The anomalies; by default those of `bars.quality()`.
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
