"""The tables of folds and trials as the page shows them."""

from __future__ import annotations

from datetime import time
from typing import Any

import polars as pl

from maestro._core import formatting as formats
from maestro.walkforward.columns import parameter_names, searched
from maestro.walkforward.result import WalkForward

_COLUMNS = ("fold", "train_start", "train_end", "test_start", "test_end")
_METRICS = ("sharpe_ratio", "total_return", "max_drawdown")
_TITLES = {
    "train_start": "Train from", "train_end": "Train to", "test_start": "Test from", "test_end": "Test to",
}  # fmt: skip
_SAMPLE = {"is_": "IS", "oos_": "OOS"}


def fold_table(wf: WalkForward) -> pl.DataFrame:
    """Windows, chosen parameters and the main metrics of every fold, and its error if one failed."""
    wanted = [*_COLUMNS, *searched(wf), *(f"{part}_{name}" for name in _METRICS for part in ("is", "oos"))]
    if wf.folds["error"].null_count() < len(wf.folds):
        wanted.append("error")
    table = wf.folds.select([name for name in wanted if name in wf.folds.columns])
    days = all((table[name].dt.time() == time()).all() for name in _COLUMNS[1:])
    return table.with_columns(pl.col(*_COLUMNS[1:]).dt.strftime("%Y-%m-%d" if days else "%Y-%m-%d %H:%M"))


def trial_table(wf: WalkForward) -> pl.DataFrame:
    """Every trial with its parameters and metrics, and its error if one failed."""
    return wf.trials if wf.trials["error"].null_count() < len(wf.trials) else wf.trials.drop("error")


def appearance(table: pl.DataFrame, wf: WalkForward) -> dict[str, Any]:
    """Headings and number formats of either table, as `Table.fill` takes them; parameters keep their names."""
    from bokeh.models.widgets.tables import NumberFormatter

    titles, formatters = {}, {}
    parameters = parameter_names(wf.folds)
    for name, dtype in table.schema.items():
        part = next((start for start in _SAMPLE if name.startswith(start)), "")
        metric = name.removeprefix(part)
        if name not in parameters:
            sample = f", {_SAMPLE[part]}" if part else ""
            titles[name] = _TITLES.get(name, f"{formats.label(metric)}{sample}")
        if dtype.is_float() or (name in parameters and dtype.is_numeric()):  # a failed fold makes fractions of 23
            form = "0,0.[0000]" if name in parameters else formats.pattern(metric)
            formatters[name] = NumberFormatter(format=form, nan_format=formats.NONE, text_align="right")
    return {"titles": titles, "formatters": formatters}
