"""Removed runs and backtests: moved to ``.trash`` beside them, from where they are restored, or deleted for good."""

from __future__ import annotations

import os
import re
import shutil
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl

from maestro._core.atomic import sync_folder
from maestro.errors import RunError, nearest
from maestro.runs.backtests import FOLDER as BACKTESTS
from maestro.runs.backtests import BacktestStore, find_stored
from maestro.runs.store import RunStore
from maestro.runs.writing import named_errors

TRASH = ".trash"
_ENTRY = re.compile(r"(?P<id>[0-9a-f]{16})-(?P<when>\d{8}-\d{6})(-\d+)?")


def remove(id_or_path: str | Path, runs_dir: str | Path = "runs") -> Path:
    """Move a run that nobody works on, or a backtest, to the trash of its directory; returns its new place.

    Only what is provably a run or backtest of this directory is moved: a folder directly below it (a backtest: below
    its ``backtests``), not a symbolic link, whose manifest has the folder's name as its id. With a damaged manifest
    the folder must have the name of a run and hold files of a run only.

    Raises
    ------
    RunError
        There is no such run, it is not provably a run, it is in use, or it cannot be moved.
    """
    base, store = Path(runs_dir), find_stored(id_or_path, runs_dir)
    if isinstance(store, BacktestStore):
        return _remove_backtest(store)
    named = base / store.id
    if store.folder.resolve().parent != base.resolve() or named.is_symlink() or not named.is_dir():
        raise RunError(
            f"{id_or_path} is not a run directly below {base}, so nothing was removed; give the id of a run there, or "
            "the folder above it as the runs directory."
        )
    RunStore(named).check_is_run("nothing was removed; remove it by hand")
    with named_errors(named, "remove"):
        with store.locked():
            place = _free_place(base, store.id)
            if os.name == "posix":
                os.rename(named, place)
        if os.name != "posix":  # Windows does not move a folder with an open file, as the lock's is while it is held
            os.rename(named, place)
        sync_folder(base)
    return place


def _remove_backtest(store: BacktestStore) -> Path:
    if store.folder.is_symlink() or store.folder.parent.is_symlink():
        raise RunError(f"{store.folder} is or lies behind a symbolic link, so nothing was removed.")
    store.check_is_backtest()
    with named_errors(store.folder, "remove"):
        place = _free_place(store.folder.parent, store.id)
        os.rename(store.folder, place)
        sync_folder(store.folder.parent)
    return place


def trashed(runs_dir: str | Path = "runs") -> pl.DataFrame:
    """Return the runs and backtests in the trash of a runs directory, removed last first.

    Columns name, id, removed (UTC), strategy, bars, kind (``walk-forward`` or ``backtest``). Strategy and bars are null
    if the manifest cannot be read.
    """
    rows = []
    for place in _places(Path(runs_dir)):
        kind, describe = ("walk-forward", _run) if place == Path(runs_dir) else ("backtest", _backtest)
        for name, match in _entries(place).items():
            try:
                described = describe(place / TRASH / name, match["id"])
            except RunError:
                described = (None, None)
            when = datetime.strptime(match["when"], "%Y%m%d-%H%M%S").replace(tzinfo=UTC)
            rows.append((name, match["id"], when, *described, kind))
    schema: dict[str, Any] = {
        "name": pl.String, "id": pl.String, "removed": pl.Datetime("us", "UTC"), "strategy": pl.String,
        "bars": pl.String, "kind": pl.String,
    }  # fmt: skip
    return pl.DataFrame(rows, schema=schema, orient="row").sort("removed", "name", descending=True)


def restore(name: str, runs_dir: str | Path = "runs") -> Path:
    """Move a run from the trash back; returns its folder.

    Parameters
    ----------
    name : str
        A name in `trashed`, or an id: its latest removal.

    Raises
    ------
    RunError
        It is not in the trash, or there is a run of the same id.
    """
    source, run = find_trashed(name, runs_dir)
    base = source.parent.parent
    target = base / run
    if target.exists() or target.is_symlink():
        raise RunError(f"{target} exists, so {source.name} stays in the trash; remove that run first.")
    with named_errors(target, "restore"):
        os.rename(source, target)
        sync_folder(base)
    return target


def find_trashed(name: str, runs_dir: str | Path = "runs") -> tuple[Path, str]:
    """Return the folder of a run in the trash and the run's id, from a name in `trashed` or an id: its latest removal.

    Raises
    ------
    RunError
        It is not in the trash.
    """
    entries = {entry: (place, match) for place in _places(Path(runs_dir)) for entry, match in _entries(place).items()}
    hits = [(match["when"], entry) for entry, (_, match) in entries.items() if name in (entry, match["id"])]
    if not hits:
        raise RunError(
            f"there is no {name!r} in {Path(runs_dir) / TRASH}; see: maestro runs trash list.{nearest(name, entries)}"
        )
    chosen = max(hits)[1]
    base, match = entries[chosen]
    return base / TRASH / chosen, match["id"]


def empty_trash(runs_dir: str | Path = "runs") -> list[str]:
    """Delete the removed runs and backtests for good; returns their names. Anything else there stays."""
    names = []
    for place in _places(Path(runs_dir)):
        for name in _entries(place):
            with named_errors(place / TRASH / name, "remove"):
                shutil.rmtree(place / TRASH / name)
            names.append(name)
    return names


def _places(runs_dir: Path) -> tuple[Path, Path]:
    """Directories that have a trash."""
    return runs_dir, runs_dir / BACKTESTS


def _run(folder: Path, _: str) -> tuple[str | None, str | None]:
    spec = RunStore(folder).spec()
    return spec.strategy, spec.bars.name


def _backtest(folder: Path, id: str) -> tuple[str | None, str | None]:
    spec = BacktestStore.at(folder, id).spec()
    return spec.strategy, spec.bars.name


def _entries(base: Path) -> dict[str, re.Match[str]]:
    """Removed runs in order of their removal: folders with the name that `remove` gives, never symbolic links."""
    trash = base / TRASH
    if trash.is_symlink() or not trash.is_dir():
        return {}
    found = {path.name: match for path in trash.iterdir()
             if (match := _ENTRY.fullmatch(path.name)) and path.is_dir() and not path.is_symlink()}  # fmt: skip
    return dict(sorted(found.items(), key=lambda item: (item[1]["when"], item[0])))


def _free_place(base: Path, run: str) -> Path:
    trash = base / TRASH
    if trash.is_symlink():
        raise RunError(f"{trash} is a symbolic link, so nothing was removed; make it a folder.")
    trash.mkdir(exist_ok=True)
    name = f"{run}-{datetime.now(UTC):%Y%m%d-%H%M%S}"
    place, number = trash / name, 1
    while place.exists() or place.is_symlink():
        number += 1
        place = trash / f"{name}-{number}"
    return place
