"""The panes of the Walk-forward app, built once and then updated."""

from __future__ import annotations

from collections.abc import Callable
from html import escape
from typing import Any

import panel as pn

from maestro._core import formatting as formats
from maestro.apps.shared.page import MESSAGE_STYLE, TAB_STYLE, HtmlPane, Message, card, message_html
from maestro.apps.shared.report import ReportFrame
from maestro.apps.shared.stale import Stale
from maestro.apps.shared.table import Table
from maestro.apps.shared.theming import themed
from maestro.apps.walk_forward import figures, session
from maestro.apps.walk_forward.decision import DecisionTab
from maestro.apps.walk_forward.job import Job
from maestro.apps.walk_forward.partial import FinishedFolds
from maestro.apps.walk_forward.tables import appearance, fold_table, trial_table
from maestro.bars import Bars
from maestro.reports import verdict_html
from maestro.reports.figures.pareto import front_metrics, front_table, front_words, pareto_figure
from maestro.validation.verdict.preliminary import current_verdict
from maestro.validation.verdict.result import Verdict
from maestro.walkforward.columns import metric_names, searched
from maestro.walkforward.result import WalkForward
from maestro.walkforward.splitters import Window

_TILES = """
.tiles { display: flex; flex-wrap: wrap; gap: 8px 20px; font-variant-numeric: tabular-nums; }
.tiles div { min-width: 92px; } .tiles span { display: block; font-size: 12px; opacity: .7; }
.tiles b { font-size: 20px; font-weight: 600; }
div[role] { margin: 0 0 8px; }
.run { font-size: 13px; overflow-wrap: anywhere; max-width: none; }
h3 { margin: 0 0 6px; font-size: 18px; } p { margin: 0 0 8px; max-width: 75ch; }
"""
_TABS = ("equity", "folds", "parameters", "trials", "pareto", "samples", "verdict", "decision", "report")


