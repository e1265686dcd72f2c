"""How a report reaches the disk: whole or not at all."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

from maestro.errors import RunError


def write_text(path: str | os.PathLike[str], text: str) -> Path:
    """Write `text` beside `path` and rename it there, so that a kill leaves the old file or the new one.

    Raises
    ------
    RunError
        The folder is missing or cannot be written to, or the disk is full.
    """
    target = Path(path)
    work = target.with_name(f".{target.name}.{os.getpid()}.tmp")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with work.open("w", encoding="utf-8", newline="\n") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        work.replace(target)
    except OSError as error:
        raise RunError(
            f"cannot write {target}: {error.strerror or error}; choose a path that can be written to."
        ) from error
    finally:
        with suppress(OSError):  # what went wrong has been said; there may be nothing to clear away
            work.unlink()
    return target
