"""Limits on the unpacked size of a data file, because a small malicious file can exhaust the memory."""

from __future__ import annotations

from pathlib import Path

from maestro.config import load_settings
from maestro.config.settings import FileSettings
from maestro.errors import BarsError

_COLUMNS = 20  # a file of bars has fewer; more count as rows


def file_limits() -> FileSettings:
    """Return the settings ``files`` in effect."""
    return load_settings().files


def check_size(size: int, path: Path) -> None:
    """Refuse a file that unpacks to more bytes than `files.unpacked` allows.

    Raises
    ------
    BarsError
    """
    most = file_limits().unpacked
    if size > most:
        raise BarsError(
            f"{path} unpacks to more than {most / 2**20:,.0f} MB, the limit of files.unpacked "
            "(MAESTRO_FILES_UNPACKED); raise it if you trust the file, split the file, or give it as Parquet."
        )


def check_rows(rows: int, columns: int, path: Path) -> None:
    """Refuse a table of more rows than `files.rows` allows, before it is read.

    Raises
    ------
    BarsError
    """
    most = file_limits().rows
    if rows * max(1.0, columns / _COLUMNS) > most:
        raise BarsError(
            f"{path} holds {rows:,} rows of {columns:,} columns, more than the {most:,} rows of files.rows "
            "(MAESTRO_FILES_ROWS); raise it if you trust the file, or split the file."
        )
