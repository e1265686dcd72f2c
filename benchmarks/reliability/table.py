"""The areas, how often each is tried, and the page with the table of tries and failures."""

from __future__ import annotations

import argparse
import multiprocessing
import os
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.reliability import abuse, commands, disks, files, names, processes, visits
from benchmarks.reliability.forks import end_forks
from maestro._core.temporary import temporary_folder

PAGE = Path(__file__).parents[2] / "docs/reliability.md"
AREAS: dict[str, tuple[int, Callable[[int, Path], Iterator[str]]]] = {
    **{name: (100, area) for name, area in commands.AREAS.items()},
    "full-disk": (100, disks.full_disk),
    "full-inodes": (100, disks.full_inodes),
    "flips-runs": (4_000, files.flips_of_runs),
    "flips-series": (3_000, files.flips_of_series),
    "flips-data": (2_600, files.flips_of_data),
    "flips-studies": (400, abuse.studies),
    "names": (100, names.hostile_names),
    "links": (2_000, files.links),
    "bombs": (20, files.bombs),
    "uploads": (20, abuse.uploads),
    "archives": (100, abuse.archives),
    "foreign": (80, files.foreign_folders),
    "rollbacks": (40, abuse.rollbacks),
    "old-runs": (40, abuse.old_runs),
    "large-search": (3, abuse.large_search),
    "environments": (30, processes.environments),
    "backtests": (10_000, processes.backtests),
    "walk-forwards": (200, processes.walk_forwards),
    "reports": (50, processes.reports),
    "visits": (1_000, visits.visits),
}
"""Tries of a full run, and what makes them: each yields an empty string, or what went wrong."""
_FIRST = ("visits", "kill-notebook", "kill-many", "kill-walk-forward", "full-disk", "kill-backup", "walk-forwards")
"""The areas that take longest begin first, so that no process works alone at the end."""
_HEAD = """# Reliability

`python -m benchmarks reliability` breaks things on purpose, counts what does not hold, and writes this page;
`python -m benchmarks reliability AREA --share 0.1` repeats one area with a tenth of the tries and writes nothing.

"""
_TAIL = """
A command that is killed runs in a fork of a process that has imported everything, so that the kill, at a random moment
of its work, rarely meets an import. Then the same command runs again. Nothing may be lost or half written: what the
command is for is afterwards equal to that of a run that was not killed, and no temporary file is left. On a full disk
the command must also fail in words. Not killed here are processes that run until they are stopped: workers of the
service are killed by `tests/service`, those of a cluster by `benchmarks/bench_cluster.py`.

More tests of the suite break things: flipped bits of folds, ledgers, backups and lists of runs; names that are markup
over every public object (`tests/test_hostile_names.py`); other origins (`tests/apps`, `tests/service`); files that
Maestro did not write in the place of every output (`tests/cli/test_foreign_files.py`). What is promised is in
`SECURITY.md`.
"""


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


def main(words: list[str]) -> int:
    """Try the areas wanted, or all; returns an exit code."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks reliability")
    parser.add_argument("areas", nargs="*", metavar="AREA", help=", ".join(AREAS))
    parser.add_argument("--share", type=float, default=1.0, help="of the tries of a full run")
    parser.add_argument("--page", action="store_true", help="write the page also with a share, or of some areas")
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1, help="areas that run at once")
    given = parser.parse_args(words)
    if unknown := [name for name in given.areas if name not in AREAS]:
        parser.error(f"there is no area {', '.join(unknown)}; there are: {', '.join(AREAS)}")
    began = time.perf_counter()
    wanted = given.areas or sorted(AREAS, key=lambda name: name not in _FIRST)
    jobs = [(name, max(1, round(AREAS[name][0] * given.share))) for name in wanted]
    found: dict[str, Tried] = {}
    for tried in _each(jobs, given.processes):
        found[tried.name] = tried
        print(f"{tried.line} {tried.cpu:.0f} s of processor time", flush=True)
    if given.page or (not given.areas and given.share == 1.0):
        seconds = time.perf_counter() - began
        tried = [found[name] for name in AREAS if name in found]
        PAGE.write_text(_page(tried, given.share, seconds, given.processes), encoding="utf-8")
        print(f"{PAGE}: {len(found)} areas in {seconds / 60:.1f} minutes")
    return int(any(tried.failures for tried in found.values()))


def _each(jobs: list[tuple[str, int]], processes: int) -> Iterator[Tried]:
    """Try areas, each in a process of its own; in this one if only one process is wanted."""
    if processes == 1 or len(jobs) == 1:
        yield from (_tried(*job) for job in jobs)
        return
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(processes, mp_context=context, max_tasks_per_child=1) as pool:
        for future in as_completed([pool.submit(_tried, *job) for job in jobs]):
            yield future.result()


def _processor_time() -> float:
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system


def _tried(name: str, tries: int) -> Tried:
    function = AREAS[name][1]
    began, before_time, found, done = time.perf_counter(), _processor_time(), Counter[str](), 0
    with temporary_folder("reliability") as folder:
        before = os.environ.get("MAESTRO_LEDGER_DIR")
        os.environ["MAESTRO_LEDGER_DIR"] = str(folder / "ledger")  # nothing here is a search for an edge
        try:
            for said in function(tries, folder):
                done += 1
                found.update([said] if said else [])
        except Exception as error:  # the other areas go on; this one has failed
            found[f"the area ended after {done} tries: {type(error).__name__}: {str(error)[:300]}"] += 1
        finally:
            end_forks()
            if before is None:
                del os.environ["MAESTRO_LEDGER_DIR"]
            else:
                os.environ["MAESTRO_LEDGER_DIR"] = before
    for said, count in found.most_common(5):
        print(f"{name}: {count} × {said}", file=sys.stderr)
    what = (function.__doc__ or "").strip().rstrip(".")
    return Tried(name, what, done, found.total(), time.perf_counter() - began, _processor_time() - before_time)


def _page(tried: list[Tried], share: float, seconds: float, processes: int) -> str:
    total = sum(one.tries for one in tried)
    slowest = sorted(tried, key=lambda one: -one.cpu)[:5]
    when = (
        f"Measured {datetime.now(UTC):%Y-%m-%d} on {os.cpu_count()} cores, {processes} areas at a time: {total:,} "
        f"tries, {sum(one.failures for one in tried):,} failures, {seconds / 60:.1f} minutes. Most processor time: "
        f"{', '.join(f'{one.name} ({one.cpu:,.0f} s)' for one in slowest)}."
    )
    missing = [name for name in AREAS if name not in {one.name for one in tried}]
    part = "" if share == 1.0 else f" These are {share:.0%} of the tries of a full run."
    part += f" Not part of this run: {', '.join(missing)}." if missing else ""
    rows = "\n".join(["| area | tries | failures | seconds | command |", "|---|---:|---:|---:|---|",
                      *(one.line for one in tried)])  # fmt: skip
    return f"{_HEAD}{rows}\n\n{when}{part}\n{_TAIL}"
