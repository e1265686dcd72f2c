"""Programs in forks of one process that has imported everything, for tests that kill hundreds of them."""

from __future__ import annotations

import contextlib
import importlib
import os
import pkgutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.support.patience import GIVE_UP

PROJECT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Fork:
    """A program that runs."""

    pid: int

    @property
    def alive(self) -> bool:
        """Whether it has not ended."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, 0)
            return True
        return False

    def end(self, number: int | None = None) -> None:
        """Send it a signal, SIGKILL unless given, and wait for its end."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGKILL if number is None else number)
        end = time.monotonic() + GIVE_UP
        while self.alive:
            assert time.monotonic() < end, f"process {self.pid} does not end"
            time.sleep(0.005)


class Forks:
    """Starts programs."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    @contextmanager
    def running(self, *words: str, output: Path | None = None) -> Iterator[Fork]:
        """Run the program with these words; it is killed at the end if it still runs. `output`: what it prints."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write("\t".join([str(output or os.devnull), *words]) + "\n")
        self._process.stdin.flush()
        fork = Fork(int(self._process.stdout.readline()))
        try:
            yield fork
        finally:
            fork.end()


@contextmanager
def forks(program: str = "maestro") -> Iterator[Forks]:
    """Start the process that is forked: ``maestro``, or a module with ``main(*words)``; it ends with the test."""
    line = [sys.executable, "-m", "tests.support.forked", program]
    with subprocess.Popen(line, cwd=PROJECT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        yield Forks(process)


def _serve(program: str) -> None:
    main = _maestro() if program == "maestro" else importlib.import_module(program).main
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # the system forgets ended forks at once
    for line in sys.stdin:
        child = os.fork()
        if not child:
            _become(main, *line.rstrip("\n").split("\t"))
        print(child, flush=True)


def _maestro() -> Callable[..., Any]:
    for name in ("maestro.cli", "maestro.service"):
        for module in pkgutil.walk_packages(importlib.import_module(name).__path__, f"{name}."):
            importlib.import_module(module.name)
    import maestro
    from maestro.cli import main

    for name in maestro.__all__:
        getattr(maestro, name)
    return lambda *words: main(words)


def _become(main: Callable[..., Any], output: str, *words: str) -> None:
    """Turn this fork into the program; never returns."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    null = os.open(os.devnull, os.O_RDWR)
    for descriptor, target in ((0, null), (1, os.open(output, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)), (2, null)):
        os.dup2(target, descriptor)
    code = 1
    try:
        main(*words)
        sys.stdout.flush()
        code = 0
    except SystemExit as ended:
        code = ended.code if isinstance(ended.code, int) else 1
    finally:
        os._exit(code)


if __name__ == "__main__":
    _serve(sys.argv[1])
