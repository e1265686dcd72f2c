"""Native charts of a run's workbook: equity, drawdown, and each fold in and out of sample."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import polars as pl

from maestro._core.formatting import label
from maestro.walkforward.columns import metric_names
from maestro.walkforward.result import WalkForward

INK = "#1f3a5f"
_OUT, _IN, _LOSS = "#1f77b4", "#b0b8c4", "#c0504d"
_APART = 262
"""Distance of the charts [pixels]."""


def add_charts(book: Any, sheet: Any, wf: WalkForward, rows: int) -> None:
    """Place native charts: equity against buy and hold, drawdown, each fold in and out of sample."""
    if rows:
        span = wf.equity["timestamp"][0], wf.equity["timestamp"][-1]
        values = pl.concat([wf.equity["equity"], wf.equity["benchmark"]])
        equity = _chart(book, "Equity, out of sample", "money", span, logarithmic=_needs_log(values))
        _lines(equity, rows, ((1, "equity", _OUT), (2, "buy and hold", _IN)))
        sheet.insert_chart("D4", equity)
        under = _chart(book, "Drawdown", "percent", span)
        _lines(under, rows, ((3, "drawdown", _LOSS),))
        under.set_legend({"none": True})
        sheet.insert_chart("D4", under, {"y_offset": _APART})
    folds, score = wf.folds, wf.spec.selection.ranking
    if score in metric_names(folds) and len(folds):
        both = _chart(book, f"{label(score)} of the choice, fold by fold", "number")
        for side, name, colour in (("is", "in sample", _IN), ("oos", "out of sample", _OUT)):
            j = folds.columns.index(f"{side}_{score}")
            both.add_series({"name": name, "categories": ["Folds", 1, 0, len(folds), 0],
                             "values": ["Folds", 1, j, len(folds), j], "fill": {"color": colour}})  # fmt: skip
        sheet.insert_chart("D4", both, {"y_offset": 2 * _APART})


def _lines(chart: Any, rows: int, series: tuple[tuple[int, str, str], ...]) -> None:
    for j, name, colour in series:
        chart.add_series({"name": name, "categories": ["Chart data", 1, 0, rows, 0],
                          "values": ["Chart data", 1, j, rows, j], "line": {"color": colour, "width": 1.5},
                          "marker": {"type": "none"}})  # fmt: skip


def _chart(
    book: Any, heading: str, form: str, span: tuple[Any, Any] | None = None, *, logarithmic: bool = False
) -> Any:
    """Chart over time where a span is given, else columns; the time axis of Excel has a resolution of one day."""
    chart = book.add_chart({"type": "scatter", "subtype": "straight"} if span else {"type": "column"})
    chart.set_title({"name": heading, "name_font": {"size": 12, "color": INK}, "overlay": False})
    axis: dict[str, Any] = {"num_font": {"size": 9}, "label_position": "low", "major_gridlines": {"visible": False}}
    if span:
        first, last = (_days(moment) for moment in span)
        axis |= {"num_format": "yyyy-mm" if last - first > 90 else "yyyy-mm-dd", "min": first, "max": last}
    chart.set_x_axis(axis)
    grid = {"visible": True, "line": {"color": "#e5e7eb"}}
    short = {"money": "#,##0", "percent": "0%", "number": "0.0"}[form]
    scale = {"log_base": 10} if logarithmic else {}
    chart.set_y_axis({"num_format": short, "num_font": {"size": 9}, "major_gridlines": grid, **scale})
    chart.set_legend({"position": "top", "font": {"size": 9}})
    chart.set_size({"width": 720, "height": _APART - 12})
    return chart


def _needs_log(values: pl.Series) -> bool:
    """Whether a linear axis would hide the smaller values: all are above 0, the largest over 20 times the smallest."""
    low, high = float(values.min() or 0.0), float(values.max() or 0.0)  # type: ignore[arg-type]
    return 0.0 < low < high / 20


def _days(moment: datetime) -> float:
    """Moment as Excel counts it, days since the last but one of 1899."""
    return (moment.astimezone(UTC).replace(tzinfo=None) - datetime(1899, 12, 30)).total_seconds() / 86_400
