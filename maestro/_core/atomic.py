"""Atomic writes: a reader, or a process killed at any moment, finds the old file or the new one, never a part.

A file is written under a temporary name in its folder, forced to disk and renamed. The temporary name carries the
machine and the process that writes it, so that what a killed process left behind is recognised and removed: by the next
write in the same folder, or by `remove_leftovers`.
"""

from __future__ import annotations

import contextlib
import os
import re
import secrets
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

from maestro._core.processes import host_id, is_running

_TEMPORARY = re.compile(
    r"\.(?P<name>.+?)\.(?:(?P<host>[0-9a-f]{8})-)?(?P<pid>\d+)(?P<token>-[0-9a-f]{8})?\.part", re.DOTALL
)
"""Earlier versions wrote neither host nor token; such a name may be another program's, and is never removed."""
_NAME = 48  # characters of the name that the temporary name keeps: a file name has 255 bytes
_FOREIGN = 86_400.0  # s after which a leftover of another machine, whose processes cannot be seen, is removed
_RETRIES = 50  # times 20 ms that Windows may refuse to replace a file which a reader has open


def write_atomic(path: Path, content: bytes, *, sync: bool = True) -> None:
    """Write a whole file; folders that are missing are made.

    Parameters
    ----------
    sync : bool
        Make the new name durable too. A caller that writes several files may leave it out and call `sync_folder` once.

    Raises
    ------
    OSError
        The file cannot be written, or the disk is full. The old file, if there is one, is unchanged and nothing is left
        behind.
    """
    with replacing(path, sync=sync) as temporary:
        temporary.write_bytes(content)


@contextlib.contextmanager
def replacing(path: Path, *, sync: bool = True) -> Iterator[Path]:
    """Yield a temporary path to write to; it becomes `path` at the end of the block, or is removed on an error.

    Raises
    ------
    OSError
        As `write_atomic`.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    remove_leftovers(path.parent)
    temporary = temporary_path(path)
    try:
        yield temporary
        with open(temporary, "rb+") as file:
            os.fsync(file.fileno())
        _replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)
    if sync:
        sync_folder(path.parent)


def temporary_path(path: Path) -> Path:
    """Return a new name in the folder of `path`, attributable to this process."""
    return path.with_name(f".{path.name[:_NAME]}.{host_id()}-{os.getpid()}-{secrets.token_hex(4)}.part")


def target_name(name: str) -> str | None:
    """Return the first 48 characters of the name that a temporary name stands for; None for any other name."""
    match = _TEMPORARY.fullmatch(name)
    return match["name"] if match else None


def remove_leftovers(folder: Path) -> None:
    """Remove temporary files and folders in a folder whose process has ended; those of running processes stay."""
    with contextlib.suppress(FileNotFoundError), os.scandir(folder) as found:  # the folder may be removed meanwhile
        for entry in found:
            if entry.name.startswith(".") and entry.name.endswith(".part") and _abandoned(entry):
                if entry.is_dir(follow_symlinks=False):
                    shutil.rmtree(entry.path, ignore_errors=True)
                else:
                    Path(entry.path).unlink(missing_ok=True)


def sync_folder(folder: Path) -> None:
    """Make renames in a folder durable. Windows cannot open a folder and does without."""
    if os.name == "posix":
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def _abandoned(entry: os.DirEntry[str]) -> bool:
    match = _TEMPORARY.fullmatch(entry.name)
    if match is None or match["host"] is None or match["token"] is None:
        return False
    if match["host"] != host_id():
        return time.time() - entry.stat(follow_symlinks=False).st_mtime > _FOREIGN
    return not is_running(int(match["pid"]))


def _replace(temporary: Path, path: Path) -> None:
    if os.name != "nt":
        os.replace(temporary, path)
        return
    for attempt in range(_RETRIES):
        try:
            os.replace(temporary, path)
            return
        except PermissionError:  # a reader has the file open; it is forbidden for good if that does not end
            if attempt + 1 == _RETRIES:
                raise
            time.sleep(0.02)
