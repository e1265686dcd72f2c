"""Trash for rows that are removed from a store: a Parquet file, from which an import restores them."""

from __future__ import annotations

import re
import shlex
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from maestro._core.atomic import remove_leftovers
from maestro.config import load_settings
from maestro.data.files.exporting import write_file
from maestro.errors import StoreError

if TYPE_CHECKING:
    from maestro.data.stores import SeriesKey

TRASH = "trash"
"""Folder below `state_dir`."""


def to_trash(key: SeriesKey, frame: pl.DataFrame) -> Path:
    """Copy rows to a new Parquet file in the trash; returns its path.

    Raises
    ------
    StoreError
        The trash cannot be written, so nothing may be removed.
    """
    folder = load_settings().state_dir / TRASH
    try:
        folder.mkdir(parents=True, exist_ok=True)
        remove_leftovers(folder)
    except OSError as error:
        raise StoreError(
            f"cannot make {folder}: {error.strerror or error}; nothing was removed. Set state_dir to another folder, "
            "or remove the rows with --for-good."
        ) from error
    stem = f"{re.sub(r'[^A-Za-z0-9_.-]+', '-', str(key))}-{datetime.now(UTC):%Y%m%d-%H%M%S-%f}"
    path = folder / f"{stem}.parquet"
    write_file(frame, path)
    return path


def restoring_command(key: SeriesKey, path: Path, store: str | None = None) -> str:
    """Return the shell command that imports rows of the trash again."""
    words = ["maestro", "data", "import", str(path.absolute()), "--provider", key.provider, "--symbol", key.symbol]
    words += ["--timeframe", key.timeframe] if key.timeframe else []
    words += ["--series", key.series] if key.series != "bars" else []
    words += ["--store", str(store)] if store is not None else []
    return shlex.join(words)
