"""The quality of bars as one HTML file that needs no network: every anomaly on the prices, and in a table."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from maestro._core.formatting import moment, plural
from maestro.reports.figures.quality import quality_figure
from maestro.reports.html.embedding import page_parts
from maestro.reports.html.environment import render_page
from maestro.reports.html.fragments import Cell, empty, table
from maestro.reports.output import write_page

if TYPE_CHECKING:
    from maestro.bars import Bars
    from maestro.bars.quality import Quality


def write_quality(bars: Bars, path: str | os.PathLike[str], quality: Quality | None = None) -> Path:
    """Write figure and table as one HTML file that needs no network; returns its path.

    Raises
    ------
    RunError
        The path cannot be written to.
    """
    found = bars.quality() if quality is None else quality
    rows = [
        [Cell(f.severity, kind="lost" if f.severity == "fatal" else ""), f.check, f"{f.count:,}",
         Cell(f.examples, kind="wide"), Cell(f.meaning, kind="wide")]
        for f in found.findings
    ]  # fmt: skip
    anomalies = table(
        ["Severity", "Check", "Count", "Where", "Meaning"], rows, numeric=(2,), kind="plain quality",
        caption="Anomalies",
    ) if rows else empty("No anomaly was found.")  # fmt: skip
    subtitle = [f"{plural(len(bars), 'bar')} of {bars.timeframe}", f"{moment(bars.start)} to {moment(bars.end)} UTC"]
    text = render_page(
        "quality.html", **page_parts(figures={"quality": quality_figure(bars, found)}), name=bars.name or "Bars",
        subtitle=subtitle, anomalies=anomalies,
    )  # fmt: skip
    return write_page(path, text)
