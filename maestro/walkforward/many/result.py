"""The result of many walk-forwards: one table, each run, and the significance of the results."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from maestro._core.hooks import hook
from maestro._core.json import dumps
from maestro._core.seal import read_sealed, sealed
from maestro.errors import RunError, SettingsError, nearest
from maestro.runs.store import RunStore, find, is_run_id
from maestro.runs.writing import write_file
from maestro.typing import FloatArray, IntArray
from maestro.walkforward.many.cells import SCHEMA, Cell, Summary, failed, summarise
from maestro.walkforward.result import WalkForward, load_stored
from maestro.walkforward.run import PreparedRun

LISTS = "universes"
"""Folder in a runs directory that holds the lists of many walk-forwards."""
FORMAT = 2
"""Of a list; one of format 1 may lack the checksum."""


class WalkForwards(Mapping[Cell, WalkForward]):
    """Result of `walk_forward_many`: a mapping from (symbol, timeframe, strategy) to the walk-forward.

    Attributes
    ----------
    id : str
        Hash of the cells and the ids of their runs.
    cells : tuple of Cell
        All of them, including those that failed, sorted.
    errors : dict
        Error of each cell without a result.
    notes : tuple of str
        Notes on the interpretation of the result.
    folder : Path or None
        The runs directory that holds every run.
    seconds : float
        Duration of this call.
    """

    def __init__(
        self, id: str, summaries: Mapping[Cell, Summary], notes: Sequence[str] = (), *,
        results: Mapping[Cell, WalkForward] | None = None, runs: Mapping[Cell, PreparedRun] | None = None,
        folder: Path | None = None, seconds: float = 0.0,
    ) -> None:  # fmt: skip
        self.id, self.folder, self.seconds = id, folder, seconds
        self._summaries = dict(summaries)
        self._results, self._runs = dict(results or {}), dict(runs or {})
        self.cells: tuple[Cell, ...] = tuple(self._summaries)
        self.errors: dict[Cell, str] = {
            cell: str(one.row["error"]) for cell, one in self._summaries.items() if one.row["error"] is not None
        }
        self.notes: tuple[str, ...] = tuple(dict.fromkeys(notes))

    # -- each run ---------------------------------------------------------------------------

    def __iter__(self) -> Iterator[Cell]:
        return (cell for cell, one in self._summaries.items() if "id" in one.row)

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def __contains__(self, cell: object) -> bool:
        return cell in self._summaries and "id" in self._summaries[cell].row  # type: ignore[index]

    def __getitem__(self, cell: Any) -> WalkForward:
        known = self._cell(cell)
        if known in self._results:
            return self._results[known]
        row = self._summaries[known].row
        if "id" not in row:
            raise RunError(f"{known.text} has no result: {row['error']}")
        wf = load_stored(find(row["id"], self.folder or "runs"))
        return self._runs[known].alive(wf) if known in self._runs else wf

    def run(self, symbol: str, strategy: str | None = None, timeframe: str | None = None) -> WalkForward:
        """One walk-forward, by any unambiguous part of its key."""
        wanted = {"symbol": symbol, "strategy": strategy, "timeframe": timeframe}
        hits = [c for c in self.cells if all(v is None or getattr(c, k) == v for k, v in wanted.items())]
        if len(hits) == 1:
            return self[hits[0]]
        asked = ", ".join(f"{name}={value!r}" for name, value in wanted.items() if value is not None)
        if hits:
            shown = "; ".join(cell.text for cell in hits[:4])
            raise SettingsError(f"{len(hits)} walk-forwards have {asked}: {shown}; give strategy or timeframe too.")
        raise SettingsError(f"no walk-forward has {asked}.{nearest(symbol, sorted({c.symbol for c in self.cells}))}")

    def _cell(self, cell: Any) -> Cell:
        try:
            known = Cell(*cell)
        except TypeError:
            known = None  # type: ignore[assignment]
        if known not in self._summaries:
            raise KeyError(f"no walk-forward {cell!r}; give (symbol, timeframe, strategy), or use run(symbol).")
        return known

    # -- all of them ------------------------------------------------------------------------

    @cached_property
    def table(self) -> pl.DataFrame:
        """One row per walk-forward: symbol, timeframe, strategy, id, folds, metrics out of sample, p-values, error.

        ``is_sharpe_ratio`` is the mean of the chosen parameters over the training windows; metrics without a prefix are
        those of the stitched out-of-sample stretch; ``p_value`` and ``p_adjusted`` are those of `significance`.
        """
        plain = pl.DataFrame([self._summaries[cell].row for cell in self.cells], schema=SCHEMA)
        found = self.significance.table.select("symbol", "timeframe", "strategy", "p_value", "p_adjusted")
        joined = plain.join(found, on=["symbol", "timeframe", "strategy"], how="left", maintain_order="left")
        return joined.select(pl.exclude("error"), "error")

    def metric(self, cell: Cell, name: str) -> float | None:
        """One number of a cell's row."""
        value: float | None = self._summaries[cell].row.get(name)
        return value

    def to_frame(self) -> pl.DataFrame:
        """Return the table."""
        return self.table

    @cached_property
    def significance(self) -> Any:
        """Significance over all runs; a `maestro.validation.Significance` with the default settings."""
        return hook("significance")(self)

    @cached_property
    def timing(self) -> tuple[IntArray, FloatArray]:
        """Days since 1970, and returns per day and cell (float64[days, cells with a result], NaN: not tested).

        These are the returns beyond those that a cell's average exposure earned from the drift of its market.
        """
        parts = [self._summaries[cell] for cell in self]
        days: IntArray = np.unique(np.concatenate([np.empty(0, np.int64), *(part.days for part in parts)]))
        values = np.full((len(days), len(parts)), np.nan)
        for place, part in enumerate(parts):
            values[np.searchsorted(days, part.days), place] = part.timing
        return days, values

    def curve(self, cell: Cell) -> tuple[IntArray, FloatArray]:
        """Days since 1970 and the equity at the end of each, over the starting cash."""
        return self._summaries[cell].days, self._summaries[cell].equity

    def portfolio(self, **settings: Any) -> Any:
        """All of them as one portfolio; settings as of `ms.portfolio`."""
        return hook("portfolio")(self, **settings)

    def report(self, path: str | Path | None = None) -> Path:
        """Write one HTML page with a sortable table and small multiples; returns its path."""
        if path is None:
            path = (self.folder or Path()) / f"walk-forwards-{self.id}.html"
        written: Path = hook("write_many_report")(self, path)
        return written

    def __repr__(self) -> str:
        failed = f" {len(self.errors):,} failed." if self.errors else ""
        return f"WalkForwards({self.significance.sentence}{failed} id {self.id})"

    def _repr_html_(self) -> str:
        return str(hook("many_html")(self))


