"""Many walk-forwards as one HTML file that needs no network: what remains, small multiples, a sortable table."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np

from maestro._core.formatting import number, plural
from maestro.reports.html.embedding import page_parts
from maestro.reports.html.environment import render_page
from maestro.reports.many.curves import p_histogram, sparkline
from maestro.reports.many.html import HEAD, cells_of, ranked
from maestro.reports.output import write_page
from maestro.walkforward.many import Cell, WalkForwards

MULTIPLES = 48
"""Curves in the grid of small multiples; the table has all."""
_VALUES = (
    "sharpe_ratio", "is_sharpe_ratio", "total_return", "max_drawdown", "num_trades", "p_value", "p_adjusted",
)  # fmt: skip


def write_many_report(many: WalkForwards, path: str | os.PathLike[str]) -> Path:
    """Write the page; returns its path.

    Raises
    ------
    RunError
        The path cannot be written to.
    """
    return write_page(path, many_page(many))


def many_page(many: WalkForwards) -> str:
    """HTML text of the page; all text in it is escaped."""
    found = many.significance
    curves = {cell: many.curve(cell) for cell in many}
    edges = [int(edge) for days, _ in curves.values() if len(days) for edge in (days[0], days[-1])]
    span = (min(edges), max(edges)) if edges else (0, 1)
    rows = [
        _row(number, row, curves.get(Cell(row["symbol"], row["timeframe"], row["strategy"])), span)
        for number, row in enumerate(ranked(many).iter_rows(named=True), 1)
    ]
    symbols = len({cell.symbol for cell in many.cells})
    strategies = len({cell.strategy for cell in many.cells})
    pvalues = found.table["p_value"].drop_nulls().to_numpy()
    return render_page(
        "many.html",
        **page_parts("batch.css", "many.css", scripts=("batch.js",)),
        sentence=found.sentence,
        best=found.best_in_words,
        subtitle=[plural(symbols, "symbol"), plural(strategies, "strategy", "strategies"), f"id {many.id}"],
        title=plural(len(many.cells), "walk-forward"),
        histogram=p_histogram(pvalues),
        below=found.below,
        expected=number(found.expected, 1),
        multiples=[row for row in rows if row["curve"]][:MULTIPLES],
        heads=HEAD[3:],
        rows=rows,
        notes=many.notes,
        repetitions=number(found.repetitions, 0),
        block=plural(found.block, "day"),
    )


def _row(number: int, row: dict[str, Any], curve: Any, span: tuple[int, int]) -> dict[str, Any]:
    texts = cells_of(row)
    name = f"{row['strategy']} on {row['symbol']} {row['timeframe']}".rstrip()
    picture = ""
    if curve is not None and len(curve[0]):
        picture = sparkline(curve[0], curve[1], span, label=f"Equity of {name}, {texts[5]}")
    values = ["" if row[v] is None or not np.isfinite(row[v]) else row[v] for v in _VALUES]
    return {
        "number": number, "names": texts[:3], "name": name, "cells": list(zip(texts[3:], values, strict=True)),
        "curve": picture, "return": values[2], "error": row["error"], "sharpe": texts[3], "p": texts[9],
    }  # fmt: skip
