"""How a report is written to disk: atomically, with an error that names the path."""

from __future__ import annotations

import os
from pathlib import Path

from maestro._core.atomic import write_atomic
from maestro.errors import RunError


def write_text(path: str | os.PathLike[str], text: str) -> Path:
    """Write `text` to `path` atomically: a kill leaves the old file or the new one.

    Raises
    ------
    RunError
        The folder cannot be made or written to, or the disk is full.
    """
    return write_bytes(path, text.encode("utf-8", "replace"))


def write_bytes(path: str | os.PathLike[str], content: bytes) -> Path:
    """Write `content` to `path`; otherwise as `write_text`."""
    target = Path(path)
    try:
        write_atomic(target, content)
    except OSError as error:
        reason = error.strerror or error
        raise RunError(f"cannot write {target}: {reason}; choose a path that can be written to.") from error
    return target