def write_list(many: WalkForwards, runs_dir: Path) -> Path:
    """Write the list of runs that belong together, for `load_walk_forwards`."""
    rows = [{**cell._asdict(), **_brief(many._summaries[cell])} for cell in many.cells]
    path = runs_dir / LISTS / f"{many.id}.json"
    write_file(
        path, sealed(dumps({"format": FORMAT, "id": many.id, "notes": list(many.notes), "cells": rows}, indent=1))
    )
    return path


def _brief(summary: Summary) -> dict[str, Any]:
    row = summary.row
    return {"id": row["id"]} if "id" in row else {"error": row["error"]}


def load_walk_forwards(id: str, runs_dir: str | Path = "runs") -> WalkForwards:
    """Load the result of an earlier `walk_forward_many` with `runs_dir`, by its id or the beginning of it.

    Raises
    ------
    RunError
        There is none, its list is damaged, or one of its runs is gone.
    """
    place = Path(runs_dir) / LISTS
    known = sorted(path.stem for path in place.glob("*.json"))
    hits = [name for name in known if name.startswith(id)] if id else []
    if len(hits) != 1:
        raise RunError(
            f"{'no' if not hits else len(hits)} result of many walk-forwards begins with {id!r} in {place}; there are: "
            f"{', '.join(known[:5]) or 'none'}.{nearest(id, known)}"
        )
    path = place / f"{hits[0]}.json"
    try:
        content = read_sealed(path.read_bytes(), since=FORMAT)
        if content["id"] != hits[0]:
            raise ValueError(f"it is the list {content['id']}")
        rows = [(Cell(row["symbol"], row["timeframe"], row["strategy"]), row) for row in content["cells"]]
        notes = [str(note) for note in content["notes"]]
        if foreign := [row["id"] for _, row in rows if "id" in row and not is_run_id(row["id"])]:
            raise ValueError(f"{foreign[0]!r} is not the id of a run")
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise RunError(f"{path} is damaged ({error}); make it again by the same call of walk_forward_many.") from error
    stores = {cell: RunStore(Path(runs_dir) / row["id"]) for cell, row in rows if "id" in row}
    summaries = {
        cell: summarise(cell, load_stored(stores[cell])) if cell in stores else failed(cell, row["error"])
        for cell, row in rows
    }
    return WalkForwards(hits[0], summaries, notes, folder=Path(runs_dir))
