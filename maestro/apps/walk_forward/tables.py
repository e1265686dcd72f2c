"""The table of folds as the page shows it."""

from __future__ import annotations

import polars as pl
import polars.selectors as cs

from maestro.walkforward.columns import searched
from maestro.walkforward.result import WalkForward

_COLUMNS = ("fold", "train_start", "train_end", "test_start", "test_end")
_METRICS = ("sharpe_ratio", "total_return", "max_drawdown")


def fold_table(wf: WalkForward) -> pl.DataFrame:
    """Windows, chosen parameters and the main metrics of every fold, and its error if one failed."""
    wanted = [*_COLUMNS, *searched(wf), *(f"{part}_{name}" for name in _METRICS for part in ("is", "oos"))]
    if wf.folds["error"].null_count() < len(wf.folds):
        wanted.append("error")
    table = wf.folds.select([name for name in wanted if name in wf.folds.columns])
    for name in _COLUMNS[1:]:
        table = table.with_columns(table[name].dt.strftime("%Y-%m-%d %H:%M"))
    return table.with_columns(cs.float().round(4))
