"""Differences between a recorded fold and its repetition: table, row, column and both values."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import polars as pl

from maestro._core.formatting import plural
from maestro.walkforward.tables import FoldTables, folds_table

_STRETCH = ("timestamp", "return", "position", "close")
_MOST = 3
"""Columns of a table that are named before the rest is counted."""


def differences(fold: int, recorded: Mapping[str, pl.DataFrame], repeated: FoldTables) -> list[str]:
    """Every table of a fold that is not the same to the bit; nothing where all are.

    Parameters
    ----------
    recorded : tables of the whole run: folds, trials, equity, trades
    repeated : the fold, as it is kept
    """
    row, frames = repeated[0]["row"], repeated[1]
    own = {name: table.filter(pl.col("fold") == fold) for name, table in recorded.items()}
    found = unequal(f"fold {fold}, chosen parameters and metrics", own["folds"], folds_table([row]))
    found += unequal(f"fold {fold}, trials", own["trials"], frames["trials"])
    # Where test windows overlap, the stitched table has the later fold's bars only once; after ruin nothing earns.
    stretch = frames["equity"].join(own["equity"].select("timestamp"), on="timestamp", how="semi")
    before = recorded["equity"].filter(pl.col("fold") < fold)["equity"]
    columns = list(_STRETCH) if not len(before) or before[-1] > 0 else ["timestamp", "position", "close"]
    found += unequal(f"fold {fold}, equity", own["equity"].select(columns), stretch.select(columns))
    trades = frames.get("trades", own["trades"].clear())
    return found + unequal(f"fold {fold}, trades", own["trades"], trades)


def unequal(what: str, recorded: pl.DataFrame, repeated: pl.DataFrame) -> list[str]:
    """Words for the first differences of two tables; floats are compared bit by bit, NaN equals NaN."""
    if recorded.columns != repeated.columns:
        return [f"{what}: columns {', '.join(recorded.columns)} recorded, now {', '.join(repeated.columns)}"]
    if len(recorded) != len(repeated):
        return [f"{what}: {len(recorded):,} rows recorded, now {len(repeated):,}"]
    found = []
    for name in recorded.columns:
        old, new = recorded[name], repeated[name].cast(recorded[name].dtype, strict=False)
        wrong = np.flatnonzero(_differ(old, new))
        if len(wrong):
            k = int(wrong[0])
            others = f", and {plural(len(wrong) - 1, 'more row')}" if len(wrong) > 1 else ""
            found.append(f"{what}: {name} in row {k} was {_shown(old[k])}, now {_shown(new[k])}{others}")
    if len(found) > _MOST:
        return [*found[:_MOST], f"{what}: {plural(len(found) - _MOST, 'more column')}"]
    return found


def _differ(old: pl.Series, new: pl.Series) -> Any:
    if old.dtype.is_float():
        mixed = old.is_null().to_numpy() != new.is_null().to_numpy()
        a, b = (np.ascontiguousarray(one.fill_null(0.0).to_numpy()) for one in (old, new))
        bits = a.view(np.int64) != b.view(np.int64)
        return mixed | (bits & ~(np.isnan(a) & np.isnan(b)))
    return (~old.eq_missing(new)).to_numpy()


def _shown(value: Any) -> str:
    return repr(value) if isinstance(value, (float, str)) else str(value)
