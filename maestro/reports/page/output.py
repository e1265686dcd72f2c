"""How a report reaches the disk: whole or not at all."""

from __future__ import annotations

import os
from pathlib import Path

from maestro._core.atomic import write_atomic
from maestro.errors import RunError


def write_text(path: str | os.PathLike[str], text: str) -> Path:
    """Write `text` beside `path` and rename it there, so that a kill leaves the old file or the new one.

    Raises
    ------
    RunError
        The folder cannot be made or written to, or the disk is full.
    """
    target = Path(path)
    try:
        write_atomic(target, text.encode("utf-8", "replace"))
    except RunError as error:
        # The remedy given there is for a folder of runs, not for a path of the reader's choice.
        reason = getattr(error.__cause__, "strerror", None) or error
        raise RunError(f"cannot write {target}: {reason}; choose a path that can be written to.") from error
    return target
