"""The panes of the app of many walk-forwards: the sentence, a table that sorts, small multiples, a report."""

from __future__ import annotations

from html import escape
from typing import Any

import panel as pn
import polars as pl

from maestro._core.formatting import number
from maestro.apps.many.session import cell_of, failures
from maestro.apps.shared.narrow import is_narrow
from maestro.apps.shared.page import TABLE_STYLE, HtmlPane, Message, card
from maestro.apps.shared.report import ReportFrame
from maestro.reports.many.curves import p_histogram, sparkline
from maestro.walkforward.many import WalkForwards

_HEADINGS = {
    "symbol": "Symbol", "timeframe": "Timeframe", "strategy": "Strategy", "sharpe_ratio": "Sharpe",
    "is_sharpe_ratio": "In sample", "total_return": "Return", "max_drawdown": "Drawdown", "num_trades": "Trades",
    "p_value": "p", "p_adjusted": "Adjusted p", "error": "Error",
}  # fmt: skip
_NUMBERS = {
    "sharpe_ratio": "0.00", "is_sharpe_ratio": "0.00", "total_return": "0.0 %", "max_drawdown": "0.0 %",
    "num_trades": "0,0", "p_value": "0.0000", "p_adjusted": "0.000",
}  # fmt: skip
_WIDTHS = {
    "symbol": 110, "timeframe": 98, "strategy": 150, "sharpe_ratio": 76, "is_sharpe_ratio": 84, "total_return": 84,
    "max_drawdown": 88, "num_trades": 72, "p_value": 76, "p_adjusted": 94, "error": 220,
}  # fmt: skip
_PHONE = {"symbol": 84, "strategy": 118, "sharpe_ratio": 66, "p_adjusted": 78}
"""Columns that come first on a phone, in its width; the others follow to the right."""
_TOOLTIPS = {
    "symbol": "Symbol", "timeframe": "Timeframe", "strategy": "Strategy",
    "sharpe_ratio": "Sharpe ratio out of sample", "is_sharpe_ratio": "Mean Sharpe ratio of the choices in sample",
    "total_return": "Total return out of sample", "max_drawdown": "Largest drawdown out of sample",
    "num_trades": "Closed trades out of sample", "p_value": "p-value of this one alone",
    "p_adjusted": "p-value when all are considered (StepM)", "error": "Why it has no result",
}  # fmt: skip
_STYLE = """
.best { font-size: 14px; opacity: .8; margin: 4px 0 0; }
.sentence { font-size: 19px; font-weight: 600; line-height: 1.35; margin: 0; text-wrap: balance; }
ul { margin: 6px 0 0; padding-left: 20px; font-size: 13px; opacity: .8; }
details { font-size: 13px; margin-top: 6px; }
summary { cursor: pointer; }
svg.histogram { width: 100%; max-width: 760px; height: auto; display: block; }
svg.histogram rect { fill: #868d9a; }
svg.histogram rect.first { fill: #0f7fbf; }
svg.histogram text { fill: #868d9a; font-size: 11px; }
svg line { stroke: #868d9a; stroke-width: 1; stroke-dasharray: 3 3; opacity: .7; }
"""
_MULTIPLES = """
.multiples { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(170px, 45%), 1fr)); gap: 14px 18px; }
figure { margin: 0; min-width: 0; content-visibility: auto; contain-intrinsic-size: auto 84px; }
figcaption { font-size: 12px; line-height: 1.35; white-space: nowrap; overflow: hidden; text-overflow: ellipsis; }
figcaption span { opacity: .7; }
svg.spark { width: 100%; height: 56px; display: block; overflow: visible; }
svg.spark polyline { fill: none; stroke: #0f7fbf; stroke-width: 1.5; stroke-linejoin: round; }
svg.spark.down polyline { stroke: #cc4e00; }
svg line { stroke: #868d9a; stroke-width: 1; stroke-dasharray: 3 3; opacity: .6; }
p { margin: 6px 0; opacity: .75; font-size: 13px; }
"""
_LIST = """
.tabulator .tabulator-row.tabulator-selected .tabulator-cell { color: inherit !important; }
"""
PAGE = 15
"""Rows of a page of the table."""


