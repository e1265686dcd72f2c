"""Monthly returns, as a frame and as a heat map."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import polars as pl

from maestro._core.formatting import number, percent
from maestro.reports.html.environment import Html
from maestro.reports.html.fragments import Cell, empty, table
from maestro.walkforward.columns import growth, numbers, start_value

MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_STRONG = 0.9
"""Quantile of the absolute monthly returns that gets the full colour; single extremes do not fade the rest."""


def monthly_frame(result: Any) -> pl.DataFrame:
    """Compound return of every calendar month (UTC) that has a bar.

    Parameters
    ----------
    result : walk-forward, Backtest, or frame with ``timestamp`` and ``return`` (a bar, fraction)
        Where the frame has a ``benchmark`` (equity), its months are added.

    Returns
    -------
    polars frame
        ``year``, ``month``, ``return``, ``bars``, and ``benchmark`` (return; null where unknown). A bar belongs
        to the month of its open.
    """
    frame = result if isinstance(result, pl.DataFrame) else result.equity
    if "return" not in frame.columns:
        frame = frame.with_columns(pl.Series("return", np.asarray(result.returns, np.float64)))
    held = growth(numbers(frame, "benchmark"), start_value(result))
    return (
        frame.select(
            year=pl.col("timestamp").dt.year(),
            month=pl.col("timestamp").dt.month().cast(pl.Int32),
            growth=1.0 + pl.col("return"),
            held=pl.Series(held),
        )
        .group_by("year", "month", maintain_order=True)
        .agg(
            (pl.col("growth").product() - 1.0).alias("return"),
            pl.len().alias("bars"),
            (pl.col("held").product() - 1.0).fill_nan(None).alias("benchmark"),
        )
        .sort("year", "month")
    )


def monthly_returns(result: Any) -> Html:
    """Heat map of the monthly returns, one row per year, with the year's return and buy and hold's beside it.

    Colours run from loss over the ground to gain; the figures are in percent.
    """
    months = monthly_frame(result)
    if not len(months):
        return empty("No month was evaluated.")
    values = months["return"].to_numpy()
    finite = np.abs(values[np.isfinite(values)])
    full = float(np.quantile(finite, _STRONG)) if len(finite) else 0.0
    by_month = {(y, m): r for y, m, r in months.select("year", "month", "return").iter_rows()}
    held = months["benchmark"].is_not_null().any()
    rows = []
    for year in range(months["year"][0], months["year"][-1] + 1):
        part = months.filter(pl.col("year") == year)
        row: list[Any] = [Cell(year, tag="th")]
        row += [_heat(by_month.get((year, m + 1)), full, f"{MONTHS[m]} {year}") for m in range(12)]
        row.append(_total(part["return"]))
        if held:
            row.append(_total(part["benchmark"], kind="num held"))
        rows.append(row)
    head: list[Any] = ["", *(Cell(m, tag="th") for m in MONTHS), Cell("Year", kind="num sum", tag="th")]
    if held:
        head.append(Cell("Hold", kind="num held", tag="th", title="Buy and hold"))
    return table(head, rows, kind="months", caption="Monthly returns in percent")


def _heat(value: float | None, full: float, when: str) -> Cell:
    if value is None or not math.isfinite(value):
        return Cell("·", kind="heat none", title=f"{when}: no bars")
    weight = min(1.0, abs(value) / full) if full > 0 else 0.0
    role = "gain" if value >= 0 else "loss"
    style = f"--w:{round(100 * weight)}%"
    return Cell(
        number(100 * value, 1), kind=f"heat {role}", title=f"{when}: {percent(value, 2, sign=True)}", style=style
    )


def _total(returns: pl.Series, kind: str = "num sum") -> Cell:
    known = returns.drop_nulls()
    total = float((known + 1.0).product()) - 1.0 if len(known) else math.nan
    return Cell(number(100 * total, 1), kind=kind)
