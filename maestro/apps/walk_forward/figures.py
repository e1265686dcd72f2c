"""Figures that only the Walk-forward app has: windows over the price, a fold's curve, a map of trials, degradation."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import polars as pl

from maestro._core.formatting import label
from maestro.bars import Bars
from maestro.reports.figures.downsampling import thin
from maestro.reports.figures.equity import LOG_FROM
from maestro.reports.figures.theme import COLOR, add_hover, add_legend, add_rule, make_figure, number_axis
from maestro.walkforward.columns import timestamps_ms
from maestro.walkforward.result import WalkForward
from maestro.walkforward.splitters import Window

_STAIRS = 24
"""Folds up to which each one has a row of its own."""
_ROW = 4
"""Pixels of a row at least."""


def rows_of(windows: Sequence[Window]) -> list[int]:
    """Row of each fold: its own, or with many folds the first one in which no other overlaps."""
    if len(windows) <= _STAIRS:
        return list(range(len(windows)))
    ends: list[int] = []
    rows = []
    for window in windows:
        begin, end = window[0], window[3]
        row = next((k for k, last in enumerate(ends) if last <= begin), len(ends))
        ends[row : row + 1] = [end]
        rows.append(row)
    return rows


def windows_figure(bars: Bars, windows: Sequence[Window], *, height: int = 280) -> Any:
    """Close, and below it the folds in rows: training, then test."""
    from bokeh.models.sources import ColumnDataSource

    time = bars.time / 1e3
    log = bool(bars.close.max() / bars.close.min() >= LOG_FROM)
    rows_taken = rows_of(windows)
    n = max(rows_taken) + 1
    price = height * 0.55  # pixels of the price; the rows stand below it
    share = max(0.4, n * _ROW / price)
    fig = make_figure(
        height=height + round((share - 0.4) * price), x="datetime", y="log" if log else "auto", drag="x",
        label="Close, log scale" if log else "Close",
    )  # fmt: skip
    low, high = float(bars.close.min()), float(bars.close.max())
    scale = (lambda part: low * (high / low) ** part) if log else (lambda part: low + (high - low) * part)
    rows: dict[str, Any] = {name: [] for name in ("left", "right", "bottom", "top", "color", "fold", "part")}
    for k, window in enumerate(windows):
        row = rows_taken[k]
        bottom, top = scale(-0.06 - share * (row + 0.9) / n), scale(-0.06 - share * (row + 0.1) / n)
        for part, (a, b), color in (
            ("training", window[:2], COLOR["trial"]), ("test", window[2:], COLOR["strategy"]),
        ):  # fmt: skip
            for name, value in zip(rows, (time[a], time[b - 1], bottom, top, color, k, part), strict=True):
                rows[name].append(value)
    source = ColumnDataSource(rows)
    band = fig.quad("left", "right", "bottom", "top", source=source, fill_color="color", line_color=None)
    shown = thin(bars.close)
    line = fig.line(time[shown], bars.close[shown], color=COLOR["muted"], width=1.2)
    add_hover(fig, [band], [("Fold", "@fold"), ("", "@part")])
    add_legend(fig, [("Close", [line])])
    number_axis(fig.yaxis, "0,0.[00]")
    fig.yaxis.bounds = fig.ygrid.bounds = (scale(-0.05), scale(1.1))  # the rows have no price
    return fig


def fold_figure(curve: pl.DataFrame, fold: int, *, height: int = 260) -> Any:
    """Growth of 1 with the fold's chosen parameters, in sample and out of sample."""
    fig = make_figure(height=height, x="datetime", drag="x", label=f"Fold {fold}: growth of 1")
    items = []
    for part, role in (("in sample", "insample"), ("out of sample", "strategy")):
        own = curve.filter(pl.col("part") == part)
        if len(own):
            growth = own["growth"].to_numpy()
            rows = thin(growth)
            line = fig.line(timestamps_ms(own["timestamp"])[rows], growth[rows], color=COLOR[role], width=1.8)
            items.append((part.capitalize(), [line]))
    add_legend(fig, items)
    add_rule(fig, 1.0)
    return fig


def heat_figure(cells: pl.DataFrame, x: str, y: str, metric: str, *, height: int = 380) -> Any:
    """Mean metric of the trials over two parameters."""
    from bokeh.models.annotations import ColorBar
    from bokeh.models.mappers import LinearColorMapper
    from bokeh.models.sources import ColumnDataSource
    from bokeh.palettes import Cividis256

    fig = make_figure(height=height, label=y.replace("_", " "))
    fig.xaxis.axis_label = x.replace("_", " ")
    values = cells["mean"].to_numpy()
    low, high = (float(values.min()), float(values.max())) if len(values) else (0.0, 1.0)
    mapper: Any = LinearColorMapper(palette=Cividis256, low=low, high=high if high > low else low + 1e-9)
    source = ColumnDataSource({name: cells[name].to_numpy() for name in cells.columns})
    tiles = fig.rect(
        "x", "y", "width", "height", source=source, fill_color={"field": "mean", "transform": mapper}, line_color=None
    )
    bar = ColorBar(color_mapper=mapper, width=8, background_fill_color=None, title=f"{label(metric)}, mean")
    fig.add_layout(bar, "right")
    add_hover(fig, [tiles], [(x, "@x"), (y, "@y"), (f"mean {metric}", "@mean{0.000}"), ("trials", "@trials")])
    return fig


def degradation_figure(wf: WalkForward, metric: str = "sharpe_ratio", *, height: int = 260) -> Any:
    """What of the metric was left, fold by fold: out of sample less in sample."""
    done = wf.folds.filter(pl.col("error").is_null())
    change = (done[f"oos_{metric}"].cast(pl.Float64) - done[f"is_{metric}"].cast(pl.Float64)).to_numpy()
    fold = done["fold"].to_numpy()
    fig = make_figure(height=height, label=f"{metric.replace('_', ' ')}, out − in sample")
    colors = np.where(np.nan_to_num(change) >= 0, COLOR["gain"], COLOR["loss"]).tolist()
    from bokeh.models.sources import ColumnDataSource

    source = ColumnDataSource({"fold": fold, "change": change, "color": colors})
    bars = fig.vbar("fold", 0.8, "change", source=source, fill_color="color", line_color=None)
    add_hover(fig, [bars], [("Fold", "@fold"), ("Change", "@change{0.00}")])
    add_rule(fig, 0.0)
    return fig
