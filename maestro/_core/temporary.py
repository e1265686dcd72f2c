"""Temporary folders that name their process, so that what a killed process left behind is removed by the next one."""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from maestro._core.processes import host_id, is_running

_NAME = re.compile(r"maestro-[a-z]+-(?P<host>[0-9a-f]{8})-(?P<pid>\d+)-.+")


def new_folder(purpose: str) -> Path:
    """Make a folder for temporary files, after removing those whose process has ended; the caller removes it.

    Parameters
    ----------
    purpose : str
        Lower-case letters; part of the name.

    Raises
    ------
    OSError
        The folder cannot be made.
    """
    remove_abandoned()
    return Path(tempfile.mkdtemp(prefix=f"maestro-{purpose}-{host_id()}-{os.getpid()}-"))


@contextmanager
def temporary_folder(purpose: str) -> Iterator[Path]:
    """Yield a folder as `new_folder` makes it; it is removed at the end of the block."""
    folder = new_folder(purpose)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def remove_abandoned() -> None:
    """Remove temporary folders of this user whose process, of this machine, has ended."""
    with os.scandir(tempfile.gettempdir()) as found:
        for entry in found:
            match = _NAME.fullmatch(entry.name)
            if match is None or match["host"] != host_id() or is_running(int(match["pid"])):
                continue
            if entry.is_dir(follow_symlinks=False) and _is_abandoned(entry):
                shutil.rmtree(entry.path, ignore_errors=True)


def _is_abandoned(entry: os.DirEntry[str]) -> bool:
    try:
        return os.name != "posix" or entry.stat(follow_symlinks=False).st_uid == os.getuid()
    except FileNotFoundError:  # another process removed it meanwhile
        return False
