"""Scheduled backups and fetches, each run as a separate command, one at a time."""

from __future__ import annotations

import logging
import re
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass, field

from maestro.config import Settings
from maestro.errors import BackupError, SettingsError
from maestro.service.last_backup import last_backup

log = logging.getLogger("maestro.operations.schedule")

RETRY = 600.0
"""Longest wait [s] until a command that failed is tried again."""
_GRACE = 60.0  # s that a command gets to end when the schedule is stopped
_LOGGED = 2_000  # bytes of the end of the output that are logged
_LOOK = 0.2  # s between looks at a running command
_UNITS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400, "w": 604_800}


@dataclass(slots=True)
class Task:
    """A command of Maestro and how often it is due.

    Attributes
    ----------
    command : tuple of str
        Without ``maestro``.
    every : float [s]
    due : float [s]
        Seconds from the beginning of the schedule until it is due for the first time.
    """

    command: tuple[str, ...]
    every: float
    due: float = 0.0
    next: float = field(init=False, default=0.0)

    @property
    def name(self) -> str:
        """The command as it is typed."""
        return " ".join(("maestro", *self.command))


class Schedule:
    """Runs tasks when they are due, until it is asked to stop.

    A command that fails is logged with the end of its output, and is tried again after its interval, or after ten
    minutes if that is shorter.
    """

    def __init__(self, tasks: list[Task]) -> None:
        self._tasks = tasks
        self._stopping = threading.Event()

    def stop(self) -> None:
        """End; a running command is asked to end first. Safe in a signal handler."""
        self._stopping.set()

    def run(self) -> None:
        """Run what is due, and wait for what is next."""
        began = time.monotonic()
        for task in self._tasks:
            task.next = began + task.due
            log.info("scheduled", extra={"command": task.name, "every": task.every, "due_in": task.due})
        log.info("schedule started")
        while not self._stopping.is_set():
            task = min(self._tasks, key=lambda one: one.next)
            if self._stopping.wait(max(task.next - time.monotonic(), 0.0)):
                break
            done = self._run(task)
            task.next = time.monotonic() + (task.every if done else min(task.every, RETRY))
        log.info("schedule ended")

    def _run(self, task: Task) -> bool:
        """Run a command to its end; returns whether it succeeded."""
        log.info("started", extra={"command": task.name})
        began = time.monotonic()
        with tempfile.TemporaryFile() as output:
            process = subprocess.Popen(
                [sys.executable, "-m", "maestro", *task.command], stdin=subprocess.DEVNULL, stdout=output,
                stderr=subprocess.STDOUT,
            )  # fmt: skip
            while process.poll() is None:
                if self._stopping.wait(_LOOK):
                    _end(process)
            code = process.returncode
            output.seek(max(output.tell() - _LOGGED, 0))
            end = output.read().decode(errors="replace").strip()
        found = {"command": task.name, "exit_code": code, "seconds": round(time.monotonic() - began, 1), "output": end}
        if code == 0:
            log.info("done", extra=found)
        elif self._stopping.is_set():
            log.info("stopped", extra=found)
        else:
            log.error("failed", extra=found)
        return code == 0


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(_GRACE)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def scheduled(settings: Settings, backup: str | None, fetch: str | None, keep: int | None) -> list[Task]:
    """Return the tasks for intervals such as ``1d``; None leaves one out.

    Raises
    ------
    SettingsError
        No interval is given, one is not understood, or `keep` is given without backups.
    """
    if backup is None and fetch is None:
        raise SettingsError("nothing is scheduled; give an interval for backups or for fetches, such as 1d.")
    if keep is not None and backup is None:
        raise SettingsError(
            f"--keep {keep} is for backups, and none are scheduled; give their interval, or leave it out."
        )
    tasks = []
    if fetch is not None:
        tasks.append(Task(("data", "fetch", "--all", "--quiet"), _seconds(fetch)))
    if backup is not None:
        every = _seconds(backup)
        kept = () if keep is None else ("--keep", str(keep))
        tasks.append(Task(("backup", "create", *kept), every, _until_due(settings, every)))
    return tasks


def options(settings: Settings, backup: str | None, fetch: str | None, keep: int | None) -> list[str]:
    """Return the options of `maestro schedule` for these intervals; none if nothing is scheduled.

    Raises
    ------
    SettingsError
        As `scheduled`.
    """
    if (backup, fetch, keep) != (None, None, None):
        scheduled(settings, backup, fetch, keep)
    pairs = (("--backup", backup), ("--fetch", fetch), ("--keep", keep))
    return [word for name, value in pairs if value is not None for word in (name, str(value))]


def _until_due(settings: Settings, every: float) -> float:
    try:
        newest = last_backup(settings.service.folder)
    except BackupError:
        newest = None
    return 0.0 if newest is None else min(max(newest.timestamp() + every - time.time(), 0.0), every)


def _seconds(text: str) -> float:
    match = re.fullmatch(r"([1-9]\d*)([smhdw])", text.strip())
    if match is None:
        raise SettingsError(f"the interval {text!r} is not understood; give a number and a unit: 30m, 1h or 1d.")
    return float(match[1]) * _UNITS[match[2]]
