"""From bars to the Market app's panes, marks and table; nothing of the page."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from maestro.apps.chart import Line, Pane
from maestro.apps.chart.component import DOWN, UP
from maestro.bars import Bars
from maestro.quality import Finding
from maestro.reports.theme import LIGHT


@dataclass(frozen=True)
class Market:
    """One series as the page shows it."""

    bars: Bars
    panes: list[Pane]
    marks: list[tuple[int, int, str]]
    findings: tuple[Finding, ...]


def look(bars: Bars) -> Market:
    """Panes of what the bars carry, and what is odd in them."""
    quality = bars.quality()
    marks: list[tuple[int, int, str]] = [
        (a, b, finding.severity) for finding in quality.findings for a, b in finding.spans
    ]
    return Market(bars, panes(bars), marks, quality.findings)


def panes(bars: Bars) -> list[Pane]:
    """Volume, and funding, open interest and basis where the bars carry them."""
    up = np.where(bars.close >= bars.open, f"{UP}99", f"{DOWN}99").tolist()
    found = [Pane("volume", [Line("volume", bars.time, bars.volume, color=up, kind="histogram", format="volume")])]
    if bars.funding_rate is not None:
        paid = np.where(np.nan_to_num(bars.funding_rate) >= 0, DOWN, UP).tolist()
        line = Line("funding", bars.time, bars.funding_rate, color=paid, kind="histogram", format="rate")
        found.append(Pane("funding", [line]))
    if bars.open_interest is not None:
        line = Line("open interest", bars.time, bars.open_interest, color=LIGHT["overlay2"], format="volume")
        found.append(Pane("open interest", [line]))
    if bars.basis is not None:
        found.append(Pane("basis", [Line("basis", bars.time, bars.basis, color=LIGHT["overlay1"], format="percent")]))
    return found


def table(findings: tuple[Finding, ...]) -> pl.DataFrame:
    """A row a kind of defect, as the page lists them."""
    schema = {"severity": pl.String, "defect": pl.String, "count": pl.Int64, "where": pl.String, "meaning": pl.String}
    rows = [(f.severity, f.check, f.count, f.examples, f.meaning) for f in findings]
    return pl.DataFrame(rows, schema=schema, orient="row")


def window(bars: Bars, finding: Finding, place: int) -> tuple[int, int]:
    """Stretch [µs] around one place of a defect: itself, and 40 bars on either side."""
    spans = finding.spans or ((finding.first, finding.last),)
    start, end = spans[place % len(spans)]
    a, b = np.searchsorted(bars.time, [start, end])
    return int(bars.time[max(0, a - 40)]), int(bars.time[min(len(bars) - 1, b + 40)])
