"""Areas tried apart from each other, each in a process of its own, and results that an interrupted run keeps."""

from __future__ import annotations

import json
import multiprocessing
import os
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import asdict, dataclass
from hashlib import sha256
from multiprocessing.connection import Connection
from pathlib import Path

from maestro._core.atomic import write_atomic

_ROOT = Path(__file__).parents[2]
FINISHED = _ROOT / ".reliability.json"
"""Areas of an interrupted full run."""


@dataclass(frozen=True)
class Tried:
    """What became of an area."""

    name: str
    what: str
    tries: int
    failures: int
    seconds: float
    cpu: float

    @property
    def line(self) -> str:
        """Row of the table."""
        return (
            f"| {self.what} | {self.tries:,} | {self.failures:,} | {self.seconds:,.0f} | "
            f"`python -m benchmarks reliability {self.name}` |"
        )


Job = tuple[str, int]
"""Name of an area, and its tries."""


def try_all(jobs: Sequence[Job], processes: int, function: Callable[[str, int], Tried]) -> Iterator[Tried]:
    """Try areas, some at a time, and yield each when it is done; an area whose process dies has failed."""
    if processes == 1 or len(jobs) == 1:
        for job in jobs:
            _say_begin(job)
            yield function(*job)
        return
    with ThreadPoolExecutor(processes) as pool:
        for future in as_completed([pool.submit(apart, job, function) for job in jobs]):
            yield future.result()


def _say_begin(job: Job) -> None:
    print(f"begin {job[0]}, {job[1]:,} tries", flush=True)


def apart(job: Job, function: Callable[[str, int], Tried]) -> Tried:
    _say_begin(job)
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe(duplex=False)
    began = time.perf_counter()
    process = context.Process(target=_send, args=(there, job, function))
    process.start()
    there.close()
    try:
        tried: Tried = here.recv()
    except EOFError:
        process.join()
        what = f"{job[0]}: its process ended with code {process.exitcode}"
        return Tried(job[0], what, 0, 1, time.perf_counter() - began, 0.0)
    process.join()
    return tried


def _send(there: Connection, job: Job, function: Callable[[str, int], Tried]) -> None:
    there.send(function(*job))


def state_of_code() -> str:
    """Commit and uncommitted changes of the project as a key; empty outside a git repository."""
    words = (["git", "rev-parse", "HEAD"], ["git", "diff", "HEAD", "--", ".", ":!docs/reliability.md"])
    try:
        found = [subprocess.run(line, cwd=_ROOT, capture_output=True, check=True).stdout for line in words]
    except (OSError, subprocess.CalledProcessError):
        return ""
    return f"{found[0].decode().strip()}-{sha256(found[1]).hexdigest()[:12]}-{os.cpu_count()}"


def kept(key: str) -> tuple[dict[str, Tried], float]:
    """Areas that an interrupted run of this code found without a failure, and its seconds."""
    if not key or not FINISHED.exists():
        return {}, 0.0
    document = json.loads(FINISHED.read_bytes())
    if document["key"] != key:
        return {}, 0.0
    return {name: Tried(**one) for name, one in document["areas"].items()}, float(document["seconds"])


def keep(key: str, found: dict[str, Tried], seconds: float) -> None:
    """Keep the areas that are done, for a run that goes on after an interruption."""
    areas = {name: asdict(one) for name, one in found.items() if not one.failures}
    write_atomic(FINISHED, json.dumps({"key": key, "seconds": seconds, "areas": areas}, indent=1).encode())
