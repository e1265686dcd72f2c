"""Equity curves and p-values as small pictures in SVG: a thousand of them do not slow a page down."""

from __future__ import annotations

import numpy as np
from markupsafe import Markup

from maestro._core.formatting import percent
from maestro.typing import FloatArray, IntArray

POINTS = 72
"""Points of a curve."""


def sparkline(
    days: IntArray,
    equity: FloatArray,
    span: tuple[int, int],
    *,
    width: int = 140,
    height: int = 30,
    label: str = "",
    points: int = POINTS,
) -> Markup:
    """Equity (1 at the start, logarithmic) over the span of all runs, with a line at 1.

    Parameters
    ----------
    days : int64[d]
    equity : float64[d], over the starting cash; the line ends where the account is ruined
    span : (first, last) day of all runs
    label : str, for screen readers
    points : int, how many are drawn at most
    """
    alive = equity > 0
    if not alive.all():
        stop = int(np.argmin(alive))
        days, equity = days[:stop], equity[:stop]
    if not len(days):
        return Markup("")
    grid = np.unique(np.linspace(0, len(days) - 1, points).round().astype(np.int64))
    level = np.log(equity[grid])
    low, high = min(0.0, float(level.min())), max(0.0, float(level.max()))
    tall = (high - low) or 1.0
    x = (days[grid] - span[0]) / max(span[1] - span[0], 1) * (width - 2) + 1
    y = (high - level) / tall * (height - 4) + 2
    zero = high / tall * (height - 4) + 2
    drawn = " ".join(f"{a:.1f},{b:.1f}" for a, b in zip(x, y, strict=True))
    kind = "up" if level[-1] >= 0 else "down"
    return Markup(
        '<svg class="spark {}" viewBox="0 0 {} {}" width="{}" height="{}" role="img" aria-label="{}">'
        '<line x1="0" x2="{}" y1="{:.1f}" y2="{:.1f}"/><polyline points="{}"/></svg>'
    ).format(kind, width, height, width, height, label, width, zero, zero, drawn)


def p_histogram(pvalues: FloatArray, *, width: int = 560, height: int = 150) -> Markup:
    """Histogram of the p-values in twenty bins, with the expected counts if no rule had an edge."""
    counts, _ = np.histogram(pvalues, 20, (0.0, 1.0))
    expected = len(pvalues) / 20
    tall, floor = max(float(counts.max()), expected, 1.0), height - 22
    step = width / 20
    bars = [
        Markup('<rect class="{}" x="{:.1f}" y="{:.1f}" width="{:.1f}" height="{:.1f}"><title>{}</title></rect>').format(
            "first" if k == 0 else "", k * step + 1, floor * (1 - count / tall), step - 2, floor * count / tall,
            f"p from {k / 20:.2f} to {(k + 1) / 20:.2f}: {count}, {expected:.1f} expected",
        )
        for k, count in enumerate(counts.tolist())
    ]  # fmt: skip
    line = floor * (1 - expected / tall)
    marks = [
        Markup('<text x="{:.0f}" y="{}" text-anchor="{}">{:g}</text>').format(p * width, height - 6, anchor, p)
        for p, anchor in ((0.0, "start"), (0.5, "middle"), (1.0, "end"))
    ]
    label = f"{percent(float((pvalues < 0.05).mean()))} of the p-values lie below 5 %" if len(pvalues) else "no p-value"
    return Markup(
        '<svg class="histogram" viewBox="0 0 {} {}" role="img" aria-label="{}">{}'
        '<line x1="0" x2="{}" y1="{:.1f}" y2="{:.1f}"/>{}</svg>'
    ).format(width, height, label, Markup("").join(bars), width, line, line, Markup("").join(marks))
