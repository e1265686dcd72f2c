"""A backtest in a notebook's output cell: key figures, equity against buy and hold, notes, and all metrics."""

from __future__ import annotations

from typing import Any

import numpy as np

from maestro import metrics as m
from maestro._core.formatting import metric, moment, money, percent, plural
from maestro.engine.result import Backtest
from maestro.reports.figures.downsampling import thin
from maestro.reports.html.environment import Html, render, stylesheet
from maestro.reports.html.fragments import table
from maestro.typing import FloatArray

WIDTH, HEIGHT = 640, 150
POINTS = 400
"""Points of a curve."""


def backtest_html(bt: Backtest) -> Html:
    """Display a backtest without scripts, in the colours of a light or a dark notebook."""
    found, bars = bt.metrics, bt.bars
    held = bt.benchmark
    equity = bt.books.equity
    ruined = bool(found["ruined"])
    curve, hold, logarithmic = _curves(equity, held)
    rows = [[name, metric(name, value), m.DESCRIPTIONS[name]] for name, value in found.items()]
    hold_metrics = m.holding_metrics(held, bt.cash, periods_per_year=bars.periods_per_year)
    names = ("total_return", "annual_return", "sharpe_ratio", "max_drawdown")
    head = ["", "Total return", "Annual return", "Sharpe ratio", "Drawdown", "Trades", "Won", "Exposure", "Costs"]
    figures = [
        ["strategy", *(metric(name, found[name]) for name in names), metric("num_trades", found["num_trades"]),
         percent(found["win_rate"], 0), percent(found["exposure"], 0), money(found["fees"] + found["slippage"])],
        [Html("buy&nbsp;and&nbsp;hold"), *(metric(name, hold_metrics[name]) for name in names), "", "", "", ""],
    ]  # fmt: skip
    return render(
        "backtest.html", css=stylesheet("tables.css", "backtest.css"),
        strategy=repr(bt.strategy) if bt.strategy is not None else "signals", series=bars.name or "bars",
        span=f"{plural(len(bars), 'bar')}, {moment(bars.start)} to {moment(bars.end)}", ruined=ruined,
        figures=table(head, figures, numeric=range(1, len(head))), curve=curve, held=hold, logarithmic=logarithmic,
        width=WIDTH, height=HEIGHT, label=f"equity, {percent(found['total_return'], sign=True)}", notes=bt.notes,
        metrics=table(("metric", "value", "meaning"), rows, numeric=(1,)),
    )  # fmt: skip


def _curves(equity: FloatArray, held: FloatArray) -> tuple[str, str, bool]:
    """Points of both curves and whether the scale is logarithmic; empty where there is nothing to draw."""
    both: Any = np.concatenate([equity, held])
    if len(equity) < 2 or not np.isfinite(both).all():
        return "", "", False
    logarithmic = bool(both.min() > 0)
    rows = thin(equity, held, points=POINTS)
    first, second = (np.log(c[rows]) if logarithmic else c[rows] for c in (equity, held))
    low, high = min(first.min(), second.min()), max(first.max(), second.max())
    x = rows / (len(equity) - 1) * (WIDTH - 4) + 2

    def points(values: FloatArray) -> str:
        y = (high - values) / ((high - low) or 1.0) * (HEIGHT - 6) + 3
        return " ".join(f"{a:.1f},{b:.1f}" for a, b in zip(x, y, strict=True))

    return points(first), points(second), logarithmic