class ManyView(pn.viewable.Viewer):
    """What remains, the p-values, the rows, their curves, and the report of one."""

    def __init__(self, *beside: Any) -> None:
        import panel_material_ui as pmui
        from bokeh.models.widgets.tables import NumberFormatter

        super().__init__()
        self.link_problem, self.message, self.beside = Message(), Message(), beside
        self.columns = list(dict.fromkeys((*_PHONE, *_HEADINGS)) if is_narrow() else _HEADINGS)
        self.head = HtmlPane("", stylesheets=[_STYLE], sizing_mode="stretch_width")
        self.histogram = HtmlPane("", stylesheets=[_STYLE], sizing_mode="stretch_width")
        self.count = HtmlPane("", margin=(6, 10))
        formats: dict[str, Any] = {name: {"type": "plaintext"} for name in _HEADINGS if name not in _NUMBERS}
        formats |= {
            name: NumberFormatter(format=form, nan_format="", text_align="right") for name, form in _NUMBERS.items()
        }
        self.list = pn.widgets.Tabulator(
            self._shown(pl.DataFrame(schema=dict.fromkeys(_HEADINGS, pl.String))), formatters=formats,
            titles={**_HEADINGS, "p_adjusted": "Adj. p"} if is_narrow() else _HEADINGS,
            widths={**_WIDTHS, **(_PHONE if is_narrow() else {})}, pagination="local", page_size=PAGE, disabled=True,
            show_index=False, selectable=1, sizing_mode="stretch_width", theme="simple", layout="fit_data_fill",
            stylesheets=[TABLE_STYLE, _LIST], header_tooltips=_TOOLTIPS,
            header_align=dict.fromkeys(_NUMBERS, "right"),
        )  # fmt: skip
        wide: dict[str, Any] = {"size": "small", "margin": (4, 4)}
        self.report = pmui.Button(label="Report", icon="article", variant="outlined", disabled=True, **wide)
        self.refresh = pmui.Button(label="Refresh", icon="refresh", variant="outlined", **wide)
        self.save = pmui.FileDownload(label="Page", icon="download", variant="outlined", disabled=True, **wide)
        self.multiples = HtmlPane("", stylesheets=[_MULTIPLES], sizing_mode="stretch_width")
        self.opened = ReportFrame()
        self.body = pn.Column(
            card("", self.head, self.histogram),
            card("", pn.FlexBox(self.refresh, self.report, self.save, self.count, align_items="center", gap="2px",
                                sizing_mode="stretch_width"), self.list),
            self.opened, card("Equity out of sample, logarithmic, all on one axis of time", self.multiples),
            sizing_mode="stretch_width", visible=False,
        )  # fmt: skip
        self.rows = pl.DataFrame(schema=dict.fromkeys(_HEADINGS, pl.String))

    def show_result(self, many: WalkForwards | None) -> None:
        """Show the summary of a result; None hides everything."""
        if many is None:
            self.body.visible = False
            return
        found = many.significance
        notes = "".join(f"<li>{escape(note)}</li>" for note in many.notes)
        lost = failures(many)
        reasons = "".join(f"<li>{escape(name)}: {escape(why)}</li>" for name, why in lost[:50])
        more = f"<li>and {len(lost) - 50:,} more, in the table</li>" if len(lost) > 50 else ""
        failed = f"<details><summary>{len(lost):,} failed: why</summary><ul>{reasons}{more}</ul></details>"
        with pn.io.hold():
            self.head.object = (
                f"<p class='sentence'>{escape(found.sentence)}</p><p class='best'>{escape(found.best_in_words)}</p>"
                f"{f'<ul>{notes}</ul>' if notes else ''}{failed if lost else ''}"
            )
            values = found.table["p_value"].drop_nulls().to_numpy()
            words = "p-values: if no rule had an edge, every bar would be about as high as the line."
            self.histogram.object = f"{p_histogram(values)}<p class='best'>{words}</p>" if len(values) else ""
            self.histogram.visible = len(values) > 0
            self.body.visible = True

    def show_rows(self, many: WalkForwards, rows: pl.DataFrame, curves: int) -> None:
        """Show these rows of a result, and the curves of the first of them."""
        self.rows = rows
        with pn.io.hold():
            self.list.selection = []
            self.list.value = self._shown(rows)
            some = "" if len(rows) == len(many.cells) else f" of {len(many.cells):,}"
            self.count.object = f"{len(rows):,}{some} walk-forward{'' if len(many.cells) == 1 else 's'}"
            self.multiples.object = _multiples(many, rows, curves)

    def chosen(self) -> dict[str, Any] | None:
        """The row that is selected."""
        return self.rows.row(self.list.selection[0], named=True) if self.list.selection else None

    def theme(self, dark: bool) -> None:
        """Show an open report in the page's theme."""
        self.opened.theme(dark)

    def _shown(self, rows: pl.DataFrame) -> Any:
        texts = ("symbol", "timeframe", "strategy", "error")
        order = (pl.col(name).fill_null("") if name in texts else pl.col(name) for name in self.columns)
        return rows.select(order).to_pandas()

    def __panel__(self) -> Any:
        return pn.Column(self.link_problem, self.message, self.body, *self.beside, sizing_mode="stretch_width")


def _multiples(many: WalkForwards, rows: pl.DataFrame, most: int) -> str:
    """Curves of the first rows that have one, all over the same stretch of time."""
    drawn: list[tuple[dict[str, Any], Any]] = []
    seen = 0
    for row in rows.iter_rows(named=True):
        if len(drawn) == most:
            break
        seen += 1
        if row["id"] is None:  # it failed
            continue
        days, equity = many.curve(cell_of(row))
        if len(days):
            drawn.append((row, (days, equity)))
    if not drawn:
        return "<p>No row has a curve.</p>"
    span = (min(int(d[0]) for _, (d, _) in drawn), max(int(d[-1]) for _, (d, _) in drawn))
    figures = []
    for row, (days, equity) in drawn:
        sharpe = row["sharpe_ratio"]
        shown = number(sharpe)
        name = f"{row['strategy']} on {row['symbol']} {row['timeframe']}".rstrip()
        figures.append(
            f"<figure title='{escape(name)}'><figcaption><b>{escape(row['symbol'])}</b> <span>"
            f"{escape(row['timeframe'])} {escape(row['strategy'])}</span></figcaption>"
            f"{sparkline(days, equity, span, label=f'Equity of {name}')}"
            f"<figcaption><span>Sharpe {shown}</span></figcaption></figure>"
        )
    without = seen - len(drawn)
    told = f"; {without:,} of them {'has' if without == 1 else 'have'} none" if without else ""
    left = f"<p>Curves of the first {seen:,} of {len(rows):,} rows{told}.</p>" if len(drawn) < len(rows) else ""
    return f"{left}<div class='multiples'>{''.join(figures)}</div>"
