"""The name of this machine, and whether a process on it is still running."""

from __future__ import annotations

import functools
import hashlib
import os
import socket
import sys


@functools.cache
def host_id() -> str:
    """Return eight hex digits that stand for this machine in file names."""
    return hashlib.sha256(socket.gethostname().encode()).hexdigest()[:8]


if sys.platform == "win32":

    def is_running(pid: int) -> bool:
        """Whether a process of this machine is running; one that belongs to another user counts as running."""
        import ctypes

        kernel = ctypes.WinDLL("kernel32", use_last_error=True)
        kernel.OpenProcess.restype = ctypes.c_void_p
        handle = kernel.OpenProcess(0x00100000, False, pid)  # SYNCHRONIZE
        if not handle:
            return ctypes.get_last_error() == 5  # access denied: it is there, and not ours
        try:
            return bool(kernel.WaitForSingleObject(ctypes.c_void_p(handle), 0) == 0x102)  # WAIT_TIMEOUT: not ended
        finally:
            kernel.CloseHandle(ctypes.c_void_p(handle))
else:

    def is_running(pid: int) -> bool:
        """Whether a process of this machine is running; one that belongs to another user counts as running."""
        if pid <= 0:
            return False
        try:
            os.kill(pid, 0)
        except PermissionError:
            return True
        except (ProcessLookupError, OverflowError):
            return False
        return True
