"""Tasks that tests of executors send to other processes."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

from maestro.errors import MissingExtraError, RunCancelled
from maestro.execution.protocol import TaskContext


def add(shared: int, context: TaskContext, number: int) -> int:
    """Add a number to the shared one."""
    context.report(number)
    return shared + number


def identity(shared: Any, context: TaskContext) -> tuple[int, int]:
    """Process, and identity of the shared object in it."""
    return os.getpid(), id(shared)


def until_cancelled(shared: Any, context: TaskContext, folder: Path, name: str) -> None:
    """Work in small steps until asked to stop; a file says that the first is done."""
    context.notes.append(f"step of {name}")
    (folder / name).touch()
    while not context.cancelled():
        context.notes.append(f"step of {name}")
        time.sleep(0.001)
    raise RunCancelled("asked to stop.")


def fail(shared: Any, context: TaskContext, error: BaseException, steps: int = 2) -> None:
    """Raise an error after some steps."""
    context.notes.extend(range(steps))
    raise error


def fail_after(shared: Any, context: TaskContext, path: Path, error: BaseException) -> None:
    """Raise an error once a file is there."""
    wait_for(path)
    fail(shared, context, error)


class Awkward(Exception):
    """Pickle refuses it, as it refuses one that holds a lock or a connection."""

    def __reduce__(self) -> str:
        raise TypeError("cannot pickle this")


def fail_awkwardly(shared: Any, context: TaskContext, kind: str) -> None:
    """Raise an error that pickle cannot restore, or a module's own subclass."""
    if kind == "awkward":
        raise Awkward("this and that")
    raise MissingExtraError("httpx", "exchange")


def die(shared: Any, context: TaskContext) -> None:
    """End the process as the system does when memory runs out."""
    os._exit(9)


def wait_for(path: Path) -> None:
    """Wait until a file is there; the test's own time limit ends this if it never comes."""
    while not path.exists():
        time.sleep(0.002)
