"""Commands on a full disk: an error in words, nothing half written, and the same command goes on once there is room."""

from __future__ import annotations

import os
import random
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.reliability import commands
from benchmarks.reliability.forks import forks
from benchmarks.reliability.kills import Case, environment, outcome, prepared, wrong

_LEFT_OUT = ("kill-notebook", "kill-batch", "kill-fetch")
_SIZE, _FILES = 96 * 2**20, 3_000


def full_disk(tries: int, folder: Path) -> Iterator[str]:
    """Run every command that writes on a disk that fills up: a clear error, and the command resumes later."""
    yield from _everywhere(tries, folder, "bytes")


def full_inodes(tries: int, folder: Path) -> Iterator[str]:
    """Run every command that writes on a disk without free inodes: as on a full disk."""
    yield from _everywhere(tries, folder, "inodes")


def _everywhere(tries: int, folder: Path, what: str) -> Iterator[str]:
    areas = {name: area for name, area in commands.AREAS.items() if name not in _LEFT_OUT}
    with _mounted(folder / "disk") as disk:
        for number, (name, area) in enumerate(areas.items()):
            share = tries // len(areas) + (number < tries % len(areas))
            if not share:
                continue
            (folder / name).mkdir()

            def starved(tries: int, place: Path, case: Case, name: str = name) -> Iterator[str]:
                yield from _starved(tries, disk, case, what)

            for output in area(share, folder / name, starved):  # type: ignore[call-arg]
                yield f"{name.removeprefix('kill-')}: {output}" if output else ""


@contextmanager
def _mounted(place: Path) -> Iterator[Path]:
    """A file system of its own, small enough to be filled.

    Raises
    ------
    PermissionError
        Only root may mount one.
    """
    if os.geteuid():
        raise PermissionError("only root may mount the file system that is filled")
    place.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={_SIZE},nr_inodes={_FILES}", "tmpfs", place], check=True)
    try:
        yield place
    finally:
        subprocess.run(["umount", "-l", place], check=True)


def _free(disk: Path, what: str) -> int:
    found = os.statvfs(disk)
    return found.f_bavail * found.f_frsize if what == "bytes" else found.f_favail


def _starved(tries: int, disk: Path, case: Case, what: str) -> Iterator[str]:
    rng = random.Random(8)
    need, expected, before = 0, None, None
    for _ in range(2):
        place = disk / "whole"
        words = prepared(place, case)
        before, free = outcome(case, place), _free(disk, what)
        variables = environment(place)
        if (done := forks().run(words, place, variables)).code:
            raise RuntimeError(f"maestro {' '.join(words)}: exit code {done.code}: {done.output}")
        need = max(free - _free(disk, what), 4_096 if what == "bytes" else 1)
        expected = outcome(case, place)
        shutil.rmtree(place)
    for _ in range(tries):
        place = disk / "place"
        words = prepared(place, case)
        variables = environment(place)
        _fill(disk / "filler", _free(disk, what) - rng.randrange(need + 1), what)
        first = forks().run(words, place, variables)
        shutil.rmtree(disk / "filler")
        between = outcome(case, place)
        again = forks().run(words, place, variables)
        if "Traceback" in first.output:
            yield first.output.strip()[-300:]
        elif first.code and not first.output.strip():
            yield f"exit code {first.code} without a word"
        else:
            yield wrong(case, place, before, between, expected, again.code, again.output)
        shutil.rmtree(place)


def _fill(folder: Path, amount: int, what: str) -> None:
    folder.mkdir()
    if what == "inodes":
        for number in range(max(amount - 1, 0)):
            (folder / str(number)).touch()
    elif amount > 0:
        with open(folder / "filler", "wb") as file:
            os.posix_fallocate(file.fileno(), 0, amount // 4_096 * 4_096)