class WalkForwardView(pn.viewable.Viewer):
    """Windows, progress, and a result from the headline down to the single trial."""

    def __init__(self, *beside: Any) -> None:
        import panel_material_ui as pmui

        super().__init__()
        self.beside, self.message, self.dark = beside, Message(), False
        self.windows = pn.pane.Bokeh(sizing_mode="stretch_width", min_height=280)
        self.working = pmui.LinearProgress(
            variant="indeterminate", sizing_mode="stretch_width", margin=0, visible=False
        )
        self.finished = FinishedFolds()
        self.headline = HtmlPane("", stylesheets=[_TILES, MESSAGE_STYLE], sizing_mode="stretch_width")
        self.panes = {
            name: pn.pane.Bokeh(sizing_mode="stretch_width")
            for name in ("equity", "drawdown", "fold", "stability", "heat", "trials", "front", "scatter", "degradation")
        }
        self.folds, self.trials = (
            Table(pagination="remote", page_size=rows, configuration={"rowHeight": 28}) for rows in (12, 15)
        )
        self.folds.on_click(lambda event: self.show_fold(event.row))
        self.x, self.y = (pmui.Select(label=name, options=[], width=180) for name in ("Across", "Up"))
        for box in (self.x, self.y):
            box.param.watch(lambda *_: self._heat(), "value")
        self.front_fold = pmui.Select(label="Fold", options=[], width=110)
        self.front_x, self.front_y = (pmui.Select(label=name, options=[], width=190) for name in ("Across", "Up"))
        self.front_words = HtmlPane("", sizing_mode="stretch_width")
        for box in (self.front_fold, self.front_x, self.front_y):
            box.param.watch(lambda *_: self._front(), "value")
        self.tabs = pn.Tabs(
            ("Equity", pn.Column(self.panes["equity"], self.panes["drawdown"], sizing_mode="stretch_width")),
            ("Folds", pn.Column(self.folds, self.panes["fold"], sizing_mode="stretch_width")),
            ("Parameters", pn.Column(self.panes["stability"], pn.FlexBox(self.x, self.y), self.panes["heat"],
                                     sizing_mode="stretch_width")),
            ("Trials", pn.Column(self.panes["trials"], self.trials, sizing_mode="stretch_width")),
            ("Pareto fronts", pn.Column(pn.FlexBox(self.front_fold, self.front_x, self.front_y, margin=(12, 0, 0, 0)),
                                        self.front_words, self.panes["front"], sizing_mode="stretch_width")),
            ("In and out of sample", pn.Column(self.panes["scatter"], self.panes["degradation"],
                                               sizing_mode="stretch_width")),
            dynamic=True, sizing_mode="stretch_width", stylesheets=[TAB_STYLE],
        )  # fmt: skip
        self.verdict = HtmlPane("", sizing_mode="stretch_width")
        self.tabs.append(("Verdict", self.verdict))
        self.decision = DecisionTab()
        self.tabs.append(("Decision", self.decision))
        self.tabs.param.watch(lambda *_: self._draw(), "active")
        self.result = card("", self.headline, self.tabs, visible=False)
        self.stale = Stale(self.result)
        self.opened = ReportFrame()
        self.opened.card.param.watch(lambda event: self._report_tab(event.new), "visible")
        self._wf: WalkForward | None = None
        self._job: Job | None = None
        self._drawn: set[str] = set()
        self._windows: tuple[Bars, list[Window]] | None = None

    # -- before and while it runs -----------------------------------------------------------

    def show_windows(self, bars: Bars, windows: list[Window]) -> None:
        """Draw where the folds lie."""
        self.message.say()
        if self._windows is None or self._windows[0] is not bars or self._windows[1] != windows:
            self._windows = (bars, windows)
            self._draw_windows()

    def _draw_windows(self) -> None:
        if self._windows is not None:
            self.windows.object = themed(figures.windows_figure(*self._windows), self.dark)

    def hide_windows(self) -> None:
        """Draw none: the settings give none."""
        self._windows = None
        self.windows.object = None

    # -- the result -------------------------------------------------------------------------

    def update(self, wf: WalkForward, job: Job) -> None:
        """Show a result and the job that gave it; figures are drawn when their tab is opened."""
        self.message.say()
        self._wf, self._job, self._drawn = wf, job, set()
        with pn.io.hold():
            if self.opened.run != wf.id:  # the report that a reader opened stays, if this is the same run again
                self.opened.put("", "")
            self.decision.put(wf, job)
            verdict, unread = current_verdict(wf)
            self.headline.object = _headline(wf, job, verdict)
            self.verdict.object = _verdict_text(verdict, unread)
            names = [name for name in searched(wf) if wf.trials[name].dtype.is_numeric()]
            for box, name in ((self.x, names[0] if names else None), (self.y, names[-1] if names else None)):
                if box.options != names:
                    box.param.update(options=names, value=name)
            self._offer_fronts(wf)
            self.result.visible = True
            self._draw()

    def _draw(self) -> None:
        """Draw what the active tab shows, unless it is drawn already."""
        from maestro import reports

        wf = self._wf
        tab = _TABS[self.tabs.active]
        if wf is None or tab in self._drawn or tab in ("verdict", "decision", "report"):
            return
        self._drawn.add(tab)
        if tab == "equity":
            self._set("equity", lambda: reports.equity_figure(wf, height=300))
            self._set("drawdown", lambda: reports.drawdown_figure(wf, height=140))
        elif tab == "folds":
            table = fold_table(wf)
            self.folds.fill(table, **appearance(table, wf))
            self.show_fold(0)
        elif tab == "parameters":
            self._set("stability", lambda: reports.parameter_stability(wf))
            self._heat()
        elif tab == "trials":
            self._set("trials", lambda: reports.trial_distribution(wf))
            table = trial_table(wf)
            self.trials.fill(table, **appearance(table, wf))
        elif tab == "pareto":
            self._front()
        else:
            self._set("scatter", lambda: reports.is_oos_scatter(wf))
            self._set("degradation", lambda: figures.degradation_figure(wf))

    def _set(self, name: str, make: Callable[[], Any]) -> None:
        self.panes[name].object = themed(make(), self.dark)

    def judged(self, found: Verdict) -> None:
        """Show a verdict."""
        if self._wf is not None and self._job is not None:
            self.headline.object = _headline(self._wf, self._job, found)
        self.verdict.object = _verdict_text(found)
        self.tabs.active = _TABS.index("verdict")

    def _report_tab(self, shown: bool) -> None:
        """Give an open report a tab of its own."""
        if shown:
            self.tabs.append(("Report", self.opened))
            self.tabs.active = _TABS.index("report")
        else:
            self.tabs.active = 0
            self.tabs.pop(-1)

    def show_fold(self, row: int) -> None:
        """Draw one fold's curve."""
        wf, job = self._wf, self._job
        if wf is None or job is None or row >= len(wf.folds):
            return
        curve = session.fold_curve(wf, job.bars, row, job.strategy)
        self._set("fold", lambda: figures.fold_figure(curve, int(wf.folds["fold"][row])))

    def _heat(self) -> None:
        wf, x, y = self._wf, self.x.value, self.y.value
        if wf is None or x is None or y is None or "parameters" not in self._drawn:
            return
        metric = wf.spec.selection.ranking
        cells = session.cells(wf, x, y, metric)
        self._set("heat", lambda: figures.heat_figure(cells, x, y, metric))

    def _offer_fronts(self, wf: WalkForward) -> None:
        """Offer the run's folds and the metrics of its trials; a choice that still exists stays."""
        folds, names = wf.folds["fold"].to_list(), metric_names(wf.folds)
        x, y = front_metrics(wf)
        for box, options, usual in (
            (self.front_fold, folds, folds[-1]), (self.front_x, names, x), (self.front_y, names, y),
        ):  # fmt: skip
            if box.options != options:
                box.param.update(options=options, value=usual)

    def _front(self) -> None:
        wf, fold, metrics = self._wf, self.front_fold.value, (self.front_x.value, self.front_y.value)
        if wf is None or fold is None or None in metrics or "pareto" not in self._drawn:
            return
        if metrics[0] == metrics[1]:
            self.front_words.object, self.panes["front"].object = "<p>Choose two different metrics.</p>", None
            return
        table = front_table(wf, fold, metrics)
        self.front_words.object = f"<p>{escape(front_words(table))}</p>"
        self._set("front", lambda: pareto_figure(wf, fold, metrics, height=320, table=table))

    def theme(self, dark: bool) -> None:
        """Draw everything in the page's theme."""
        self.dark, self._drawn = dark, set()
        self.decision.theme(dark)
        self.finished.theme(dark)
        self.opened.theme(dark)
        self._draw_windows()
        self._draw()

    def __panel__(self) -> Any:
        thin = pn.Column(self.working, height=4, margin=(0, 0, 4, 0), sizing_mode="stretch_width")
        windows = card("Windows: training (grey) and test (blue)", self.windows)
        return pn.Column(
            thin, self.message, windows, self.finished, self.stale, *self.beside, sizing_mode="stretch_width",
        )  # fmt: skip


