"""The stitched out-of-sample equity compared with buy and hold, fold by fold, and its drawdown."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import polars as pl
from bokeh.core.properties import value
from bokeh.layouts import column
from bokeh.models.layouts import Column
from bokeh.models.ranges import Range1d
from bokeh.models.sources import ColumnDataSource

from maestro.reports.figures.downsampling import MAX_POINTS, thin
from maestro.reports.figures.theme import (
    COLOR,
    FONT,
    add_hover,
    add_legend,
    add_rule,
    make_figure,
    number_axis,
    percent_axis,
)
from maestro.typing import FloatArray
from maestro.walkforward.columns import numbers, start_value, timestamps_ms

LOG_FROM = 6.0
"""Ratio of highest to lowest value from which on the scale is logarithmic."""
_LABELS = 12
"""Folds to number on the time axis, at most."""
_LEFT = 62


def equity_source(result: Any, *, points: int = MAX_POINTS) -> ColumnDataSource:
    """Thinned equity, benchmark and drawdowns of a walk-forward, a backtest or a frame of equity.

    Rows between folds that do not touch, because one between them failed, hold NaN, so that lines break there.
    """
    frame = result if isinstance(result, pl.DataFrame) else result.equity
    time = timestamps_ms(frame["timestamp"])
    equity = numbers(frame, "equity")
    benchmark = numbers(frame, "benchmark")
    if "benchmark" not in frame.columns and hasattr(result, "benchmark"):
        benchmark = np.asarray(result.benchmark, np.float64)
    drawdown = numbers(frame, "drawdown")
    held = ~np.isnan(benchmark).all() if len(benchmark) else False
    rows = thin(equity, drawdown, *((benchmark,) if held else ()), points=points)
    peak = np.fmax(benchmark, start_value(result))  # the starting cash is the first peak, as of the equity
    falls = benchmark / np.maximum.accumulate(peak) - 1.0 if held else benchmark
    data: dict[str, Any] = {
        "time": time,
        "equity": equity,
        "benchmark": benchmark,
        "drawdown": drawdown,
        "benchmark_drawdown": falls,
    }
    fold = numbers(frame, "fold") if "fold" in frame.columns else np.zeros(len(time))
    data = {name: values[rows] for name, values in (*data.items(), ("fold", fold))}
    breaks = np.flatnonzero(np.diff(data["fold"]) > 1) + 1
    for name, values in data.items():
        filler: Any = values[breaks - 1] if name in ("time", "fold") else math.nan
        data[name] = np.insert(values, breaks, filler)
    return ColumnDataSource(data)


def equity_figure(
    result: Any, *, folds: pl.DataFrame | None = None, source: ColumnDataSource | None = None, height: int = 340
) -> Any:
    """Equity over buy and hold, with the folds shaded, and a dashed line where a change of regime ended a test window.

    Parameters
    ----------
    result : walk-forward, Backtest, or frame with timestamp, equity and, where known, benchmark, drawdown, fold
    folds : frame, optional
        Taken from `result` if not given.
    source : ColumnDataSource, optional
        Shared with `drawdown_figure`, so that both are thinned alike.

    Returns
    -------
    bokeh figure
        Times in UTC; the scale is logarithmic where the highest value is six times the lowest or more.
    """
    source = equity_source(result) if source is None else source
    data: Any = source.data
    values = np.concatenate([data["equity"], data["benchmark"]])
    values = values[np.isfinite(values)]
    log = len(values) > 0 and values.min() > 0 and values.max() / values.min() >= LOG_FROM
    fig = make_figure(
        height=height,
        x="datetime",
        y="log" if log else "auto",
        drag="x",
        label="Equity, log scale" if log else "Equity",
    )
    fig.min_border_left = _LEFT
    _shade(fig, result if folds is None else folds)
    items = []
    if np.isfinite(data["benchmark"]).any():
        held = fig.line("time", "benchmark", source=source, color=COLOR["benchmark"], width=1.4)
        items.append(("Buy and hold", [held]))
    line = fig.line("time", "equity", source=source, color=COLOR["strategy"], width=2)
    changes = _changes_of_regime(result)
    if len(changes):
        shown = fig.vspan(x=changes, line_color=COLOR["insample"], line_dash="dashed", line_width=1.2)
        items.append(("Change of regime", [shown]))
    items.insert(0, ("Out of sample" if _folds_of(result, folds) is not None else "Strategy", [line]))
    add_legend(fig, items)
    rows = [("", "@time{%F %H:%M} UTC"), ("Equity", "@equity{0,0.00}")]
    if np.isfinite(data["benchmark"]).any():
        rows.append(("Buy and hold", "@benchmark{0,0.00}"))
    if _folds_of(result, folds) is not None:
        rows.insert(1, ("Fold", "@fold{0}"))
    add_hover(fig, [line], rows, formatters={"@time": "datetime"}, mode="vline")
    fig.y_range.renderers = [r for name, drawn in items if name != "Change of regime" for r in drawn]
    number_axis(fig.yaxis, "0.[00]a" if len(values) and values.max() >= 10_000 else "0,0.[000]")
    fig.x_range.range_padding = 0.01
    return fig


def drawdown_figure(
    result: Any,
    *,
    folds: pl.DataFrame | None = None,
    source: ColumnDataSource | None = None,
    x_range: Any = None,
    height: int = 170,
) -> Any:
    """Fall below the highest equity so far, of the strategy (filled) and of buy and hold (line)."""
    source = equity_source(result) if source is None else source
    data: Any = source.data
    shared = {} if x_range is None else {"x_range": x_range}
    fig = make_figure(height=height, x="datetime", drag="x", label="Drawdown", **shared)
    fig.min_border_left = _LEFT
    _shade(fig, result if folds is None else folds, labels=False)
    area = fig.varea("time", y1=0, y2="drawdown", source=_unbroken(data), color=COLOR["strategy"], alpha=0.25)
    line = fig.line("time", "drawdown", source=source, color=COLOR["strategy"], width=1.4)
    if np.isfinite(data["benchmark_drawdown"]).any():
        fig.line("time", "benchmark_drawdown", source=source, color=COLOR["benchmark"], width=1)
    add_rule(fig, 0)
    rows = [
        ("", "@time{%F %H:%M} UTC"),
        ("Drawdown", "@drawdown{0.0 %}"),
        ("Buy and hold", "@benchmark_drawdown{0.0 %}"),
    ]
    add_hover(fig, [line], rows, formatters={"@time": "datetime"}, mode="vline")
    percent_axis(fig.yaxis)
    fig.y_range.end = 0
    fig.y_range.range_padding = 0.05
    area.level = "underlay"
    if x_range is None:
        fig.x_range.range_padding = 0.01
    return fig


def equity_layout(result: Any) -> Column:
    """Equity above drawdown, one time axis: zooming into one zooms into the other."""
    source = equity_source(result)
    above = equity_figure(result, source=source)
    below = drawdown_figure(result, source=source, x_range=above.x_range)
    above.xaxis.visible = False
    return column(above, below, sizing_mode="stretch_width", spacing=4)


def _changes_of_regime(result: Any) -> FloatArray:
    """Ends [ms] of the test windows that a change of regime ended, from the run's record."""
    manifest = getattr(result, "manifest", None)
    cuts = manifest.get("cuts", []) if isinstance(manifest, dict) else []
    if not cuts:
        return np.empty(0)
    ended = {fold for fold, cut in enumerate(cuts) if cut["reason"] == "regime"}
    rows = result.folds.filter(pl.col("fold").is_in(ended)) if ended else result.folds.head(0)
    found: FloatArray = timestamps_ms(rows["test_end"])
    return found


