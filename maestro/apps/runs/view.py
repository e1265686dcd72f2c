"""The panes of the Runs app: the list, the comparison, a report; built once and then updated."""

from __future__ import annotations

from html import escape
from typing import Any

import panel as pn
import polars as pl

from maestro._core.formatting import plural
from maestro.apps.shared.page import BUTTON_STYLE, TABLE_STYLE, HtmlPane, Message, card
from maestro.apps.shared.report import ReportFrame
from maestro.reports.tables.compare import Comparison

_GREY, _GRID = "#868d9a", "rgba(128, 128, 128, 0.22)"
"""Ink and rules that can be read on light and on dark paper alike."""
_TABLE = """
.scroll { overflow-x: auto; }
table { min-width: min(100%, 560px); border-collapse: collapse; font-size: 13px; font-variant-numeric: tabular-nums; }
th, td { text-align: right; padding: 4px 10px; border-bottom: 1px solid rgba(128, 128, 128, .2); }
th:first-child, td:first-child { text-align: left; white-space: nowrap; }
th { font-weight: 500; vertical-align: bottom; min-width: 150px; }
th i { display: inline-block; width: 14px; height: 3px; margin-right: 6px; vertical-align: middle; }
td.best { font-weight: 600; }
td.long { white-space: normal; overflow-wrap: anywhere; max-width: 320px; }
tr.differs td { background: rgba(240, 177, 60, .16); }
tr.differs td:first-child { box-shadow: inset 3px 0 #d08700; }
p { opacity: .75; margin: 6px 0; }
"""
_HEADINGS = {
    "pin": "", "id": "Run", "strategy": "Strategy", "bars": "Bars", "status": "Status", "started": "Started, UTC",
    "verdict": "Verdict", "sharpe_ratio": "Sharpe", "total_return": "Return", "curve": "Equity", "efficiency": "Effic.",
    "max_drawdown": "Drawdown", "num_trades": "Trades", "tags": "Tags", "note": "Note",
}  # fmt: skip
_NUMBERS = {
    "sharpe_ratio": "0.00", "total_return": "0.0 %", "max_drawdown": "0.0 %", "num_trades": "0,0", "efficiency": "0.00",
}  # fmt: skip
_WIDTHS = {
    "pin": 30, "id": 130, "strategy": 122, "bars": 132, "status": 84, "started": 140, "verdict": 100,
    "sharpe_ratio": 72, "total_return": 74, "curve": 84, "efficiency": 64, "max_drawdown": 84, "num_trades": 62,
    "tags": 110, "note": 180,
}  # fmt: skip
"""Up to the return they fit beside the sidebar on a screen of 1366 pixels."""
_LIST = """
.tabulator, .tabulator .tabulator-row, .tabulator .tabulator-header { font-size: 13px !important; }
.tabulator .tabulator-row.tabulator-selected .tabulator-cell { color: inherit !important; }
.tabulator .tabulator-row { color: inherit !important; }
.tabulator-row .tabulator-cell[tabulator-field="id"] { font-family: ui-monospace, monospace; font-size: 12px; }
"""
_BROKEN = """
details { font-size: 13px; margin: 4px 10px; }
summary { cursor: pointer; }
ul { margin: 4px 0; padding-left: 20px; }
li { overflow-wrap: anywhere; margin: 3px 0; }
"""
PAGE = 12
"""Rows of a page of the list."""
BROKEN = 50
"""Broken runs whose errors are shown."""


