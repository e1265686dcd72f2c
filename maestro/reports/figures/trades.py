"""Trades: their summary, the distribution of their returns, and the largest ones."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import polars as pl

from maestro._core.formatting import MINUS, metric, moment, money, number, percent, plural, significant
from maestro.reports.html.environment import Html
from maestro.reports.html.fragments import Cell, joined, note, table
from maestro.walkforward.columns import numbers

LISTED = 25
"""Trades listed in the report; all of them are counted."""
_BINS = 41


def _trades(result: Any) -> pl.DataFrame:
    frame: pl.DataFrame = result if isinstance(result, pl.DataFrame) else result.trades
    return frame


def trade_summary(result: Any) -> Html:
    """Counts, win rate, averages and holding times of all, long and short trades; open ones are left out."""
    trades = _trades(result)
    closed = trades.filter(pl.col("exit_reason") != "open")
    parts = {
        "All": closed,
        "Long": closed.filter(pl.col("side") == "long"),
        "Short": closed.filter(pl.col("side") == "short"),
    }
    columns = [_figures(part) for part in parts.values()]
    rows = [[name, *(column[name] for column in columns)] for name in columns[0]]
    return table(["", *parts], rows, numeric=(1, 2, 3), kind="plain", caption="Trades in figures")


def _figures(trades: pl.DataFrame) -> dict[str, str]:
    pnl, returns = numbers(trades, "pnl"), numbers(trades, "return")
    wins, losses = returns[pnl > 0], returns[pnl <= 0]
    lost = -float(pnl[pnl <= 0].sum())
    held = (trades["exit_time"] - trades["entry_time"]).dt.total_seconds()
    return {
        "Trades": number(len(trades), 0),
        "Win rate": metric("win_rate", _mean((pnl > 0).astype(np.float64))),
        "Profit factor": number(float(pnl[pnl > 0].sum()) / lost if lost > 0 else math.nan),
        "Profit after costs": money(float(pnl.sum())),
        "Mean return": percent(_mean(returns), 2),
        "Median return": percent(float(np.median(returns)) if len(returns) else math.nan, 2),
        "Mean gain": percent(_mean(wins), 2),
        "Mean loss": percent(_mean(losses), 2),
        "Best": percent(float(returns.max()) if len(returns) else math.nan, 2),
        "Worst": percent(float(returns.min()) if len(returns) else math.nan, 2),
        "Median time held": _duration(held.median()),
    }


def reasons_table(result: Any) -> Html:
    """Exit reasons: count, win rate and profit of each."""
    trades = _trades(result)
    grouped = (
        trades.group_by("exit_reason")
        .agg(pl.len(), (pl.col("pnl") > 0).mean().alias("won"), pl.col("pnl").sum())
        .sort("len", "exit_reason", descending=[True, False])
    )
    rows = [(r, f"{n:,}", metric("win_rate", won), money(pnl)) for r, n, won, pnl in grouped.iter_rows()]
    return table(["Exit", "Trades", "Win rate", "Profit"], rows, numeric=(1, 2, 3), kind="plain", caption="Exits")


def trade_distribution(result: Any, *, height: int = 280) -> Any:
    """Histogram of the trades' returns after costs, losses and gains apart, with their mean.

    The outermost bins take in what lies beyond the 0.5th and 99.5th percentile, so that one odd trade does not
    flatten the rest.
    """
    from bokeh.models.sources import ColumnDataSource

    from maestro.reports.figures.theme import COLOR, add_hover, add_legend, add_rule, make_figure, percent_axis

    returns = numbers(_trades(result), "return")
    returns = returns[np.isfinite(returns)]
    fig = make_figure(height=height, label="Trades")
    fig.xaxis.axis_label = "Return of a trade, after costs"
    if not len(returns):
        return fig
    low, high = (float(q) for q in np.quantile(returns, [0.005, 0.995]))
    low, high = min(low, 0.0), max(high, 0.0)
    width = ((high - low) or 0.01) / _BINS
    # Edges are multiples of the width, so that zero parts two bins and none mixes losses with gains.
    edges = np.arange(math.floor(low / width), math.ceil(high / width) + 1) * width
    count, _ = np.histogram(np.clip(returns, edges[0], edges[-1]), edges)
    left, right = edges[:-1], edges[1:]
    source = ColumnDataSource(
        {
            "left": left,
            "right": right,
            "count": count,
            "color": [COLOR["loss"] if r <= width / 2 else COLOR["gain"] for r in right],
            "range": [
                f"{'below ' if i == 0 and returns.min() < a else ''}{percent(a, 2)} to {percent(b, 2)}"
                + (" and above" if i == len(left) - 1 and returns.max() > b else "")
                for i, (a, b) in enumerate(zip(left, right, strict=True))
            ],
        }
    )
    bars = fig.quad("left", "right", bottom=0, top="count", source=source, color="color", line_color=COLOR["surface"])
    mean = float(returns.mean())
    line = fig.line([mean, mean], [0, float(count.max()) * 1.05], color=COLOR["ink"], width=1.5, line_dash="dashed")
    add_rule(fig, 0)
    add_legend(fig, [(f"Mean {percent(mean, 2, sign=True)}", [line])])
    add_hover(fig, [bars], [("Return", "@range"), ("Trades", "@count{0,0}")])
    percent_axis(fig.xaxis, 1 if edges[-1] - edges[0] < 0.1 else 0)
    fig.y_range.start = 0
    return fig


def trade_table(result: Any, *, listed: int = LISTED) -> Html:
    """Largest trades by profit or loss, at most `listed`; the cut is stated above them."""
    trades = _trades(result)
    total = len(trades)
    shown = trades.sort(pl.col("pnl").abs(), descending=True, nulls_last=True, maintain_order=True).head(listed)
    if total > listed:
        moved = np.abs(numbers(trades, "pnl")).sum()
        share = float(np.abs(numbers(shown, "pnl")).sum() / moved) if moved > 0 else math.nan
        caption = (
            f"The {listed} largest of {total:,} trades by profit or loss, {percent(share, 0)} of all that was won "
            "and lost. The figures above count every trade."
        )
    else:
        caption = f"{plural(total, 'trade')}, the largest by profit or loss first."
    has_fold = "fold" in trades.columns
    head = [*(["Fold"] if has_fold else []), "Side", "Entry (UTC)", "Exit (UTC)", "Entry price", "Exit price", "Size",
            "Fees", "Funding", "Profit", "Return", "Exit"]  # fmt: skip
    first = 1 if has_fold else 0
    rows = []
    for row in shown.iter_rows(named=True):
        tone = "num lost" if row["pnl"] < 0 else "num"
        rows.append(
            [
                *([str(row["fold"])] if has_fold else []),
                row["side"],
                moment(row["entry_time"]),
                moment(row["exit_time"]),
                significant(row["entry_price"], 6),
                significant(row["exit_price"], 6),
                significant(row["size"], 5),
                money(row["fees"]),
                money(row["funding"]) if row["funding"] else "0",
                Cell(money(row["pnl"], sign=True), kind=tone),
                Cell(percent(row["return"], 2, sign=True), kind=tone),
                row["exit_reason"],
            ]
        )
    shown_rows = table(head, rows, numeric=range(first + 3, first + 8), kind="list", caption="Trades")
    return joined((note(caption), shown_rows))


def _mean(values: Any) -> float:
    return float(values.mean()) if len(values) else math.nan


def _duration(seconds: Any) -> str:
    if seconds is None:
        return "–"
    for length, unit in ((86_400, "day"), (3_600, "hour"), (60, "minute")):
        if seconds >= length:
            count = seconds / length
            return f"{count:.1f}".removesuffix(".0").replace("-", MINUS) + f" {unit}{'' if count == 1 else 's'}"
    return plural(int(seconds), "second")
