"""A run as an Excel workbook: summary with native charts, folds, trials, trades and equity.

Nothing in it is a formula: text is text, whatever it begins with, and what is no number is an empty cell.
"""

from __future__ import annotations

import math
import os
import re
import zipfile
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import polars as pl

from maestro._core.atomic import replacing
from maestro._core.formatting import label
from maestro._core.temporary import temporary_folder
from maestro.errors import MissingExtraError, RunError
from maestro.reports.figures.downsampling import thin
from maestro.reports.output import MARK, refuse_foreign
from maestro.reports.tables.annualisation import described
from maestro.walkforward.columns import metric_names, parameter_names, ranked_by, ranked_from_below, title
from maestro.walkforward.result import WalkForward

MAX_ROWS = 1_048_576
"""Rows of a sheet, the heading included: Excel's limit."""
MAX_TEXT = 32_767
"""Characters of a cell: Excel's limit."""
CHART_POINTS = 4_000
"""Points of a chart's line; longer equities are thinned for the chart, and stand whole in their sheet."""

_PERCENT = {
    "total_return", "annual_return", "volatility", "max_drawdown", "win_rate", "exposure", "return", "drawdown",
}  # fmt: skip
_MONEY = {"final_equity", "fees", "fee", "slippage", "funding", "pnl", "equity", "benchmark"}
_WHOLE = {"num_trades", "cut_entries", "ruined", "fold", "trial"}
_FORMATS = {
    "percent": "0.00%", "money": "#,##0.00", "whole": "#,##0", "number": "0.0000", "price": "#,##0.00######",
    "moment": "yyyy-mm-dd hh:mm", "text": "@", "general": "General",
}  # fmt: skip
_SETTINGS = (
    "space", "params", "splitter", "search", "trials", "selection", "costs", "sizing", "cash", "fill", "seed",
    "warm_start",
)  # fmt: skip
_RECORD = ("started", "seconds", "versions", "command", "python")
_INK, _OUT, _IN, _LOSS, _MUTED = "#1f3a5f", "#1f77b4", "#b0b8c4", "#c0504d", "#8a8f98"
_PROPERTIES = "docProps/custom.xml"
_FIRST = datetime(1900, 3, 1)


def write_workbook(wf: WalkForward, path: str | os.PathLike[str], *, max_rows: int = MAX_ROWS) -> Path:
    """Write the workbook beside and rename it there; returns the path.

    Parameters
    ----------
    wf : WalkForward
    path : str or Path
    max_rows : int
        Rows of a sheet, the heading included. A longer table is cut, and its sheet and the summary say so: of trials
        the chosen and the best are kept, of other tables the first rows.

    Raises
    ------
    MissingExtraError
        xlsxwriter is not installed.
    RunError
        The path cannot be written.
    """
    try:
        import xlsxwriter
    except ImportError as error:
        raise MissingExtraError("xlsxwriter", "panel") from error
    target = Path(path)
    refuse_foreign(target, lambda head: _is_ours(target), "a workbook that Maestro wrote")
    book = None
    try:
        with replacing(target) as temporary, temporary_folder("workbook") as parts:
            book = xlsxwriter.Workbook(
                temporary,
                {
                    "constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False,
                    "strings_to_numbers": False, "default_date_format": _FORMATS["moment"], "tmpdir": str(parts),
                },
            )  # fmt: skip
            _Book(book, wf, min(max_rows, MAX_ROWS)).write()
            book.close()
    except (OSError, xlsxwriter.exceptions.FileCreateError) as error:
        cause = error.args[0] if error.args and isinstance(error.args[0], OSError) else error
        reason = getattr(cause, "strerror", None) or error
        raise RunError(f"cannot write {target}: {reason}; choose a path that can be written to.") from error
    finally:
        if book is not None:
            book.fileclosed = True  # otherwise it would be written after all, when it is collected
    return target


def _is_ours(path: Path) -> bool:
    """Whether a file is a workbook of a run: its document properties say so."""
    try:
        with zipfile.ZipFile(path) as archive:
            if _PROPERTIES in archive.namelist():
                return f'name="{MARK}"'.encode() in archive.read(_PROPERTIES)
            core = archive.read("docProps/core.xml")  # of an earlier version
    except (zipfile.BadZipFile, KeyError, OSError):
        return False
    return re.search(rb"<dc:description>Run [0-9a-f]{16}</dc:description>", core) is not None


