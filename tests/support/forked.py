"""``maestro`` commands in forks of one process that has imported everything, for tests that kill hundreds of them."""

from __future__ import annotations

import contextlib
import importlib
import os
import pkgutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from tests.support.patience import GIVE_UP


@dataclass(frozen=True)
class Fork:
    """A command that runs."""

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
    """Starts commands."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    @contextmanager
    def running(self, *words: str) -> Iterator[Fork]:
        """Run ``maestro`` with these words; it is killed at the end if it still runs."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write("\t".join(words) + "\n")
        self._process.stdin.flush()
        fork = Fork(int(self._process.stdout.readline()))
        try:
            yield fork
        finally:
            fork.end()


@contextmanager
def forks() -> Iterator[Forks]:
    """Start the process that is forked; it ends with the test."""
    line = [sys.executable, "-m", "tests.support.forked"]
    with subprocess.Popen(line, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        yield Forks(process)


def _serve() -> None:
    for name in ("maestro.cli", "maestro.service"):
        for module in pkgutil.walk_packages(importlib.import_module(name).__path__, f"{name}."):
            importlib.import_module(module.name)
    import maestro

    for name in maestro.__all__:
        getattr(maestro, name)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # the system forgets ended forks at once
    for line in sys.stdin:
        child = os.fork()
        if not child:
            _become(line.rstrip("\n").split("\t"))
        print(child, flush=True)


def _become(words: list[str]) -> None:
    """Turn this fork into the command; never returns."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    null = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(null, descriptor)
    code = 1
    try:
        from maestro.cli import main

        main(words)
        code = 0
    except SystemExit as ended:
        code = ended.code if isinstance(ended.code, int) else 1
    finally:
        os._exit(code)


if __name__ == "__main__":
    _serve()
