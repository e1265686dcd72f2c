"""A watchdog process of normal priority that kills a worker that does not stop in time and releases its job.

A worker takes only processor time that nothing else wants. On a busy machine that is next to none, so it cannot be
relied on to stop: its thread may hold the interpreter's lock and wait for the processor. The handler of signals in C
needs no lock; it writes a byte to the socket that this process reads.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

GRACE = 1.5
"""Seconds that a worker has to stop by itself, unless another number is given."""


@contextlib.contextmanager
def overdue_guard(folder: Path, worker: str, *, grace: float = GRACE) -> Iterator[None]:
    """Have this process killed, and its job given back, if it runs on after a signal that it handles.

    Parameters
    ----------
    folder : Path
        Of the service.
    worker : str
        The name under which it holds its lease.
    grace : float, default 1.5
        Seconds that it has to stop by itself.
    """
    if os.name != "posix":
        yield
        return
    ours, theirs = socket.socketpair()
    ours.setblocking(False)
    line = [sys.executable, "-m", __name__, str(folder.resolve()), worker, str(os.getpid()), str(grace)]
    guard = subprocess.Popen(line, stdin=theirs.fileno(), stdout=subprocess.DEVNULL)
    theirs.close()
    before = signal.set_wakeup_fd(ours.fileno(), warn_on_full_buffer=False)
    try:
        yield
    finally:
        signal.set_wakeup_fd(before)
        try:
            ours.recv(1)
        except BlockingIOError:  # no signal came
            ours.close()
            guard.wait()
        else:
            ours.detach()  # closed by the end of this process, for which the guard waits: it may be slow, too


def _guard(folder: Path, worker: str, pid: int, grace: float) -> None:
    from maestro.service.heartbeat import Heartbeat  # now: later there may be no time for it
    from maestro.service.jobs import Database, Leases

    if not os.read(0, 1):
        return
    os.write(0, b"!")
    _raise_priority(pid)
    while select.select([0], [], [], grace)[0]:
        if not os.read(0, 64):  # it has stopped
            return
    if os.getppid() != pid:
        return
    try:  # first: in a container this process ends with the worker, which can no longer write to a job given back
        Leases(Database(folder), worker).release_all("the worker was stopped")
        Heartbeat(folder, worker).end()
    finally:
        for process in (*_children(pid), pid):
            with contextlib.suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)


def _raise_priority(pid: int) -> None:
    """Give the threads of a worker and of its children normal priority, so that they stop soon, where that is allowed.

    Linux allows it to root, and to users whose limit of the nice value is 0 or less.
    """
    for process in (pid, *_children(pid)):
        for task in Path(f"/proc/{process}/task").glob("*"):
            with contextlib.suppress(PermissionError, ProcessLookupError):
                os.sched_setscheduler(int(task.name), os.SCHED_OTHER, os.sched_param(0))


def _children(pid: int) -> list[int]:
    """Processes that a worker started; on a system without /proc they end by themselves with it."""
    found: list[int] = []
    for path in Path(f"/proc/{pid}/task").glob("*/children"):
        with contextlib.suppress(OSError):
            found += [int(child) for child in path.read_text().split()]
    return [child for child in found if child != os.getpid()]


if __name__ == "__main__":
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    _guard(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]), float(sys.argv[4]))
