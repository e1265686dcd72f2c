"""Locks between threads and processes, held on a file; the lock of a killed process is free.

Built on `filelock`, which uses ``flock`` on Linux and macOS and ``LockFileEx`` on Windows. The lock file stays:
removing it could give two processes a lock on two files of one name. A system with neither gets the soft lock of
`filelock`: a marker file beside the lock file exists while the lock is held, and a marker whose process has ended is
taken over. `filelock` warns once about it.
"""

from __future__ import annotations

import contextlib
import os
import socket
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

_POLL = 0.002  # s between two attempts


@contextlib.contextmanager
def locked(path: Path, refuse: Callable[[str], Exception], *, wait: float = 0.0) -> Iterator[None]:
    """Hold the lock of a file, which is made if it is missing.

    Parameters
    ----------
    path : Path
        The lock file; its folder must exist.
    refuse : callable
        Takes a description of the holder, such as ``process 12 on host since 2024-05-06 07:08:09 UTC``, and returns the
        exception to raise.
    wait : float [s]
        How long to wait for another holder; 0 makes one attempt.

    Raises
    ------
    OSError
        The lock file cannot be made.
    """
    import filelock

    handles: list[int] = []

    def sign(handle: int) -> None:
        _sign(handle)
        handles.append(handle)

    lock = _lock(path, sign)
    try:
        lock.acquire(timeout=wait, blocking=wait > 0)
    except filelock.Timeout:
        raise refuse(holder(path)) from None
    try:
        if isinstance(lock, filelock.SoftFileLock):
            with open(path, "ab", buffering=0) as file:
                _sign(file.fileno())
        yield
    finally:
        for handle in handles:  # a free lock names no holder
            with contextlib.suppress(OSError):
                os.ftruncate(handle, 0)
        lock.release()


def _lock(path: Path, on_acquired: Callable[[int], None] | None = None) -> Any:
    import filelock

    if os.name == "nt" or filelock.has_fcntl:
        return filelock.FileLock(path, poll_interval=_POLL, preserve_lock_file=True, on_acquired=on_acquired)
    # The marker has its own name: the lock file may be left over from a native lock.
    return filelock.SoftFileLock(path.with_name(f"{path.name}.held"), poll_interval=_POLL)


def is_held(path: Path) -> bool:
    """Whether a living process holds the lock of a file.

    A lock that names no holder is free and is not touched, so that looking refuses nobody. One that names a holder is
    tried, because a killed process leaves its name behind.
    """
    import filelock

    try:
        if path.stat().st_size == 0:
            return False
    except OSError:
        return False
    try:
        with _lock(path).acquire(blocking=False):
            return False
    except filelock.Timeout:
        return True
    except OSError:  # a folder that cannot be written to: nobody here can hold its lock
        return False


def holder(path: Path) -> str:
    """Return a description of the process that holds the lock of a file, or held it last."""
    try:
        with open(path, "rb", buffering=0) as file:
            file.seek(1)
            return file.read().decode(errors="replace").strip() or "another process"
    except OSError:
        return "another process"


def _sign(handle: int) -> None:
    """Write a description of this process after the first byte, which cannot be read on Windows while it is locked."""
    text = f"process {os.getpid()} on {socket.gethostname()} since {datetime.now(UTC):%Y-%m-%d %H:%M:%S} UTC"
    os.ftruncate(handle, 0)
    os.lseek(handle, 0, os.SEEK_SET)
    os.write(handle, f"\n{text}\n".encode())