class RunsView(pn.viewable.Viewer):
    """List of runs, what can be done with them, and the chosen ones side by side."""

    def __init__(self, *beside: Any) -> None:
        import panel_material_ui as pmui
        from bokeh.models.widgets.tables import NumberFormatter

        super().__init__()
        self.message, self.notes = Message(), Message()
        self.beside = beside
        plain: dict[str, Any] = {name: {"type": "plaintext"} for name in _HEADINGS if name not in _NUMBERS}
        formats = (
            plain
            | {"curve": {"type": "html"}}
            | {name: NumberFormatter(format=form, nan_format="", text_align="right") for name, form in _NUMBERS.items()}
        )
        self.list = pn.widgets.Tabulator(
            pl.DataFrame(schema=dict.fromkeys(_HEADINGS, pl.String)).to_pandas(), titles=_HEADINGS, formatters=formats,
            widths=_WIDTHS, pagination="remote", page_size=PAGE, disabled=True, show_index=False, selectable="checkbox",
            header_align=dict.fromkeys(_NUMBERS, "right"),
            sizing_mode="stretch_width", theme="simple", layout="fit_data_fill", stylesheets=[TABLE_STYLE, _LIST],
        )  # fmt: skip
        self.pin = pmui.Button(label="Pin", variant="outlined", disabled=True, size="small", margin=(4, 4))
        self.tags = pmui.TextInput(label="Tags", placeholder="momentum, to check", width=230, size="small")
        self.note = pmui.TextInput(label="Note", max_width=380, sizing_mode="stretch_width", size="small")
        self.about = pn.FlexBox(
            self.tags, self.note, gap="6px", visible=False, margin=(10, 0, 0, 0), sizing_mode="stretch_width"
        )
        self.count = HtmlPane("", margin=(6, 10))
        wide: dict[str, Any] = {"size": "small", "margin": (4, 4)}
        self.refresh = pmui.Button(label="Refresh", icon="refresh", variant="outlined", **wide)
        self.report = pmui.Button(label="Report", icon="article", variant="outlined", disabled=True, **wide)
        self.remove = pmui.Button(
            label="Delete", icon="delete", variant="outlined", color="error", disabled=True, **wide
        )
        self.onward = HtmlPane("", stylesheets=[BUTTON_STYLE], visible=False, margin=(4, 4))
        self.excel = pmui.FileDownload(label="Excel", icon="download", variant="outlined", disabled=True, **wide)
        self.broken = HtmlPane("", stylesheets=[_BROKEN], sizing_mode="stretch_width", visible=False)
        self.sure = pmui.Button(label="Delete", color="error", variant="contained", **wide)
        self.keep = pmui.Button(label="Keep", variant="text", **wide)
        self.doomed = HtmlPane("", sizing_mode="stretch_width")
        self.dialog = pmui.Dialog(
            self.doomed,
            pn.Row(self.keep, self.sure, align="end"),
            title="Delete?",
            open=False,
            close_on_click=True,  # Escape closes it too
            width_option="sm",
        )
        self.chart = pn.pane.Bokeh(None, sizing_mode="stretch_width", min_height=120)
        self.metrics = HtmlPane("", stylesheets=[_TABLE], sizing_mode="stretch_width")
        self.settings = HtmlPane("", stylesheets=[_TABLE], sizing_mode="stretch_width")
        self.every = pmui.Switch(label="also settings that are the same", value=False, margin=(2, 10))
        self.opened = ReportFrame()
        self.compared = pn.Column(
            self.notes, card("Growth of 1, out of sample", self.chart), card("Out of sample", self.metrics),
            card("Settings", self.every, self.settings), sizing_mode="stretch_width", visible=False,
        )  # fmt: skip
        self._comparison: Comparison | None = None
        self.every.param.watch(lambda *_: self._show_settings(), "value")

    # -- list -------------------------------------------------------------------------------

    def show_list(self, table: pl.DataFrame, all_of_them: int, chosen: list[str]) -> None:
        """Show these runs, with the chosen ones ticked."""
        texts = [name for name in _HEADINGS if table.schema[name] == pl.String]
        shown = table.select(list(_HEADINGS)).with_columns(pl.col(name).fill_null("") for name in texts)
        ids = shown["id"].to_list()
        with pn.io.hold():
            self.list.value = shown.to_pandas()
            self.list.selection = [ids.index(one) for one in chosen if one in ids]
            some = "" if len(shown) == all_of_them else f" of {all_of_them:,}"
            self._show_broken(table.filter(pl.col("error").is_not_null()))
            hidden = len(chosen) - len(self.list.selection)
            also = f"; {hidden:,} chosen {'one is' if hidden == 1 else 'ones are'} not listed" if hidden else ""
            self.count.object = f"{len(shown):,}{some} run{'' if all_of_them == 1 else 's'}{also}"

    def _show_broken(self, table: pl.DataFrame) -> None:
        rows = "".join(
            f"<li><code>{escape(row['id'])}</code>, {row['status']}: {escape(row['error'])}</li>"
            for row in table.head(BROKEN).iter_rows(named=True)
        )
        more = f"<li>and {len(table) - BROKEN:,} more</li>" if len(table) > BROKEN else ""
        runs = f"{len(table):,} run{'' if len(table) == 1 else 's'} that cannot be opened"
        self.broken.param.update(
            object=f"<details><summary>{runs}: why</summary><ul>{rows}{more}</ul></details>", visible=len(table) > 0
        )

    def tick(self, runs: list[str]) -> None:
        """Tick these runs where they are listed."""
        ids = self.list.value["id"].tolist()
        rows = [ids.index(run) for run in runs if run in ids]
        if sorted(rows) != sorted(self.list.selection):
            self.list.selection = rows

    def ticked(self) -> list[str]:
        """Ids of the runs that are ticked, in the order of the list."""
        ids = self.list.value["id"].tolist()
        return [ids[i] for i in sorted(self.list.selection) if i < len(ids)]

    def allow(self, *, report: bool, excel: int, remove: int, pin: bool | None = None) -> None:
        """Say what can be done with what is ticked: a report of one, a download of so many, so many deleted.

        `pin` says whether the button pins; None if there is nothing to pin.
        """
        self.report.disabled = not report
        self.pin.param.update(disabled=pin is None, label="Unpin" if pin is False else "Pin")
        self.excel.param.update(disabled=not excel, label="Excel" if excel < 2 else f"Excel ({excel} in one zip)")
        self.remove.param.update(disabled=not remove, label="Delete" if remove < 2 else f"Delete {remove}")

    def lead(self, address: str, verb: str, why: str = "") -> None:
        """Show the link that opens a run in the Walk-forward app, or why there is none; neither if both are empty."""
        text = f"<a class='button' href='{escape(address)}'>{escape(verb)}</a>" if address else ""
        text = text or (f"<small>not to be opened in Walk-forward: {escape(why)}</small>" if why else "")
        self.onward.param.update(object=text, visible=bool(text))

    def ask(self, runs: list[str], words: dict[str, str], hidden: int = 0) -> None:
        """Ask whether these are to be deleted; so many chosen ones are `hidden` by the filters and stay."""
        rows = "".join(f"<li><code>{escape(run)}</code> {escape(words.get(run, ''))}</li>" for run in runs)
        back = "<code>maestro runs trash restore ID</code> brings one back."
        stay = f"<p>{plural(hidden, 'chosen run')} that the filters hide {'stays' if hidden == 1 else 'stay'}.</p>"
        self.doomed.object = f"<p>These runs go to the trash; {back}</p><ul>{rows}</ul>{stay if hidden else ''}"
        self.sure.label = f"Delete {len(runs)} run{'' if len(runs) == 1 else 's'}"
        self.dialog.open = True

    # -- comparison -------------------------------------------------------------------------

    def show_comparison(self, comparison: Comparison | None, *, log: bool = False) -> None:
        """Show runs side by side, or nothing."""
        self._comparison = comparison
        if comparison is None:
            self.compared.visible = False
            self.notes.say()
            return
        figure = comparison.figure(log=log)
        for one in figure.children:
            _neutral(one)
        with pn.io.hold():
            self.chart.object = figure
            self.metrics.object = _metrics(comparison)
            self._show_settings()
            self.notes.say(" ".join(comparison.notes), "info")
            self.compared.visible = True

    def _show_settings(self) -> None:
        if self._comparison is None:
            return
        frame = self._comparison.settings
        alone = len(self._comparison.names) == 1
        rows = frame if self.every.value or alone else frame.filter(pl.col("differs"))
        self.every.visible = not alone
        same = "" if len(rows) else "<p>Every setting is the same.</p>"
        self.settings.object = _table(self._comparison.names, rows.drop("differs"), rows["differs"].to_list()) + same

    def theme(self, dark: bool) -> None:
        """Show an open report in the page's theme."""
        self.opened.theme(dark)

    def __panel__(self) -> Any:
        actions = pn.FlexBox(
            self.refresh, self.onward, self.report, self.excel, self.pin, self.remove, self.count,
            align_items="center", gap="2px", sizing_mode="stretch_width",
        )  # fmt: skip
        return pn.Column(
            self.message, card("", actions, self.about, self.list, self.broken), self.opened, self.compared,
            *self.beside, self.dialog,
            sizing_mode="stretch_width",
        )  # fmt: skip


