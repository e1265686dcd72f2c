"""The data of the app of many walk-forwards: the results in a folder, and the rows of one."""

from __future__ import annotations

import json
import os
import threading
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl

from maestro.apps.many.state import ORDERS
from maestro.errors import RunError
from maestro.reports.page.stored import report_text
from maestro.walkforward.many import Cell, WalkForwards, load_walk_forwards
from maestro.walkforward.many.result import LISTS

KEPT = 3
"""Results that stay loaded, for all visitors."""
_kept: dict[tuple[str, int], WalkForwards] = {}
_lock = threading.Lock()


class ManySession:
    """The results of `walk_forward_many` in one folder of runs."""

    def __init__(self, runs_dir: str | Path = "runs") -> None:
        self.runs_dir = Path(runs_dir)

    def results(self) -> dict[str, str]:
        """Ids of the results by a label for a menu, the newest first; a list that cannot be read is left out."""
        if not os.path.isdir(self.runs_dir):  # also a name that is too long, for which `Path.glob` raises
            return {}
        found = []
        for path in (self.runs_dir / LISTS).glob("*.json"):
            try:
                count, when = len(json.loads(path.read_bytes())["cells"]), path.stat().st_mtime
            except (OSError, ValueError, KeyError, TypeError):
                continue
            found.append((-when, path.stem, count))
        return {f"{_moment(-when)}, {count:,} walk-forwards ({name})": name for when, name, count in sorted(found)}

    def load(self, result: str) -> WalkForwards:
        """Return a result with its p-values; one that was loaded before is kept while its list is the same.

        Raises
        ------
        RunError
            It is gone or damaged.
        """
        if not result or Path(result).name != result:
            raise RunError(f"there is no result {result!r} in {self.runs_dir}; choose one of the list.")
        path = (self.runs_dir / LISTS / f"{result}.json").resolve()
        try:
            key = (str(path), path.stat().st_mtime_ns)
        except OSError as error:
            raise RunError(f"there is no result {result!r} in {self.runs_dir} any more.") from error
        with _lock:
            if key not in _kept:
                made = load_walk_forwards(result, self.runs_dir)
                made.table  # noqa: B018, computes the p-values
                while len(_kept) >= KEPT:
                    del _kept[next(iter(_kept))]
                _kept[key] = made
            return _kept[key]

    @staticmethod
    def rows(many: WalkForwards, text: str = "", strategy: str = "", only: str = "", order: str = "") -> pl.DataFrame:
        """Rows of the table that a filter leaves, ordered."""
        table = many.table
        if strategy:
            table = table.filter(pl.col("strategy") == strategy)
        for word in text.lower().split():
            named = pl.concat_str(["symbol", "timeframe", "strategy"], separator=" ").str.to_lowercase()
            table = table.filter(named.str.contains(word, literal=True))
        size = many.significance.size
        if only == "below":
            table = table.filter(pl.col("p_value") < size)
        elif only == "remaining":
            table = table.filter(pl.col("p_adjusted") <= size)
        elif only == "failed":
            table = table.filter(pl.col("error").is_not_null())
        by = order if order in ORDERS else "p_adjusted"
        names = list(dict.fromkeys([by, "p_value", "symbol", "timeframe", "strategy"]))
        down = [name in ("sharpe_ratio", "total_return") for name in names]
        return table.with_columns(pl.col(by).fill_nan(None) if table[by].dtype == pl.Float64 else pl.col(by)).sort(
            names, descending=down, nulls_last=True
        )

    def report(self, many: WalkForwards, cell: Cell) -> str:
        """Text of the report of one walk-forward, one page that needs no network."""
        return report_text(many[cell])


def failures(many: WalkForwards) -> list[tuple[str, str]]:
    """Name and reason of every walk-forward that has no result."""
    return [(cell.text, why) for cell, why in many.errors.items()]


def _moment(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M")


def cell_of(row: dict[str, Any]) -> Cell:
    """The walk-forward of a row."""
    return Cell(row["symbol"], row["timeframe"], row["strategy"])
