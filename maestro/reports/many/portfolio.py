"""A portfolio in a notebook and as one HTML file that needs no network."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import polars as pl
from markupsafe import Markup

from maestro._core.formatting import label, metric, moment, money, number, percent, plural
from maestro.reports.html.embedding import page_parts
from maestro.reports.html.environment import render, render_page
from maestro.reports.html.fragments import Cell, table
from maestro.reports.many.curves import sparkline
from maestro.reports.output import write_page
from maestro.reports.page.verdict import strips
from maestro.validation.verdict.rule import QUESTIONS
from maestro.walkforward.portfolio import Portfolio

_DAY_US = 86_400_000_000
_METRICS = ("total_return", "annual_return", "volatility", "sharpe_ratio", "sortino_ratio", "max_drawdown")
_MOST = 40
"""Sleeves whose correlation is shown as a matrix."""


def write_portfolio(portfolio: Portfolio, path: str | os.PathLike[str]) -> Path:
    """Write the page; returns its path.

    Raises
    ------
    RunError
        The path cannot be written to, or holds a file that Maestro did not write.
    """
    return write_page(path, portfolio_page(portfolio))


def portfolio_html(portfolio: Portfolio) -> Markup:
    """Metrics, the curve and the contributions, for a notebook."""
    return render("portfolio_summary.html", **_parts(portfolio, 640, 140))


def portfolio_page(portfolio: Portfolio) -> str:
    """HTML text of the page; all text in it is escaped."""
    return render_page(
        "portfolio.html", **page_parts("verdict.css", "many.css"), **_parts(portfolio, 1080, 260),
        verdict=portfolio.verdict, questions=QUESTIONS, strips=strips(portfolio.verdict),
        correlation=_matrix(portfolio), drawdowns=_drawdowns(portfolio), weights=_weights(portfolio),
        subtitle=[plural(len(portfolio.names), "sleeve"), *_settings(portfolio)],
    )  # fmt: skip


def _parts(portfolio: Portfolio, width: int, height: int) -> dict[str, Any]:
    cash = float(portfolio.settings["cash"])
    days = portfolio.equity["timestamp"].to_physical().to_numpy() // _DAY_US
    curve = portfolio.equity["equity"].to_numpy() / cash
    span = (int(days[0]), int(days[-1]))
    found = portfolio.metrics
    return {
        "sentence": repr(portfolio).partition("(")[2].rstrip(")"),
        "tiles": [(label(name), metric(name, found[name])) for name in _METRICS],
        "curve": sparkline(days, curve, span, width=width, height=height, label="Equity of the portfolio", points=600),
        "contributions": _contributions(portfolio), "notes": portfolio.notes,
    }  # fmt: skip


def _settings(portfolio: Portfolio) -> list[str]:
    given = portfolio.settings
    return [f"weights {given['weights']}", f"rebalanced {given['rebalance']}", f"{given['debt']} debt"]


def _contributions(portfolio: Portfolio) -> Markup:
    joined = portfolio.contributions.join(portfolio.sleeve_metrics(), on="sleeve", maintain_order="left")
    rows = [
        (row["sleeve"], money(row["profit"], sign=True), percent(row["share"]), percent(row["mean_weight"]),
         number(row["sharpe_ratio"]), percent(row["max_drawdown"]), money(row["moving_costs"]))
        for row in joined.iter_rows(named=True)
    ]  # fmt: skip
    total = float(portfolio.contributions["profit"].sum())
    rows.append(("all", money(total, sign=True), percent(1.0) if total else "", "", "", "", ""))
    head = ["Sleeve", "Profit", "Share", "Mean weight", "Sharpe alone", "Drawdown alone", "Costs of moving capital"]
    return table(head, rows, numeric=range(1, 7), caption="Contributions")


def _matrix(portfolio: Portfolio) -> Markup | None:
    if len(portfolio.names) > _MOST:
        return None
    names = list(portfolio.names)
    rows = []
    for row in portfolio.correlation.iter_rows(named=True):
        cells: list[Any] = [row["sleeve"]]
        for name in names:
            value = row[name]
            known = value is not None and value == value
            kind = "num gain" if known and value >= 0 else "num loss"
            cells.append(Cell(number(value), kind=kind, style=f"--w:{abs(value) * 100:.0f}%" if known else ""))
        rows.append(cells)
    return table(["", *names], rows, numeric=range(1, len(names) + 1), caption="Correlation")


def _drawdowns(portfolio: Portfolio) -> Markup:
    rows = [
        (percent(row["depth"]), moment(row["peak"]), moment(row["trough"]),
         "not yet" if row["recovered"] is None else moment(row["recovered"]))
        for row in portfolio.drawdowns.head(5).iter_rows(named=True)
    ]  # fmt: skip
    return table(["Depth", "Peak", "Trough", "Recovered"], rows, numeric=(0,), caption="Drawdowns")


def _weights(portfolio: Portfolio) -> Markup | None:
    if len(portfolio.names) > _MOST:
        return None
    wide = portfolio.weights.pivot(on="sleeve", index="timestamp", values="weight")
    rows = [
        (moment(row["timestamp"]), *(percent(row[name]) for name in portfolio.names))
        for row in wide.sort(pl.col("timestamp")).tail(30).iter_rows(named=True)
    ]
    return table(["From", *portfolio.names], rows, numeric=range(1, len(portfolio.names) + 1), caption="Weights")
