"""Removed runs: moved to ``.trash`` below the runs directory, from where they are restored, or deleted for good."""

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
from maestro.runs.store import RunStore, find
from maestro.runs.writing import named_errors

TRASH = ".trash"
_ENTRY = re.compile(r"(?P<id>[0-9a-f]{16})-(?P<when>\d{8}-\d{6})(-\d+)?")


def remove(id_or_path: str | Path, runs_dir: str | Path = "runs") -> Path:
    """Move a run that nobody works on to the trash of its runs directory; returns its new place.

    Only what is provably a run of this directory is moved: a folder directly below it, not a symbolic link, whose
    manifest has the folder's name as its id. With a damaged manifest the folder must have the name of a run and hold
    files of a run only.

    Raises
    ------
    RunError
        There is no such run, it is not provably a run, it is in use, or it cannot be moved.
    """
    store = find(id_or_path, runs_dir)
    base = Path(runs_dir)
    named = base / store.id
    if store.folder.resolve().parent != base.resolve() or named.is_symlink() or not named.is_dir():
        raise RunError(
            f"{id_or_path} is not a run directly below {base}, so nothing was removed; give the id of a run there, or "
            "the folder above it as the runs directory."
        )
    RunStore(named).prove("nothing was removed; remove it by hand")
    with named_errors(named, "remove"):
        with store.locked():
            place = _free_place(base, store.id)
            if os.name == "posix":
                os.rename(named, place)
        if os.name != "posix":  # Windows does not move a folder with an open file, as the lock's is while it is held
            os.rename(named, place)
        sync_folder(base)
    return place


def trashed(runs_dir: str | Path = "runs") -> pl.DataFrame:
    """Return what is in the trash of a runs directory, removed last first.

    Columns name, id, removed (UTC), strategy, bars. Strategy and bars are null if the manifest cannot be read.
    """
    rows = []
    for name, match in _entries(Path(runs_dir)).items():
        try:
            spec = RunStore(Path(runs_dir) / TRASH / name).spec()
            described = (spec.strategy, spec.bars.name)
        except RunError:
            described = (None, None)  # type: ignore[assignment]
        when = datetime.strptime(match["when"], "%Y%m%d-%H%M%S").replace(tzinfo=UTC)
        rows.append((name, match["id"], when, *described))
    schema: dict[str, Any] = {
        "name": pl.String, "id": pl.String, "removed": pl.Datetime("us", "UTC"), "strategy": pl.String,
        "bars": pl.String,
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
    base = Path(runs_dir)
    entries = _entries(base)
    hits = [entry for entry, match in entries.items() if name in (entry, match["id"])]
    if not hits:
        raise RunError(f"there is no {name!r} in {base / TRASH}; see: maestro runs trash list.{nearest(name, entries)}")
    chosen = hits[-1]
    target = base / entries[chosen]["id"]
    if target.exists() or target.is_symlink():
        raise RunError(f"{target} exists, so {chosen} stays in the trash; remove that run first.")
    with named_errors(target, "restore"):
        os.rename(base / TRASH / chosen, target)
        sync_folder(base)
    return target


def empty_trash(runs_dir: str | Path = "runs") -> list[str]:
    """Delete the removed runs of a runs directory for good; returns their names. Anything else there stays."""
    base = Path(runs_dir)
    names = list(_entries(base))
    for name in names:
        with named_errors(base / TRASH / name, "remove"):
            shutil.rmtree(base / TRASH / name)
    return names


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
