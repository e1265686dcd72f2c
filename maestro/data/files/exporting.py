"""Write the rows of a series to a CSV or Parquet file that gives the same numbers when it is read again."""

from __future__ import annotations

import gzip
import io
from collections.abc import Mapping
from pathlib import Path

import polars as pl

from maestro._core.atomic import replacing
from maestro.errors import SettingsError

FORMS = (".csv", ".csv.gz", ".parquet")


def write_file(
    frame: pl.DataFrame, path: Path, *, force: bool = False, metadata: Mapping[str, str] | None = None
) -> None:
    """Write rows; the format is chosen by the file extension: ``.csv``, ``.csv.gz`` or ``.parquet``.

    Stamps in a CSV are ISO with a Z; numbers have as many digits as make them the same again. The file appears
    whole or not at all. `metadata` goes into a Parquet file's own.

    Raises
    ------
    SettingsError
        Another ending, a folder that is not there, a file that is there already, unless `force`, or a disk that is
        full.
    """
    form = next((form for form in sorted(FORMS, key=len, reverse=True) if path.name.lower().endswith(form)), None)
    if form is None:
        raise SettingsError(f"{path.name} does not tell its form; end it with {', '.join(FORMS)}.")
    if not path.parent.is_dir():
        raise SettingsError(f"there is no folder {path.parent}; make it first.")
    if path.exists() and not force:
        raise SettingsError(f"{path} is there already; choose another name, or overwrite it with --force.")
    try:
        with replacing(path) as temporary:
            if form == ".parquet":
                frame.write_parquet(temporary, compression="zstd", statistics=True, metadata=dict(metadata or {}))
            else:
                content = _csv(frame)
                temporary.write_bytes(gzip.compress(content, mtime=0) if form == ".csv.gz" else content)
    except (OSError, pl.exceptions.PolarsError) as error:
        reason = getattr(error, "strerror", None) or str(error).splitlines()[0]
        raise SettingsError(f"cannot write {path}: {reason}; nothing was written. Choose another place.") from error


def _csv(frame: pl.DataFrame) -> bytes:
    parts = (frame["timestamp"].to_physical() % 1_000_000 != 0).any()
    text = io.BytesIO()
    frame.write_csv(text, datetime_format="%Y-%m-%dT%H:%M:%S%.6fZ" if parts else "%Y-%m-%dT%H:%M:%SZ")
    return text.getvalue()