class _Book:
    """One workbook being written, sheet by sheet and row by row, as constant memory asks for."""

    def __init__(self, book: Any, wf: WalkForward, max_rows: int) -> None:
        self.book, self.wf, self.max_rows = book, wf, max_rows
        self.formats = {name: book.add_format({"num_format": form}) for name, form in _FORMATS.items()}
        self.head = book.add_format({"bold": True, "font_color": "white", "bg_color": _INK, "text_wrap": True,
                                     "valign": "vcenter"})  # fmt: skip
        self.strong = book.add_format({"bold": True})
        self.big = book.add_format({"bold": True, "font_size": 16, "font_color": _INK})
        self.muted = book.add_format({"font_color": _MUTED})
        self.wrapped = book.add_format({"text_wrap": True, "valign": "top", "num_format": "@"})
        self.notes: list[str] = []

    def write(self) -> None:
        """Write all sheets; the summary is the first, and is written last, when all notes are known."""
        wf = self.wf
        strategy, series = title(wf.spec)
        self.book.set_properties({"title": _text(f"{strategy} on {series}"), "comments": _text(f"Run {wf.id}")})
        self.book.set_custom_property(MARK, _text(wf.id))
        summary = self.book.add_worksheet("Summary")
        sheets = {name: self.book.add_worksheet(name) for name in ("Folds", "Trials", "Trades", "Equity", "Chart data")}
        self.table(sheets["Folds"], wf.folds, "folds", freeze=1)
        self.table(sheets["Trials"], self._trials(), "trials", freeze=2)
        self.table(sheets["Trades"], self._first(wf.trades, "trades"), "trades", freeze=1)
        self.table(sheets["Equity"], self._first(wf.equity, "bars of equity"), "equity", freeze=1)
        rows = self.chart_data(sheets["Chart data"])
        self.summary(summary, strategy, series)
        self.charts(summary, rows)

    # -- tables -----------------------------------------------------------------------------

    def table(self, sheet: Any, frame: pl.DataFrame, name: str, *, freeze: int) -> None:
        """Write a frame with a heading that stays in sight, filters, and formats by column."""
        forms = [self._form(column, kind) for column, kind in frame.schema.items()]
        sheet.freeze_panes(1, freeze)
        sheet.set_row(0, 32)
        if frame.width:
            sheet.autofilter(0, 0, max(len(frame), 1), frame.width - 1)
        for j, (column, form) in enumerate(zip(frame.columns, forms, strict=True)):
            sheet.set_column(j, j, _width(column, form))
            sheet.write_string(0, j, _heading(column), self.head)
        if not len(frame):
            sheet.write_string(1, 0, f"no {name}", self.muted)
        for i, row in enumerate(frame.iter_rows(), 1):
            for j, value in enumerate(row):
                self.cell(sheet, i, j, value, self.formats[forms[j]])

    def cell(self, sheet: Any, i: int, j: int, value: Any, form: Any) -> None:
        """Write one value as what it is; None, NaN and infinity leave the cell empty."""
        if value is None:
            return
        if isinstance(value, bool):
            sheet.write_boolean(i, j, value)
        elif isinstance(value, (int, float)):
            if math.isfinite(value):
                sheet.write_number(i, j, value, form)
        elif isinstance(value, datetime):
            naive = value.astimezone(UTC).replace(tzinfo=None) if value.tzinfo else value
            if naive >= _FIRST:
                sheet.write_datetime(i, j, naive, form)
            else:  # the calendar of Excel begins in 1900
                sheet.write_string(i, j, f"{naive:%Y-%m-%d %H:%M}")
        else:
            sheet.write_string(i, j, _text(value.isoformat() if isinstance(value, date) else value), form)

    def _form(self, column: str, kind: Any) -> str:
        if kind.is_temporal():
            return "moment"
        if not kind.is_numeric():
            return "text" if kind == pl.String else "general"
        name = column.removeprefix("oos_").removeprefix("is_")
        if column in parameter_names(self.wf.folds) or column == "seed":
            return "general"
        for form, names in (("percent", _PERCENT), ("money", _MONEY), ("whole", _WHOLE)):
            if name in names:
                return form
        if name in ("close", "entry_price", "exit_price", "size", "position", "price"):
            return "price"
        return "whole" if kind.is_integer() else "number"

    def _first(self, frame: pl.DataFrame, what: str) -> pl.DataFrame:
        most = self.max_rows - 1
        if len(frame) > most:
            self.notes.append(
                f"Excel holds {most:,} rows: the first {most:,} of {len(frame):,} {what} are here. "
                "An export to CSV or Parquet has all."
            )
        return frame.head(most)

    def _trials(self) -> pl.DataFrame:
        frame, most = self.wf.trials, self.max_rows - 1
        if len(frame) <= most:
            return frame
        score = ranked_by(self.wf.spec)
        if score not in frame.columns:
            return self._first(frame, "trials")
        sign = 1.0 if ranked_from_below(self.wf.spec) else -1.0
        order = frame.with_row_index("row").select(
            "row", last=~pl.col("chosen") if "chosen" in frame.columns else pl.lit(True),
            by=(sign * pl.col(score)).fill_nan(None).fill_null(math.inf),
        )  # fmt: skip
        kept = order.sort("last", "by").head(most)["row"].sort()
        self.notes.append(
            f"Excel holds {most:,} rows: of {len(frame):,} trials the chosen ones and the best by "
            f"{label(score)} are here. An export to CSV or Parquet has all."
        )
        return frame[kept]

    # -- summary ----------------------------------------------------------------------------

    def summary(self, sheet: Any, strategy: str, series: str) -> None:
        """Write what the run is, its metrics, what a reader must know, and how it is made again."""
        wf = self.wf
        sheet.hide_gridlines(2)
        sheet.set_column(0, 0, 26)
        sheet.set_column(1, 1, 46)
        sheet.set_column(2, 2, 3)
        sheet.write_string(0, 0, _text(f"{strategy} on {series}"), self.big)
        sheet.write_string(
            1, 0, _text(f"Walk-forward {wf.id}. All figures are out of sample; moments are UTC."), self.muted
        )
        i = 3
        sheet.write_string(i, 0, "Out of sample", self.head)
        sheet.write_string(i, 1, "", self.head)
        for name, value in wf.metrics.items():
            i += 1
            sheet.write_string(i, 0, _heading(name))
            self.cell(sheet, i, 1, value, self._left(self._form(name, pl.Float64())))
        for heading, pairs in (("Settings", self._settings()), ("What a reader must know", self._notes())):
            if not pairs:
                continue
            i += 2
            sheet.write_string(i, 0, heading, self.head)
            sheet.write_string(i, 1, "", self.head)
            for key, words in pairs:
                i += 1
                sheet.write_string(i, 0, _text(key), self.wrapped)
                sheet.write_string(i, 1, _text(words), self.wrapped)

    def _left(self, form: str) -> Any:
        return self.book.add_format({"num_format": _FORMATS[form], "align": "left"})

    def _settings(self) -> list[tuple[str, str]]:
        spec, manifest = self.wf.spec, self.wf.manifest
        bars = spec.get("bars") or {}
        rows = [("Bars", f"{bars.get('n', '')} from {bars.get('start', '')} to {bars.get('end', '')}")]
        rows.append(("Fingerprint of the bars", str(bars.get("fingerprint", ""))))
        known = [(key, spec.get(key)) for key in _SETTINGS] + [(key, manifest.get(key)) for key in _RECORD]
        rows.append(("Annualised with", described(self.wf)))
        rows += [(_heading(key), _words(value)) for key, value in known if value not in (None, False, {}, [], "")]
        return rows

    def _notes(self) -> list[tuple[str, str]]:
        errors = self.wf.folds.filter(pl.col("error").is_not_null()) if "error" in self.wf.folds.columns else None
        rows = [("", note) for note in [*self.wf.notes, *self.notes]]
        if errors is not None:
            rows += [(f"Fold {row['fold']} failed", row["error"]) for row in errors.iter_rows(named=True)]
        return rows

    # -- charts -----------------------------------------------------------------------------

    def chart_data(self, sheet: Any) -> int:
        """Write the rows that the charts draw; returns their number."""
        equity = self.wf.equity
        if not len(equity):
            sheet.hide()
            return 0
        rows = thin(equity["equity"], equity["benchmark"], equity["drawdown"], points=CHART_POINTS)
        frame = equity[rows].select("timestamp", "equity", "benchmark", "drawdown")
        self.table(sheet, frame, "chart", freeze=1)
        return len(frame)

    def charts(self, sheet: Any, rows: int) -> None:
        """Place native charts: equity against buy and hold, drawdown, each fold in and out of sample."""
        if rows:
            span = self.wf.equity["timestamp"][0], self.wf.equity["timestamp"][-1]
            equity = self._chart("Equity, out of sample", "money", span)
            self._lines(equity, rows, ((1, "equity", _OUT), (2, "buy and hold", _IN)))
            sheet.insert_chart("D4", equity)
            under = self._chart("Drawdown", "percent", span)
            self._lines(under, rows, ((3, "drawdown", _LOSS),))
            under.set_legend({"none": True})
            sheet.insert_chart("D21", under)
        folds, score = self.wf.folds, ranked_by(self.wf.spec)
        if score in metric_names(folds) and len(folds):
            both = self._chart(f"{label(score)} of the choice, fold by fold", "number")
            for side, name, colour in (("is", "in sample", _IN), ("oos", "out of sample", _OUT)):
                j = folds.columns.index(f"{side}_{score}")
                both.add_series({"name": name, "categories": ["Folds", 1, 0, len(folds), 0],
                                 "values": ["Folds", 1, j, len(folds), j], "fill": {"color": colour}})  # fmt: skip
            sheet.insert_chart("D38", both)

    def _lines(self, chart: Any, rows: int, series: tuple[tuple[int, str, str], ...]) -> None:
        for j, name, colour in series:
            chart.add_series({"name": name, "categories": ["Chart data", 1, 0, rows, 0],
                              "values": ["Chart data", 1, j, rows, j], "line": {"color": colour, "width": 1.5},
                              "marker": {"type": "none"}})  # fmt: skip

    def _chart(self, heading: str, form: str, span: tuple[Any, Any] | None = None) -> Any:
        """Chart over time where a span is given, else columns; a time axis of Excel's own knows whole days only."""
        chart = self.book.add_chart({"type": "scatter", "subtype": "straight"} if span else {"type": "column"})
        chart.set_title({"name": heading, "name_font": {"size": 12, "color": _INK}, "overlay": False})
        axis: dict[str, Any] = {"num_font": {"size": 9}, "label_position": "low", "major_gridlines": {"visible": False}}
        if span:
            first, last = (_days(moment) for moment in span)
            axis |= {"num_format": "yyyy-mm" if last - first > 90 else "yyyy-mm-dd", "min": first, "max": last}
        chart.set_x_axis(axis)
        grid = {"visible": True, "line": {"color": "#e5e7eb"}}
        short = {"money": "#,##0", "percent": "0%", "number": "0.0"}[form]
        chart.set_y_axis({"num_format": short, "num_font": {"size": 9}, "major_gridlines": grid})
        chart.set_legend({"position": "top", "font": {"size": 9}})
        chart.set_size({"width": 720, "height": 320})
        return chart


def _days(moment: datetime) -> float:
    """Moment as Excel counts it, days since the last but one of 1899."""
    return (moment.astimezone(UTC).replace(tzinfo=None) - datetime(1899, 12, 30)).total_seconds() / 86_400


def _heading(column: str) -> str:
    for side, words in (("oos_", "out of sample"), ("is_", "in sample")):
        if column.startswith(side):
            return f"{label(column.removeprefix(side))}, {words}"
    return label(column)


def _width(column: str, form: str) -> float:
    if column == "error":
        return 48
    return {"moment": 17, "money": 15, "text": 14}.get(form, 12)


def _text(value: Any) -> str:
    """Text as a cell takes it: characters that XML cannot carry are replaced, and Excel's limit is kept."""
    text = str(value).encode("utf-8", "replace").decode()
    return text if len(text) <= MAX_TEXT else f"{text[: MAX_TEXT - 1]}…"


def _words(value: Any) -> str:
    if isinstance(value, dict):
        return "\n".join(f"{key}: {_inline(one)}" for key, one in value.items())
    return _inline(value)


def _inline(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{key} {_inline(one)}" for key, one in value.items() if one is not None)
    if isinstance(value, (list, tuple)):
        return ", ".join(map(_inline, value))
    return str(value)
