"""A lock between writers, of any thread or process, that dies with its holder."""

from __future__ import annotations

import contextlib
import os
import socket
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from maestro.errors import StoreLockedError

_PAUSES = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05)  # s between two tries; the last one goes on

if sys.platform == "win32":  # pragma: no cover
    import msvcrt

    def _try(handle: int) -> bool:
        try:
            os.lseek(handle, 1 << 30, os.SEEK_SET)  # far behind the holder's line, which stays readable
            msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True
else:
    import fcntl

    def _try(handle: int) -> bool:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True


@contextlib.contextmanager
def locked(path: Path, wait: float, what: str) -> Iterator[None]:
    """Hold the lock of a file that stays there; the system frees it when the holder ends, however it ends.

    Parameters
    ----------
    wait : float [s]
        How long to wait for another writer.
    what : str
        What is locked, for the message.

    Raises
    ------
    StoreLockedError
        Another writer held it all the time; the message names it.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
    try:
        give_up = time.monotonic() + wait
        tries = 0
        while not _try(handle):
            if time.monotonic() >= give_up:
                raise StoreLockedError(
                    f"{what} is being written by {_holder(path)}; waited {wait:g} s. "
                    "Try again when that has ended, or end it: the lock goes with its process."
                )
            time.sleep(_PAUSES[min(tries, len(_PAUSES) - 1)])
            tries += 1
        os.ftruncate(handle, 0)
        os.pwrite(handle, f"process {os.getpid()} on {socket.gethostname()} since {_now()}".encode(), 0)
        yield
    finally:
        os.close(handle)


def _holder(path: Path) -> str:
    try:
        return path.read_text() or "another process"
    except OSError:
        return "another process"


def _now() -> str:
    return f"{datetime.now(UTC):%Y-%m-%d %H:%M:%S} UTC"
