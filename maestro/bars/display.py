"""Bars in a notebook: name, range, notes, and the first and last rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from maestro._core.markup import RIGHT, Markup, html, joined, table
from maestro.data.timeframes import whole_days

if TYPE_CHECKING:
    from maestro.bars.bars import Bars


def bars_html(bars: Bars) -> Markup:
    """Return HTML; text of the bars is escaped."""
    frame = bars.to_frame()
    shown = frame if len(frame) <= 6 else pl.concat([frame.head(3), frame.tail(3)])
    form = "%Y-%m-%d" if whole_days(bars.timeframe) else "%Y-%m-%d %H:%M"
    rows = [
        (f"{stamp:{form}}", *("" if value is None else f"{value:,.6g}" for value in values))
        for stamp, *values in shown.iter_rows()
    ]
    if len(frame) > 6:
        rows.insert(3, (html("<td colspan='{}' style='text-align:center'>⋮</td>", len(frame.columns)),))
    title = html(
        "<div><b>{name}</b>{made} · {count:,} bars · {start} to {end} UTC · {year}</div>",
        name=bars.name or "Bars",
        made=html(" <b>synthetic, not from a market</b>") if bars.synthetic else "",
        count=len(bars), start=f"{bars.start:{form}}", end=f"{bars.end:{form}}", year=bars.calendar.text,
    )  # fmt: skip
    noted = joined("<div style='opacity:.75'>{}</div>", [n for n in bars.notes if n != bars.calendar.text])
    return title + noted + table(frame.columns, rows, [RIGHT] * len(frame.columns))
