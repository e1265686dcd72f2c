"""The chart of one backtest: bars, overlays, entries and exits, above its equity and drawdown."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
import polars as pl
from bokeh.layouts import column
from bokeh.models.layouts import Column
from bokeh.models.sources import ColumnDataSource

from maestro._core.formatting import money, percent, plural, significant
from maestro.data.timeframes import timeframe_us
from maestro.reports.figures.downsampling import thin
from maestro.reports.figures.equity import LOG_FROM, drawdown_figure, equity_figure, equity_source
from maestro.reports.figures.theme import COLOR, FONT, OVERLAYS, add_hover, add_legend, make_figure, number_axis, plain
from maestro.walkforward.columns import timestamps_ms

CANDLES = 800
"""Bars up to which candles are drawn; longer series are a line of closes inside the band of highs and lows."""
MARKERS = 1_000
"""Trades that are marked, the largest by profit or loss; the title says so where there are more."""
_LEFT = 62
_MARK_ROWS = [
    ("", "@side, @size units"),
    ("Entry", "@entry{%F %H:%M} at @entry_text"),
    ("Exit", "@exit{%F %H:%M} at @exit_text (@reason)"),
    ("Profit", "@pnl (@ret)"),
]


def backtest_figure(bt: Any, *, overlays: bool = True, height: int = 400) -> Column:
    """Chart of a backtest: price with entries and exits, overlays, panes of their own, equity and drawdown.

    Parameters
    ----------
    bt : Backtest
        Its bars, trades, equity, and, where known, its strategy's overlays are drawn.
    overlays : bool
        Whether to ask the strategy for its lines.
    height : int [px]
        Of the price pane.

    Returns
    -------
    bokeh Column
        All panes share one time axis (UTC).
    """
    bars = bt.bars
    time = bars.time / 1e3
    price = _price(bars, time, height)
    items: list[tuple[str, list[Any]]] = []
    panes: dict[str, Any] = {}
    named: dict[str, list[tuple[str, list[Any]]]] = {}
    lines = bt.strategy.overlays(bars) if overlays and bt.strategy is not None else []
    drawn: dict[str, int] = {}
    for overlay in lines:
        values = np.asarray(overlay.values, np.float64)
        if not np.isfinite(values).any():
            continue
        on_price = overlay.pane == "price"
        target = price if on_price else panes.get(overlay.pane)
        if target is None:
            target = panes[overlay.pane] = make_figure(
                height=150, x="datetime", drag="x", label=plain(overlay.pane), x_range=price.x_range
            )
            target.min_border_left = _LEFT
            number_axis(target.yaxis, "0,0.[000]")
        color = OVERLAYS[drawn.get(overlay.pane, 0) % len(OVERLAYS)]
        drawn[overlay.pane] = drawn.get(overlay.pane, 0) + 1
        rows = thin(values)
        draw = partial(target.step, mode="after") if overlay.steps else target.line
        line = draw(time[rows], values[rows], color=color, width=1.3)
        (items if on_price else named.setdefault(overlay.pane, [])).append((plain(overlay.name), [line]))
    items += _marks(price, bt)
    if items:
        add_legend(price, items)
    for pane, entries in named.items():
        add_legend(panes[pane], entries)
    source = equity_source(bt)
    above = equity_figure(bt, source=source, height=190)
    above.x_range = price.x_range
    below = drawdown_figure(bt, source=source, x_range=price.x_range, height=130)
    for upper in (price, *panes.values(), above):
        upper.xaxis.visible = False
    return column(price, *panes.values(), above, below, sizing_mode="stretch_width", spacing=4)


def _price(bars: Any, time: Any, height: int) -> Any:
    n = len(bars)
    log = bars.high.max() / bars.low.min() >= LOG_FROM
    fig = make_figure(
        height=height, x="datetime", y="log" if log else "auto", drag="x", label="Price, log scale" if log else "Price"
    )
    fig.min_border_left = _LEFT
    number_axis(fig.yaxis, "0,0.[0000]")
    fig.x_range.range_padding = 0.01
    if n > CANDLES:
        rows = thin(bars.close)
        edges = np.append(rows, n)
        high = np.maximum.reduceat(bars.high, rows)
        low = np.minimum.reduceat(bars.low, rows)
        source = ColumnDataSource({"time": time[edges[:-1]], "close": bars.close[rows], "high": high, "low": low})
        fig.varea("time", "low", "high", source=source, color=COLOR["benchmark"], alpha=0.18)
        line = fig.line("time", "close", source=source, color=COLOR["muted"], width=1.1)
        add_hover(
            fig, [line], [("", "@time{%F %H:%M} UTC"), ("Close", "@close{0,0.[0000]}")],
            formatters={"@time": "datetime"}, mode="vline",
        )  # fmt: skip
        return fig
    up = bars.close >= bars.open
    source = ColumnDataSource(
        {
            "time": time, "open": bars.open, "high": bars.high, "low": bars.low, "close": bars.close,
            "color": np.where(up, COLOR["gain"], COLOR["loss"]).tolist(),
        }
    )  # fmt: skip
    fig.segment("time", "low", "time", "high", source=source, color="color", width=1)
    bodies = fig.vbar("time", timeframe_us(bars.timeframe) / 1e3 * 0.7, "open", "close", source=source, color="color")
    shown = [
        ("", "@time{%F %H:%M} UTC"),
        *((p.capitalize(), f"@{p}{{0,0.[0000]}}") for p in ("open", "high", "low", "close")),
    ]
    add_hover(fig, [bodies], shown, formatters={"@time": "datetime"}, mode="vline")
    return fig


def _marks(fig: Any, bt: Any) -> list[tuple[str, list[Any]]]:
    trades = bt.trades
    if not len(trades):
        return []
    if len(trades) > MARKERS:
        fig.title.text = f"The {MARKERS:,} largest of {plural(len(trades), 'trade')} are marked"
        fig.title.text_font, fig.title.text_color, fig.title.text_font_size = FONT, COLOR["muted"], "11px"
        trades = trades.sort(pl.col("pnl").abs(), descending=True, maintain_order=True).head(MARKERS)
    items = []
    formats = {"@entry": "datetime", "@exit": "datetime"}
    closed = trades.filter(pl.col("exit_reason") != "open")
    if len(closed):
        source = _mark_source(closed)
        exits = fig.scatter(
            "exit", "exit_price", source=source, marker="x", size=8, line_color=COLOR["ink"], line_width=1.4
        )
        add_hover(fig, [exits], _MARK_ROWS, formatters=formats)
        items.append(("Exit", [exits]))
    # Entries are drawn over exits: at a reversal both are at one point.
    for side, marker, role in (("short", "inverted_triangle", "loss"), ("long", "triangle", "gain")):
        part = trades.filter(pl.col("side") == side)
        if not len(part):
            continue
        entries = fig.scatter(
            "entry", "entry_price", source=_mark_source(part), marker=marker, size=11, fill_color=COLOR[role],
            line_color=COLOR["surface"],
        )  # fmt: skip
        add_hover(fig, [entries], _MARK_ROWS, formatters=formats)
        items.insert(0, (f"{side.capitalize()} entry", [entries]))
    return items


def _mark_source(trades: pl.DataFrame) -> ColumnDataSource:
    return ColumnDataSource(
        {
            "entry": timestamps_ms(trades["entry_time"]),
            "exit": timestamps_ms(trades["exit_time"]),
            "entry_price": trades["entry_price"].to_numpy(),
            "exit_price": trades["exit_price"].to_numpy(),
            "entry_text": [significant(v, 6) for v in trades["entry_price"].to_list()],
            "exit_text": [significant(v, 6) for v in trades["exit_price"].to_list()],
            "side": trades["side"].to_list(),
            "size": [significant(v) for v in trades["size"].to_list()],
            "reason": trades["exit_reason"].to_list(),
            "pnl": [money(v, sign=True) for v in trades["pnl"].to_list()],
            "ret": [percent(v, 2, sign=True) for v in trades["return"].to_list()],
        }
    )
