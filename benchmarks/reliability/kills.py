"""Commands killed at random moments: the same command afterwards ends as if nothing had happened."""

from __future__ import annotations

import os
import random
import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from benchmarks.reliability.forks import forks


@dataclass(frozen=True)
class Case:
    """A command that writes.

    Attributes
    ----------
    words : sequence
        Arguments of ``maestro``; ``{}`` in one stands for what `prepare` returned.
    prepare : callable
        Makes what the command works on in a new folder; returns a word for the command.
    result : callable
        What the command is for, as plain values that can be compared. It raises where the files are damaged.
    whole : bool
        The result is at every moment that of before or that of after, also before the command is run again.
    """

    words: Sequence[object]
    prepare: Callable[[Path], object]
    result: Callable[[Path], object]
    whole: bool = True


Driver = Callable[[int, Path, Case], Iterator[str]]
"""What is done to a command, some times in a folder; yields what went wrong."""


def environment(folder: Path) -> dict[str, str]:
    """Variables that keep everything a command writes below a folder."""
    places = {f"MAESTRO_{name.upper()}_DIR": str(folder / name) for name in ("state", "ledger", "runs")}
    places |= {"MAESTRO_STORE": str(folder / "store"), "MAESTRO_SERVICE_FOLDER": str(folder / "service")}
    (folder / "temporary").mkdir(exist_ok=True)
    return {**places, **dict.fromkeys(("TMPDIR", "TEMP", "TMP"), str(folder / "temporary"))}


def killed(tries: int, folder: Path, case: Case, rounds: int = 2) -> Iterator[str]:
    """Kill a command at a random moment, run it again, and yield what is wrong; an empty string is a success.

    The second run must do the work. It may fail in words only where the first one had ended its work.
    """
    rng = random.Random(0)
    seconds = []
    expected: object = None
    before: object = None
    for number in range(rounds):  # the first one fills caches and imports what is imported late
        place = folder / f"whole-{number}"
        words = prepared(place, case)
        before = outcome(case, place)
        done = forks().run(words, place, environment(place))
        if done.code:
            raise RuntimeError(f"maestro {' '.join(words)}: exit code {done.code}: {done.output}")
        seconds.append(done.seconds)
        expected = outcome(case, place)
        shutil.rmtree(place)
    if before == expected:
        command = " ".join(map(str, case.words))
        raise RuntimeError(f"maestro {command} changes nothing that is compared: {expected!r:.200}")
    for number in range(tries):
        place = folder / str(number)
        words = prepared(place, case)
        forks().run(words, place, environment(place), kill_after=rng.uniform(0.0, 1.1) * min(seconds))
        between = outcome(case, place)
        again = forks().run(words, place, environment(place))
        yield wrong(case, place, before, between, expected, again.code, again.output)
        shutil.rmtree(place)


def prepared(place: Path, case: Case) -> list[str]:
    """Make a folder for a command; returns its words."""
    place.mkdir()
    word = case.prepare(place)
    return [str(part).replace("{}", str(word)) for part in case.words]


def outcome(case: Case, place: Path) -> object:
    """What a command has made so far, or the error in words."""
    try:
        return case.result(place)
    except Exception as error:
        return f"{type(error).__name__}: {error}".replace(str(place), "")


def wrong(
    case: Case, place: Path, before: object, between: object, expected: object, code: int, output: str
) -> str:  # fmt: skip
    """What is wrong after a command was stopped and run again; empty if nothing is."""
    if case.whole and between not in (before, expected):
        return f"in between: {between!r:.200}"
    if "Traceback" in output:
        return output.strip()[-300:]
    if code and between != expected:
        return f"exit code {code}: {output.strip()[-200:]}"
    found = outcome(case, place)
    if found != expected:
        return f"another result: {found!r:.200}"
    left = [path.name for path in (*place.rglob("*.part"), *place.glob("temporary/maestro-*"))
            if os.path.lexists(path)]  # fmt: skip
    return f"left {left}" if left else ""


def nothing(place: Path) -> object:
    """Make nothing: the command needs nothing."""
    return ""


def when_there(name: str, whole: Callable[[Path], object]) -> Callable[[Path], object]:
    """Return what reads a file of a place; None where there is none."""
    return lambda place: whole(place / name) if (place / name).exists() else None


def parquet(path: Path) -> object:
    """Rows of a Parquet file."""
    return pl.read_parquet(path).write_json()
