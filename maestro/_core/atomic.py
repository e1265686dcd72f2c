"""Files that are whole or not there: written beside, forced to disk, renamed."""

from __future__ import annotations

import contextlib
import errno
import io
import os
from collections.abc import Iterator
from pathlib import Path

import polars as pl

from maestro.errors import RunError


@contextlib.contextmanager
def named_errors(path: Path, doing: str) -> Iterator[None]:
    """Turn what the operating system refuses into a `RunError` that names the file."""
    try:
        yield
    except OSError as error:
        remedy = {
            "PermissionError": "give write access or another runs_dir",
            "FileNotFoundError": "give a runs_dir in which folders can be made",
            "NotADirectoryError": "give a runs_dir that is a folder",
            "FileExistsError": "give a runs_dir that is a folder",
        }.get(
            type(error).__name__,
            "free some space and run again: finished folds are kept"
            if error.errno in (errno.EFBIG, errno.ENOSPC, errno.EDQUOT)
            else "see the cause",
        )
        raise RunError(f"cannot {doing} {path}: {error.strerror or error}; {remedy}.") from error


def write_atomic(path: Path, content: bytes) -> None:
    """Write a file whole: a reader, or a kill at any moment, finds the old one or the new one.

    Raises
    ------
    RunError
        Not writable, or the disk is full; nothing is left behind.
    """
    beside = path.with_name(f".{path.name}.{os.getpid()}.part")
    with named_errors(path, "write"):
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            with open(beside, "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            os.replace(beside, path)
        finally:
            beside.unlink(missing_ok=True)
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def parquet_bytes(frame: pl.DataFrame) -> bytes:
    """Return a frame as the bytes of a Parquet file."""
    buffer = io.BytesIO()
    frame.write_parquet(buffer, compression="zstd")
    return buffer.getvalue()
