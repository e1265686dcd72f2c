"""Writing a report to disk: atomically, and never over a file that Maestro did not write."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from maestro._core.atomic import write_atomic
from maestro.errors import RunError

MARK = "maestro-research"
"""Names the generator in every page, notebook and workbook that Maestro writes."""
_HEAD = 65_536  # bytes of a page in which its mark stands


def write_page(path: str | os.PathLike[str], text: str) -> Path:
    """Write a page of HTML, in place of an earlier one of Maestro's only; otherwise as `write_text`.

    Raises
    ------
    RunError
        Also where the file that stands there is not a page that Maestro wrote.
    """
    refuse_foreign_page(path)
    return write_text(path, text)


def refuse_foreign_page(path: str | os.PathLike[str]) -> None:
    """Refuse to replace a file that is not a page of Maestro; errors as of `refuse_foreign`."""
    refuse_foreign(Path(path), lambda head: f'content="{MARK}'.encode() in head, "a page that Maestro wrote")


def refuse_foreign(path: Path, ours: Callable[[bytes], bool], what: str) -> None:
    """Refuse to replace a file that Maestro did not write.

    Parameters
    ----------
    ours : callable
        Takes the first 64 KB of the file; whether Maestro wrote it.
    what : str
        What would be replaced, for the message.

    Raises
    ------
    RunError
        A file of somebody else, a folder, or one that cannot be read.
    """
    try:
        with open(path, "rb") as file:
            head = file.read(_HEAD)
    except FileNotFoundError:
        return
    except OSError as error:
        raise RunError(
            f"cannot write {path}: {error.strerror or error}; choose a path that can be written to."
        ) from error
    if head and not ours(head):
        raise RunError(f"{path} exists and is not {what}; choose another path, or remove it first.")


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
