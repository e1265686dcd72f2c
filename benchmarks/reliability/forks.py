"""Commands run in forks of one process that has imported everything, so that a kill meets their work, not an import."""

from __future__ import annotations

import contextlib
import functools
import importlib
import json
import os
import pkgutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_PATIENCE = 600.0
_POLL = 0.001


@dataclass(frozen=True)
class Ended:
    """How a command ended.

    Attributes
    ----------
    code : int
        Exit code; negative: the signal that ended it.
    seconds : float
    output : str
        What it wrote to stdout and stderr.
    """

    code: int
    seconds: float
    output: str


class Forks:
    """A process that runs ``maestro`` in forks of itself and kills those that it is asked to."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.reliability.forks"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            text=True, encoding="utf-8", cwd=Path(__file__).parents[2],
        )  # fmt: skip

    def close(self) -> None:
        """End the process."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait()
        self._process.stdout.close()

    def run(
        self, words: Sequence[object], folder: Path, environment: Mapping[str, str], kill_after: float | None = None,
        limits: Mapping[str, int] | None = None,
    ) -> Ended:  # fmt: skip
        """Run a command in a folder, and kill it after some seconds.

        Parameters
        ----------
        words : sequence
            Arguments of ``maestro``.
        environment : mapping
            Variables set for the command.
        kill_after : float, optional
        limits : mapping, optional
            Resource limits of the command: ``{"RLIMIT_FSIZE": 4096}``.
        """
        asked = {
            "words": [str(word) for word in words], "folder": str(folder), "environment": dict(environment),
            "kill_after": kill_after, "limits": dict(limits or {}),
        }  # fmt: skip
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(asked) + "\n")
        self._process.stdin.flush()
        return Ended(**json.loads(self._process.stdout.readline()))


@functools.cache
def forks() -> Forks:
    """Return the one of this process; `end_forks` ends it."""
    return Forks()


def end_forks() -> None:
    """End that process, if there is one; only then its processor time is counted with that of this one."""
    if forks.cache_info().currsize:
        forks().close()
        forks.cache_clear()


def _serve() -> None:
    for name in ("maestro.cli", "maestro.operations.backup", "maestro.data.sources", "maestro.service.accounts"):
        package = importlib.import_module(name)
        for module in pkgutil.walk_packages(package.__path__, f"{name}."):
            importlib.import_module(module.name)
    import maestro

    for name in maestro.__all__:
        getattr(maestro, name)
    for line in sys.stdin:
        print(json.dumps(_forked(json.loads(line))), flush=True)


def _forked(asked: dict[str, Any]) -> dict[str, Any]:
    with tempfile.TemporaryFile() as printed, tempfile.TemporaryFile() as imported:
        began = time.perf_counter()
        child = os.fork()
        if not child:
            _become(asked, printed.fileno(), imported.fileno())
        kill_after = asked["kill_after"]
        deadline = began + (_PATIENCE if kill_after is None else kill_after)
        status = 0
        while True:
            ended, status = os.waitpid(child, os.WNOHANG)
            if ended:
                break
            if time.perf_counter() > deadline:
                os.kill(child, signal.SIGKILL)
                _, status = os.waitpid(child, 0)
                break
            time.sleep(_POLL)
        seconds = time.perf_counter() - began
        imported.seek(0)
        for name in imported.read().decode().split():  # what this command needed: the next fork has it
            with contextlib.suppress(Exception):
                importlib.import_module(name)
        printed.seek(0)
        return {
            "code": os.waitstatus_to_exitcode(status), "seconds": seconds,
            "output": printed.read().decode("utf-8", "replace")[-2_000:],
        }  # fmt: skip


def _become(asked: dict[str, Any], output: int, imported: int) -> None:
    """Turn this fork into the command; never returns. At its end it writes down which modules it imported."""
    code, known = 70, set(sys.modules)
    try:
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        os.dup2(output, 1)
        os.dup2(output, 2)
        os.chdir(asked["folder"])
        os.environ.update(asked["environment"])
        tempfile.tempdir = None
        if asked["limits"]:
            import resource

            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            for name, value in asked["limits"].items():
                resource.setrlimit(getattr(resource, name), (value, value))
        from maestro.cli import main

        try:
            main(asked["words"])
        except SystemExit as ended:
            code = ended.code if isinstance(ended.code, int) else 0
        except BaseException:
            import traceback

            traceback.print_exc()
            code = 99
        sys.stdout.flush()
        sys.stderr.flush()
        os.write(imported, " ".join(name for name in sys.modules if name not in known).encode())
    finally:
        os._exit(code)


if __name__ == "__main__":
    _serve()