def _table(names: tuple[str, ...], frame: pl.DataFrame, differs: list[bool] | None = None) -> str:
    from maestro.reports.figures.compare import LINES

    head = "".join(
        f"<th><i style='background:{LINES[k % len(LINES)]}'></i>{escape(name)}</th>" for k, name in enumerate(names)
    )
    rows = []
    for i, (first, *values) in enumerate(frame.iter_rows()):
        kind = " class='differs'" if differs is not None and differs[i] and len(names) > 1 else ""
        cells = "".join(f"<td class='long'>{escape(str(value))}</td>" for value in values)
        rows.append(f"<tr{kind}><td>{escape(str(first))}</td>{cells}</tr>")
    return (
        f"<div class='scroll' tabindex='0'><table><thead><tr><td></td>{head}</tr></thead>"
        f"<tbody>{''.join(rows)}</tbody></table></div>"
    )


def _metrics(comparison: Comparison) -> str:
    return _table(comparison.names, comparison.metrics)


def _neutral(fig: Any) -> None:
    """Take a figure's paper away and give it ink that can be read on the page's, light or dark."""
    fig.background_fill_alpha = fig.border_fill_alpha = 0.0
    fig.background_fill_color = fig.border_fill_color = None
    for axis in fig.axis:
        axis.major_label_text_color = axis.axis_label_text_color = _GREY
        axis.axis_line_color = _GRID
        if hasattr(axis.formatter, "context") and axis.formatter.context is not None:
            axis.formatter.context_location = "below"
    fig.ygrid.grid_line_color = _GRID
    for legend in fig.legend:
        legend.label_text_color = _GREY
