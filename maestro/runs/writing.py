"""Files of a run: written atomically, with errors that name the file and say what to do."""

from __future__ import annotations

import contextlib
import errno
from collections.abc import Iterator
from pathlib import Path

from maestro._core.atomic import write_atomic
from maestro.errors import RunError

_NO_SPACE = (errno.EFBIG, errno.ENOSPC, errno.EDQUOT)
_REMEDIES = {
    PermissionError: "give write access or another runs_dir",
    FileNotFoundError: "give a runs_dir in which folders can be made",
    NotADirectoryError: "give a runs_dir that is a folder",
    FileExistsError: "give a runs_dir that is a folder",
}


def write_file(path: Path, content: bytes, *, sync: bool = True) -> None:
    """Write a file of a run atomically; `sync` as in `write_atomic`.

    Raises
    ------
    RunError
        The file cannot be written, or the disk is full; nothing is left behind.
    """
    with named_errors(path, "write"):
        write_atomic(path, content, sync=sync)


@contextlib.contextmanager
def named_errors(path: Path, doing: str) -> Iterator[None]:
    """Turn an `OSError` into a `RunError` that names the file."""
    try:
        yield
    except OSError as error:
        remedy = _REMEDIES.get(type(error), "see the cause")
        if error.errno in _NO_SPACE:
            remedy = "free some space and run again: finished folds are kept"
        raise RunError(f"cannot {doing} {path}: {error.strerror or error}; {remedy}.") from error
