"""A migration taken back: exactly the rows that it wrote, and nothing else."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from maestro._core.json import dumps
from maestro.data.legacy.journal import BEFORE, THERE, Migration, reopen
from maestro.data.legacy.migration import Progress, migrations_folder
from maestro.data.stores import SeriesKey, Store
from maestro.data.stores.rows import ALLOWED, differences, fingerprint_rows, timestamps_of
from maestro.data.timeframes import as_datetime
from maestro.errors import SettingsError, StoreError

_EXAMPLES = 3


@dataclass(frozen=True, slots=True)
class SeriesRollback:
    """The rollback of one series.

    Attributes
    ----------
    series : str
    removed : int, rows that the migration had added
    restored : int, rows that have their old values again
    before : int, rows that were as before already (an interrupted write, or an earlier rollback)
    left : int, rows that somebody has changed since; they stay
    left_examples : list of str, their first stamps
    as_before : bool, whether the whole series is what it was when the migration began
    """

    series: str
    removed: int
    restored: int
    before: int
    left: int
    left_examples: list[str]
    as_before: bool


@dataclass(slots=True)
class RollbackReport:
    """The report of a rollback, series by series."""

    id: str
    target: str
    series: list[SeriesRollback] = field(default_factory=list)

    @property
    def complete(self) -> bool:
        """Whether no row had to be left."""
        return not any(one.left for one in self.series)

    def to_dict(self) -> dict[str, Any]:
        """Everything, as JSON takes it."""
        return asdict(self) | {"whole": self.complete}


def rollback(
    name: str,
    store: Store,
    *,
    progress: Callable[[Progress], None] | None = None,
    folder: Path | None = None,
) -> RollbackReport:
    """Take back what a migration wrote, also an unfinished one.

    A row that still has the migration's values is removed, or gets the values back that were there before. A row that
    was written to since is not the migration's any more: it stays, and is counted. Interrupted, the same call goes on.

    Parameters
    ----------
    name : str
        The migration's id.
    store : Store
        The same that it wrote to.
    progress : callable, optional
    folder : Path, optional
        Where migrations are kept; `migrations_folder` where it is not given.

    Raises
    ------
    SettingsError
        There is no such migration, or `store` is another one.
    StoreLockedError
        The migration is running.
    StoreError
        The store fails, or a row did not take its old values back.
    """
    with reopen(folder or migrations_folder(), name) as migration:
        target = migration.manifest["target"]
        if target != store.name:
            raise SettingsError(f"migration {name} wrote to {target}, not to {store.name}; give that store with --to.")
        report = RollbackReport(name, target)
        for key in migration.undo_keys():
            report.series.append(_take_back(migration, key, store, progress))
        migration.manifest["status"] = "rolled back"
        migration.save()
        migration.write("rollback.json", dumps(report.to_dict(), indent=1))
    return report


def _take_back(
    migration: Migration, key: SeriesKey, store: Store, progress: Callable[[Progress], None] | None
) -> SeriesRollback:
    undo = migration.undo(key)
    if undo is None:
        return SeriesRollback(str(key), 0, 0, 0, 0, [], True)
    names = list(ALLOWED["bars"])
    stamps = timestamps_of(undo)
    # Of a batch that was written twice, around an interruption, the first time says what was there before.
    first = undo.unique("timestamp", keep="first", maintain_order=True).sort("timestamp")
    own = timestamps_of(first)
    now = _at(store.read(key, int(own[0]), int(own[-1]) + 1), own, names)
    there = now[THERE].to_numpy()
    place = np.searchsorted(own, stamps)
    ours = np.zeros(len(own), np.bool_)
    same = ~differences(now[place], undo, names).to_numpy() & there[place]
    ours[place[same]] = True
    before = first.select(pl.col(BEFORE + name).alias(name) for name in names if BEFORE + name in first.columns)
    was_there = first[THERE].to_numpy()
    already = np.where(was_there, there & ~differences(now, before, names).to_numpy(), ~there)
    mine = ours & ~already
    left = ~ours & ~already
    if progress is not None:
        progress(Progress(str(key), "write", 0, int(mine.sum())))
    if (mine & was_there).any():
        store.append(key, first.select("timestamp").with_columns(before).filter(pl.Series(mine & was_there)))
    if (mine & ~was_there).any():
        store.delete(key, int(own[0]), int(own[-1]) + 1, stamps=own[mine & ~was_there])
    rows = store.read(key)
    after = _at(rows, own, names)
    settled = np.where(was_there, ~differences(after, before, names).to_numpy(), ~after[THERE].to_numpy())
    if not settled[~left].all():
        raise StoreError(
            f"{key}: {int((~settled[~left]).sum()):,} rows did not take their old values back; is another process "
            "writing to this series? Run the rollback again."
        )
    if progress is not None:
        progress(Progress(str(key), "write", int(mine.sum()), int(mine.sum())))
    return SeriesRollback(
        str(key),
        removed=int((mine & ~was_there).sum()),
        restored=int((mine & was_there).sum()),
        before=int(already.sum()),
        left=int(left.sum()),
        left_examples=[as_datetime(int(stamp)).isoformat() for stamp in own[left][:_EXAMPLES]],
        as_before=migration.manifest["before"][str(key)]["fingerprint"] == fingerprint_rows("bars", rows),
    )


def _at(rows: pl.DataFrame, stamps: Any, names: list[str]) -> pl.DataFrame:
    """Values at each of the stamps, null where there is no row, and whether there is one."""
    held = timestamps_of(rows)
    if not len(held):
        columns = {name: pl.Series([None] * len(stamps), dtype=pl.Float64) for name in names}
        return pl.DataFrame({**columns, THERE: np.zeros(len(stamps), np.bool_)})
    place = np.minimum(np.searchsorted(held, stamps), len(held) - 1)
    met = pl.Series(THERE, held[place] == stamps)
    absent = pl.lit(None, pl.Float64)
    columns_ = [pl.when(met).then(pl.col(name) if name in rows.columns else absent).alias(name) for name in names]
    return rows[place].select(columns_).with_columns(met)