def _verdict_text(verdict: Verdict, unread: str = "") -> str:
    hint = "<p>The button <b>Verdict</b> makes all checks; it takes some seconds.</p>" if verdict.preliminary else ""
    return f"{f'<p>{escape(unread)}</p>' if unread else ''}{hint}{verdict_html(verdict)}"


def _loudness(title: str) -> str:
    """How a warning of a verdict is shown: folds without a result and a ruined account as errors."""
    return "error" if title == "Ruin" or title.endswith(" failed") else "warning"


def _headline(wf: WalkForward, job: Job, verdict: Verdict) -> str:
    m = wf.metrics
    tiles = [
        ("Return", formats.percent(m["total_return"], sign=True)),
        ("Sharpe ratio", formats.number(m["sharpe_ratio"])),
        ("Efficiency", formats.number(wf.efficiency)),
        ("Largest drawdown", formats.percent(m["max_drawdown"])),
        ("Trades", formats.number(m["num_trades"], 0)),
        ("Folds", f"{len(wf.folds)}" + (f", {len(wf.failed_folds)} failed" if len(wf.failed_folds) else "")),
        ("Trials", f"{len(wf.trials):,}"),
        ("Run", wf.id[:8]),
    ]
    shown = "".join(f"<div><span>{escape(name)}</span><b>{escape(value)}</b></div>" for name, value in tiles)
    warnings = "".join(message_html(f"{w.title}. {w.text}", _loudness(w.title)) for w in verdict.warnings)
    conclusion = f"<h3>{escape(verdict.name)}</h3><p>{escape(verdict.headline)} {escape(verdict.summary)}</p>"
    return f"<p class='run'>{escape(job.title)}</p>{warnings}{conclusion}<div class='tiles'>{shown}</div>"
