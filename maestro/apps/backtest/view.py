"""The panes of the Backtest app, built once and then updated."""

from __future__ import annotations

from collections.abc import Callable
from html import escape
from typing import Any

import panel as pn
import polars as pl

from maestro._core import formatting as formats
from maestro.apps.backtest import session
from maestro.apps.backtest.heat_map import HeatMap
from maestro.apps.backtest.state import BacktestState
from maestro.apps.chart import Chart
from maestro.apps.shared.delivery import REST, after_pause
from maestro.apps.shared.indicator_panes import PANE, IndicatorBox
from maestro.apps.shared.page import HtmlPane, Message, card
from maestro.apps.shared.stale import Stale
from maestro.apps.shared.table import Table
from maestro.bars import Bars
from maestro.data.timeframes import whole_days

_TABLE = """
table { width: 100%; border-collapse: collapse; font-size: 13px; font-variant-numeric: tabular-nums; }
th, td { text-align: right; padding: 3px 8px; border-bottom: 1px solid rgba(128, 128, 128, .2); }
th:first-child, td:first-child { text-align: left; }
th { font-weight: 500; opacity: .7; }
p { margin: 8px 0 0; font-size: 12.5px; opacity: .75; }
"""
_REGIMES = (
    "<p>State 0 is the calmest. A return belongs to the state known at the close before, a trade to the state known "
    "when it was decided.</p>"
)
_TITLES = {
    "trade": "#", "side": "Side", "entry_time": "Entry", "exit_time": "Exit", "entry_price": "Entry price",
    "exit_price": "Exit price", "size": "Size", "pnl": "Profit", "return": "Return", "exit_reason": "Exit by",
}  # fmt: skip
_COLUMNS = [
    "trade",
    "side",
    "entry_time",
    "exit_time",
    "entry_price",
    "exit_price",
    "size",
    "pnl",
    "return",
    "exit_reason",
]


HEIGHT = 720
"""Pixels of a chart with equity and drawdown below the price."""


class BacktestView(pn.viewable.Viewer):
    """Chart, metrics, trades and notes of one backtest."""

    def __init__(self, state: BacktestState, heat_map: HeatMap, *beside: Any) -> None:
        import panel_material_ui as pmui

        super().__init__()
        self.beside, self.heat_map = beside, heat_map
        self.message, self.notes, self.ruin = Message(), Message(), Message()
        self.chart = Chart(height=HEIGHT)
        self.metrics = HtmlPane("", stylesheets=[_TABLE], sizing_mode="stretch_width")
        self.headline = HtmlPane("", sizing_mode="stretch_width", margin=(0, 0, 8, 0))
        small: dict[str, Any] = {"variant": "outlined", "color": "default", "size": "small", "margin": (4, 8, 4, 0)}
        self.keep = pmui.Button(label="Keep for comparison", **small)
        self.drop = pmui.Button(label="Clear comparison", visible=False, **small)
        self.keep.on_click(lambda *_: state.keep())
        self.drop.on_click(lambda *_: setattr(state, "kept", {}))
        tools = pn.FlexBox(IndicatorBox(state), self.keep, self.drop, align_items="center", gap="8px")
        self.trades = Table(pagination="remote", page_size=12, configuration={"rowHeight": 28}, titles=_TITLES)
        self.trades.on_click(self._clicked)
        wide = {"sizing_mode": "stretch_width"}
        self.curves = pn.Column(
            card("", self.headline, tools, self.ruin, self.chart), self.heat_map,
            card("Trades: a click goes there", self.trades),
            styles={"flex": "3 1 620px", "min-width": "0", "max-height": "none"}, **wide,
        )  # fmt: skip
        self.regimes = HtmlPane("", stylesheets=[_TABLE], sizing_mode="stretch_width")
        self.regime_card = card("By regime", self.regimes, visible=False)
        self.figures = pn.Column(
            card("Against buy and hold", self.metrics), self.regime_card, self.notes, **wide
        )  # fmt: skip
        self.stale = Stale(self.curves, self.figures)
        self._shown: session.BacktestResult | None = None
        self._listed: session.BacktestResult | None = None
        self._when_still = after_pause(REST)
        self._bars: Bars | None = None

    def fail(self, problem: str) -> None:
        """Say why there is no new result, and dim the one before."""
        self.message.say(problem)
        if self._shown is not None:
            self.stale.mark("This is the result of other settings; those of the controls cannot be computed.")

    def update(self, shown: session.BacktestResult) -> None:
        """Show a backtest: new candles only where the bars are others."""
        self.message.say()
        self.stale.mark()
        bars = shown.bt.bars
        fresh = self._bars is None or self._bars.fingerprint != bars.fingerprint
        with pn.io.hold():
            if fresh:
                self.chart.set_bars(bars)
            self.chart.height = HEIGHT + PANE * max(0, sum(pane.name != "price" for pane in shown.panes) - 2)
            self.chart.set_panes(shown.panes)
            self.drop.visible = shown.kept is not None or bool(shown.problem)
            unmarked = self.chart.set_trades(shown.bt.trades)
            self.metrics.object = _metrics(shown)
            self.headline.object = _headline(shown)
            self.regime_card.visible = shown.by_regime is not None
            self.regimes.object = "" if shown.by_regime is None else _by_regime(shown.by_regime)
            ruined = [note for note in shown.notes if shown.bt.metrics["ruined"] and "ruined" in note]
            self.ruin.say(" ".join(ruined))
            notes = [
                *(note for note in shown.notes if note not in ruined),
                *([f"the first {unmarked:,} trades are in the table only"] if unmarked else []),
            ]
            self.notes.say(". ".join(notes), "info")
        self._bars, self._shown = bars, shown
        if fresh or self._when_still is None:
            self._list()
        else:
            self._when_still(self._list)
        self.heat_map.follow(bars, shown.bt)

    def _list(self) -> None:
        """List the trades; the browser takes longer for the table than for everything else."""
        self._listed = shown = self._shown
        if shown is not None:
            day = whole_days(shown.bt.bars.timeframe)
            self.trades.fill(session.trades(shown.bt).select(_COLUMNS), day, formatters=_formatters(day))

    def theme(self, dark: bool) -> None:
        """Draw the heat map in the page's theme; the chart finds it by itself."""
        self.heat_map.theme(dark)

    def _clicked(self, event: Any) -> None:
        if self._listed is not None and event.row < len(self._listed.bt.trades):  # else the table was an older one
            row = session.trades(self._listed.bt).row(event.row, named=True)
            start, end = session.window(self._listed.bt, row)
            self.chart.go_to(start, end)

    def __panel__(self) -> Any:
        wide = {"sizing_mode": "stretch_width"}
        right = pn.Column(
            self.figures, *self.beside, styles={"flex": "1 1 300px", "min-width": "0", "max-height": "none"}, **wide
        )
        both = pn.FlexBox(self.curves, right, flex_wrap="wrap", gap="12px", align_items="flex-start", **wide)
        return pn.Column(self.message, self.stale.line, both, **wide)


