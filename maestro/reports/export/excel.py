"""A run as an Excel workbook: summary with native charts, verdict, folds, trials, trades and equity.

No cell is a formula: text stays text, whatever it begins with. A value that is not finite is an empty cell.
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
from maestro.reports.export.charts import INK, add_charts
from maestro.reports.figures.downsampling import thin
from maestro.reports.output import MARK, refuse_foreign
from maestro.reports.tables.annualisation import described
from maestro.validation.verdict.preliminary import current_verdict
from maestro.validation.verdict.rule import QUESTIONS
from maestro.walkforward.columns import parameter_names
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
_OUTCOMES = {"pass": "#1b7f4b", "fail": "#b3261e", "not done": "#8a8f98"}
_SHEETS = ("Verdict", "Folds", "Trials", "Trades", "Equity", "Chart data")
_NARROW, _WIDE = 26.0, 60.0
"""Widths of the columns of the summary [characters]."""
_LINE = 15.0
"""Height of one line of text [points]."""
_MUTED = "#8a8f98"
_PROPERTIES = "docProps/custom.xml"
_FIRST = datetime(1900, 3, 1)


def write_workbook(wf: WalkForward, path: str | os.PathLike[str], *, max_rows: int = MAX_ROWS) -> Path:
    """Write the workbook to a temporary file and rename it; returns the path.

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
        self.head = book.add_format({"bold": True, "font_color": "white", "bg_color": INK, "text_wrap": True,
                                     "valign": "vcenter"})  # fmt: skip
        self.strong = book.add_format({"bold": True})
        self.big = book.add_format({"bold": True, "font_size": 16, "font_color": INK})
        self.muted = book.add_format({"font_color": _MUTED})
        self.wrapped = book.add_format({"text_wrap": True, "valign": "top", "num_format": "@"})
        self.outcomes = {
            name: book.add_format({"bold": True, "valign": "top", "font_color": color})
            for name, color in _OUTCOMES.items()
        }
        self.notes: list[str] = []
        self.verdict, self.unread = current_verdict(wf)

    def write(self) -> None:
        """Write all sheets; the summary is the first, and is written last, when all notes are known."""
        wf = self.wf
        self.book.set_properties({"title": _text(wf.spec.title), "comments": _text(f"Run {wf.id}")})
        self.book.set_custom_property(MARK, _text(wf.id))
        summary = self.book.add_worksheet("Summary")
        sheets = {name: self.book.add_worksheet(name) for name in _SHEETS}
        self.checks(sheets["Verdict"])
        self.table(sheets["Folds"], wf.folds, "folds", freeze=1)
        self.table(sheets["Trials"], self._trials(), "trials", freeze=2)
        self.table(sheets["Trades"], self._first(wf.trades, "trades"), "trades", freeze=1)
        self.table(sheets["Equity"], self._first(wf.equity, "bars of equity"), "equity", freeze=1)
        rows = self.chart_data(sheets["Chart data"])
        self.summary(summary, wf.spec.strategy, wf.spec.series)
        add_charts(self.book, summary, wf, rows)
        for name, sheet in {"Summary": summary, **sheets}.items():
            self.print_setup(sheet, name)

    def print_setup(self, sheet: Any, name: str) -> None:
        """Print a sheet on A4 across, as wide as one page, with the run and the page number at its foot."""
        sheet.set_landscape()
        sheet.set_paper(9)
        sheet.fit_to_pages(1, 0)
        sheet.set_margins(0.4, 0.4, 0.5, 0.6)
        run = _text(self.wf.id)[:64].replace("&", "&&")
        sheet.set_footer(f"&L&8Maestro, run {run}&C&8{name}&R&8&P of &N")
        if name != "Summary":
            sheet.repeat_rows(0)

    # -- verdict ----------------------------------------------------------------------------

    def checks(self, sheet: Any) -> None:
        """Write the checks of the verdict, one row each, and what would change the conclusion."""
        found, widths = self.verdict, (34, 34, 10, 18, 18, 90)
        for j, (heading, width) in enumerate(
            zip(("Question", "Check", "Outcome", "Value", "Required", "Meaning"), widths, strict=True)
        ):
            sheet.set_column(j, j, width)
            sheet.write_string(0, j, heading, self.head)
        sheet.freeze_panes(1, 2)
        for i, check in enumerate(found.checks, 1):
            sheet.set_row(i, _height(check.meaning, widths[-1]))
            sheet.write_string(i, 0, QUESTIONS[check.question], self.wrapped)
            sheet.write_string(i, 1, check.title, self.wrapped)
            sheet.write_string(i, 2, check.outcome, self.outcomes[check.outcome])
            done = check.outcome != "not done"
            sheet.write_string(i, 3, _text(check.value_text if done else ""), self.wrapped)
            sheet.write_string(i, 4, _text(check.threshold_text), self.wrapped)
            sheet.write_string(i, 5, _text(check.meaning), self.wrapped)
        i = len(found.checks) + 1
        for change in found.changes:
            i += 1
            sheet.write_string(i, 0, "Next" if found.preliminary else "What would change it", self.wrapped)
            sheet.merge_range(i, 1, i, 5, _text(change), self.wrapped)
            sheet.set_row(i, _height(change, sum(widths[1:])))

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
        score = self.wf.spec.selection.ranking
        if score not in frame.columns:
            return self._first(frame, "trials")
        sign = 1.0 if self.wf.spec.selection.lower_is_better else -1.0
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
        sheet.set_column(0, 0, _NARROW)
        sheet.set_column(1, 1, _WIDE)
        sheet.set_column(2, 2, 3)
        sheet.write_string(0, 0, _text(f"{strategy} on {series}"), self.big)
        sheet.write_string(
            1,
            0,
            _text(f"Walk-forward {wf.id}. Figures are out of sample unless stated; times are UTC."),
            self.muted,
        )
        verdict = [(self.verdict.name, " ".join(filter(None, (self.verdict.headline, self.verdict.summary))))]
        verdict += [("Caution", str(warning)) for warning in self.verdict.warnings]
        verdict += [("Caution", self.unread)] if self.unread else []
        i = self._pairs(sheet, 3, "Verdict", verdict) + 2
        sheet.write_string(i, 0, "Out of sample", self.head)
        sheet.write_string(i, 1, "", self.head)
        figures = {**wf.metrics, "efficiency": wf.efficiency, "annual_return, in sample": wf.in_sample_annual_return}
        for name, value in figures.items():
            i += 1
            sheet.write_string(i, 0, _heading(name))
            self.cell(sheet, i, 1, value, self._left(self._form(name.split(",")[0], pl.Float64())))
        for heading, pairs in (("Settings", self._settings()), ("Notes", self._notes())):
            if pairs:
                i = self._pairs(sheet, i + 2, heading, pairs)

    def _pairs(self, sheet: Any, i: int, heading: str, pairs: list[tuple[str, str]]) -> int:
        """Write rows of a name and a text below a heading in row `i`, as high as its text; returns the last row."""
        sheet.write_string(i, 0, heading, self.head)
        sheet.write_string(i, 1, "", self.head)
        for key, words in pairs:
            i += 1
            sheet.set_row(i, max(_height(words, _WIDE), _height(key, _NARROW)))
            sheet.write_string(i, 0, _text(key), self.wrapped)
            sheet.write_string(i, 1, _text(words), self.wrapped)
        return i

    def _left(self, form: str) -> Any:
        return self.book.add_format({"num_format": _FORMATS[form], "align": "left"})

    def _settings(self) -> list[tuple[str, str]]:
        bars, settings, manifest = self.wf.spec.bars, self.wf.spec.to_dict(), self.wf.manifest
        rows = [("Bars", f"{bars.n} from {bars.start.isoformat()} to {bars.end.isoformat()}")]
        rows.append(("Fingerprint of the bars", bars.fingerprint))
        known = [(key, settings[key]) for key in _SETTINGS] + [(key, manifest.get(key)) for key in _RECORD]
        rows.append(("Annualised with", described(self.wf)))
        rows += [(_heading(key), _words(value)) for key, value in known if value not in (None, False, {}, [], "")]
        return rows

    def _notes(self) -> list[tuple[str, str]]:
        errors = self.wf.folds.filter(pl.col("error").is_not_null()) if "error" in self.wf.folds.columns else None
        rows = [("", note) for note in dict.fromkeys([*self.verdict.notes, *self.wf.notes, *self.notes])]
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


def _height(text: str, width: float) -> float:
    """Height of a row that shows a wrapped text whole, within Excel's limit of 409 points."""
    lines = sum(max(1, math.ceil(len(line) / width)) for line in text.splitlines() or [""])
    return min(409.0, _LINE * lines)


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