def _unbroken(data: Any) -> ColumnDataSource:
    """Drawdown for an area, which does not break at NaN as a line does: there it goes by way of zero."""
    time, fall = np.asarray(data["time"]), np.asarray(data["drawdown"])
    holes = np.flatnonzero(np.isnan(fall))
    after = np.minimum(holes + 1, len(time) - 1)
    fall = np.where(np.isnan(fall), 0.0, fall)
    return ColumnDataSource({"time": np.insert(time, after, time[after]), "drawdown": np.insert(fall, after, 0.0)})


def _folds_of(result: Any, folds: pl.DataFrame | None) -> pl.DataFrame | None:
    if folds is not None:
        return folds
    found = None if isinstance(result, pl.DataFrame) else getattr(result, "folds", None)
    return found if isinstance(found, pl.DataFrame) else None


def _shade(fig: Any, given: Any, *, labels: bool = True) -> None:
    """Shade every other test window, hatch those of failed folds, number some."""
    folds = given if isinstance(given, pl.DataFrame) and "test_start" in given.columns else _folds_of(given, None)
    if folds is None or not len(folds):
        return
    left: FloatArray = timestamps_ms(folds["test_start"])
    right: FloatArray = timestamps_ms(folds["test_end"])
    # A window ends where the next begins; shaded to its own end it would leave a gap of one bar.
    right = np.where(
        np.append(left[1:], -np.inf) >= right,
        np.minimum(np.append(left[1:], np.inf), right * 1.0 + _gap(left, right)),
        right,
    )
    broken = folds["error"].is_not_null().to_numpy() if "error" in folds.columns else np.zeros(len(folds), np.bool_)
    odd = np.arange(len(folds)) % 2 == 1
    fig.vstrip(
        x0=left[odd & ~broken], x1=right[odd & ~broken], fill_color=COLOR["shade"], line_color=None, level="underlay"
    )
    if broken.any():
        fig.vstrip(
            x0=left[broken], x1=right[broken], fill_color=COLOR["loss"], fill_alpha=0.10, line_color=None,
            hatch_pattern="/", hatch_color=COLOR["loss"], hatch_alpha=0.35, hatch_weight=1, level="underlay",
        )  # fmt: skip
    if not labels:
        return
    every = math.ceil(len(folds) / (_LABELS if len(folds) < 100 else 8))
    shown = np.arange(0, len(folds), every)
    fig.extra_y_ranges = {"label": Range1d(start=1, end=2)}
    fig.text(
        x=(left[shown] + right[shown]) / 2,
        y=np.full(len(shown), 2.0),  # the top of a range that a log scale can show too
        text=[str(folds["fold"][int(i)]) + (" failed" if broken[i] and len(folds) <= _LABELS else "") for i in shown],
        y_range_name="label", text_align="center", text_baseline="top", y_offset=3, text_font=value(FONT),
        text_font_size="10px", text_color=COLOR["muted"],
    )  # fmt: skip


def _gap(left: FloatArray, right: FloatArray) -> float:
    """Smallest distance from one window's end to the next one's start: a bar, where windows touch."""
    between = left[1:] - right[:-1]
    between = between[between >= 0]
    return float(between.min()) if len(between) else 0.0
