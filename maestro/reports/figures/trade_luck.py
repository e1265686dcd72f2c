"""Luck of trades drawn: the fan of a Monte Carlo, random entries, and the paths of a cross-validation."""

from __future__ import annotations

from typing import Any

import numpy as np
from bokeh.layouts import row
from bokeh.models.sources import ColumnDataSource

from maestro._core.formatting import label, number, percent
from maestro.reports.figures.downsampling import thin
from maestro.reports.figures.theme import (
    COLOR,
    add_hover,
    add_legend,
    add_rule,
    make_figure,
    number_axis,
    percent_axis,
    plain,
)

_BINS = 41
_LINES = 60
"""Single paths drawn behind the bands."""


def monte_carlo_figure(found: Any, *, height: int = 260) -> Any:
    """Equity of the paths, trade by trade, with bands of 5 to 95 % and 25 to 75 %, beside the drawdowns.

    Parameters
    ----------
    found : MonteCarlo
    height : int [px]
    """
    fan = make_figure(height=height, y="log" if found.sample.min() > 0 else "auto", label="Equity / starting cash")
    fan.xaxis.axis_label = "Trades"
    number_axis(fan.yaxis[0])
    trades = np.arange(found.sample.shape[1])
    bands = np.quantile(found.sample, (0.05, 0.25, 0.5, 0.75, 0.95), axis=0)
    keep = thin(bands[2], points=600)
    source = ColumnDataSource({"x": trades[keep], **{f"q{k}": band[keep] for k, band in enumerate(bands)}})
    lines = [list(path[keep]) for path in found.sample[:_LINES]]
    fan.multi_line([list(trades[keep])] * len(lines), lines, color=COLOR["trial"], alpha=0.35, width=0.7)
    wide = fan.varea("x", "q0", "q4", source=source, fill_color=COLOR["strategy"], fill_alpha=0.12)
    inner = fan.varea("x", "q1", "q3", source=source, fill_color=COLOR["strategy"], fill_alpha=0.22)
    middle = fan.line("x", "q2", source=source, color=COLOR["strategy"], width=2)
    add_rule(fan, 1.0)
    add_legend(fan, [("Median", [middle]), ("25 to 75 %", [inner]), ("5 to 95 %", [wide])])
    drawdowns, observed = found.figures["max_drawdown"], found.observed["max_drawdown"]
    falls = distribution(drawdowns, observed, "Largest drawdown", height=height, as_percent=True)
    return row(fan, falls, sizing_mode="stretch_width")


def random_entries_figure(found: Any, *, height: int = 240) -> Any:
    """Distribution of the metric over runs with random entries, and where the run stands."""
    values = found.null[np.isfinite(found.null)]
    return distribution(values, found.observed, label(found.metric), height=height,
                        share="Share of the runs", items=("Random entries", "This run"),
                        as_percent=found.metric in ("total_return", "max_drawdown"))  # fmt: skip


def parameter_permutation_figure(found: Any, *, height: int = 240) -> Any:
    """Distribution of a metric over fixed sets, with the walk-forward's own value."""
    values = found.values[np.isfinite(found.values)]
    return distribution(values, found.observed, label(found.metric), height=height, share="Share of the sets",
                        items=("Fixed sets", "Walk-forward"),
                        as_percent=found.metric not in ("sharpe_ratio",))  # fmt: skip


def cpcv_figure(found: Any, *, height: int = 300) -> Any:
    """Equity of every path over time, each of which chose its sets on other bars than it tests."""
    time = timestamps_ms_of(found.stamps)
    equity = np.cumprod(1.0 + found.returns, axis=0)
    scale: Any = "log" if equity.min() > 0 else "auto"
    fig = make_figure(height=height, x="datetime", y=scale, drag="x", label="Equity / starting cash")
    number_axis(fig.yaxis[0])
    keep = thin(*equity.T)
    median = np.median(equity, axis=1)
    lines = fig.multi_line([list(time[keep])] * equity.shape[1], [list(e[keep]) for e in equity.T],
                           color=COLOR["trial"], alpha=0.8, width=1.1)  # fmt: skip
    middle = fig.line(time[keep], median[keep], color=COLOR["strategy"], width=2)
    add_rule(fig, 1.0)
    add_legend(fig, [(f"{equity.shape[1]} paths", [lines]), ("Median", [middle])])
    return fig


def timestamps_ms_of(stamps: Any) -> Any:
    """Stamps [µs] as milliseconds, the unit of a time axis."""
    return np.asarray(stamps, np.float64) / 1_000.0


def distribution(
    values: Any, observed: float, name: str, *, height: int, as_percent: bool = False,
    share: str = "Share of the paths", items: tuple[str, str] = ("Paths", "As it came"),
) -> Any:  # fmt: skip
    """Histogram with a line at the observed value."""
    counts, edges = np.histogram(values, bins=min(_BINS, max(5, len(np.unique(values)))))
    fig = make_figure(height=height, label=share)
    percent_axis(fig.yaxis[0])
    source = ColumnDataSource(
        {
            "left": edges[:-1],
            "right": edges[1:],
            "top": counts / max(counts.sum(), 1),
            "from": [percent(e) if as_percent else number(e) for e in edges[:-1]],
            "to": [percent(e) if as_percent else number(e) for e in edges[1:]],
        }
    )
    bars = fig.quad("left", "right", "top", 0, source=source, fill_color=COLOR["trial"], line_color=COLOR["surface"])
    add_hover(fig, [bars], [(plain(name), "@from to @to"), ("Share", "@top{0.0 %}")])
    fig.xaxis.axis_label = plain(name)
    (percent_axis if as_percent else number_axis)(fig.xaxis[0])
    legend = [(items[0], [bars])]
    if np.isfinite(observed):
        peak = float(counts.max() / max(counts.sum(), 1))
        line = fig.line([observed, observed], [0.0, peak * 1.05], color=COLOR["strategy"], width=2.5)
        legend.append((items[1], [line]))
    add_legend(fig, legend)
    return fig