def _formatters(day: bool) -> dict[str, Any]:
    from bokeh.models.widgets.tables import DateFormatter, NumberFormatter

    price, moment = NumberFormatter(format="0,0.[0000]"), DateFormatter(format="%Y-%m-%d" if day else "%Y-%m-%d %H:%M")
    return {
        "entry_time": moment, "exit_time": moment, "entry_price": price, "exit_price": price,
        "size": NumberFormatter(format="0,0.[000]"), "pnl": NumberFormatter(format="0,0.00"),
        "return": NumberFormatter(format="0.00 %"),
    }  # fmt: skip


def _metrics(shown: session.BacktestResult) -> str:
    rows = "".join(f"<tr>{''.join(f'<td>{escape(text)}</td>' for text in row)}</tr>" for row in shown.table)
    names = ["strategy", *([] if shown.kept is None else ["kept"]), "buy and hold"]
    head = "<td></td>" + "".join(f"<th>{name}</th>" for name in names)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"


def _by_regime(table: pl.DataFrame) -> str:
    """One column per state, so that the table fits into its card."""
    states = ["no state yet" if state is None else f"state {state}" for state in table["state"]]
    names = ("annual_return", "volatility", "sharpe_ratio", "win_rate")
    rows = [
        ("Share of bars", [formats.percent(value, 0) for value in table["share"]]),
        *((formats.label(name), [formats.metric(name, value) for value in table[name]]) for name in names),
        ("Trades", [f"{value:,}" for value in table["trades"]]),
        ("Fees", [formats.money(value) for value in table["fees"]]),
    ]
    head = "<td></td>" + "".join(f"<th>{escape(text)}</th>" for text in states)
    body = "".join(
        f"<tr><td>{escape(name)}</td>{''.join(f'<td>{escape(text)}</td>' for text in values)}</tr>"
        for name, values in rows
    )
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>{_REGIMES}"


def _headline(shown: session.BacktestResult) -> str:
    bt = shown.bt
    rule = bt.strategy if bt.strategy is not None else "signals"
    span = f"{bt.bars.start:%Y-%m-%d} to {bt.bars.end:%Y-%m-%d}"
    kept = "" if shown.kept is None else f"<br>Kept: <b>{escape(str(shown.kept.strategy))}</b>{_otherwise(shown)}"
    return f"<b>{escape(str(rule))}</b> on {escape(bt.bars.name)}, {len(bt.bars):,} bars, {span}{kept}"


def _otherwise(shown: session.BacktestResult) -> str:
    """In what costs, size, cash and fill of the kept backtest differ."""
    bt, kept = shown.bt, shown.kept
    assert kept is not None
    texts: dict[str, Callable[[Any], str]] = {
        "costs": lambda one: f"fee {formats.percent(one.fee, 3)}, slippage {formats.percent(one.slippage, 3)}",
        "sizing": lambda one: f"size {one.text}",
        "cash": lambda one: f"cash {formats.money(one)}",
        "fill": lambda one: "fills at the same close" if one == "close" else "fills at the next open",
    }
    changed = [text(getattr(kept, name)) for name, text in texts.items() if getattr(kept, name) != getattr(bt, name)]
    return escape(f", {', '.join(changed)}") if changed else ""
