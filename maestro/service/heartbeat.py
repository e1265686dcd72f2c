"""Worker heartbeats: each worker touches its own file every few seconds and removes it when it exits."""

from __future__ import annotations

import contextlib
import time
from pathlib import Path

from maestro._core.processes import host_id

FOLDER = "workers"
EVERY = 2.0
"""Seconds between two beats."""
ALIVE = 30.0
"""Seconds after the last beat until a worker counts as lost."""
FORGOTTEN = 86_400.0
"""Seconds after which a lost worker is no longer reported."""


class Heartbeat:
    """The heartbeat of one worker.

    Parameters
    ----------
    folder : Path
        Of the service.
    name : str
        A name that no other worker has.
    """

    def __init__(self, folder: Path, name: str) -> None:
        self._path = folder / FOLDER / name

    def begin(self) -> None:
        """Send the first heartbeat, replacing a lost worker if there is one.

        Raises
        ------
        OSError
            The file cannot be made.
        """
        self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        lost = sorted((age, path) for path, age in _ages(self._path.parent) if age > ALIVE)
        replaced = [path for _, path in lost[-1:]]
        for path in [*replaced, *(path for age, path in lost if age > FORGOTTEN)]:
            path.unlink(missing_ok=True)
        self.beat()

    def beat(self) -> None:
        """Send a heartbeat."""
        self._path.touch(mode=0o600)

    def end(self) -> None:
        """Record that this worker has exited normally."""
        self._path.unlink(missing_ok=True)


def count_workers(folder: Path) -> tuple[int, int]:
    """Return how many workers of a service are alive, and how many were lost within the last day."""
    ages = [age for _, age in _ages(folder / FOLDER)]
    return sum(age <= ALIVE for age in ages), sum(ALIVE < age <= FORGOTTEN for age in ages)


def is_alive_here(folder: Path) -> bool:
    """Whether a worker on this machine, or in this container, is alive."""
    return any(path.name.startswith(f"{host_id()}-") and age <= ALIVE for path, age in _ages(folder / FOLDER))


def _ages(folder: Path) -> list[tuple[Path, float]]:
    """Files with the seconds since their last beat; after a change of the clock these can be wrong for one beat."""
    now, found = time.time(), []
    for path in folder.iterdir() if folder.is_dir() else ():
        with contextlib.suppress(FileNotFoundError):  # it ends in this moment
            found.append((path, now - path.stat().st_mtime))
    return found
