"""The areas, how often each is tried, and the page with the table of tries and failures."""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.reliability import abuse, commands, disks, files, names, processes, progress, visits
from benchmarks.reliability.forks import end_forks
from benchmarks.reliability.progress import Tried
from maestro._core.temporary import temporary_folder

PAGE = Path(__file__).parents[2] / "docs/reliability.md"
Area = Callable[[int, Path], Iterator[str]]
AREAS: dict[str, tuple[int, Area]] = {
    **{name: (100, area) for name, area in commands.AREAS.items()},
    "full-disk": (100, disks.full_disk),
    "full-inodes": (100, disks.full_inodes),
    "flips-runs": (4_000, files.flips_of_runs),
    "flips-backtests": (1_000, files.flips_of_backtests),
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
_FIRST = (
    "visits", "kill-walk-forward", "full-disk", "full-inodes", "kill-tearsheet", "kill-report", "kill-notebook",
    "kill-batch", "bombs", "reports", "kill-robustness", "names", "kill-verdict", "flips-studies", "kill-many",
)  # fmt: skip
"""The areas that take longest begin first, so that no process works alone at the end."""
_HEAD = """# Reliability

`python -m benchmarks reliability` breaks things on purpose, counts failures, and writes this page.
`python -m benchmarks reliability AREA --share 0.1` runs one area with a tenth of the tries and leaves the page alone.
An interrupted run of the same code resumes with the remaining areas; `--fresh` starts over. Filling disks needs root.

"""
_TAIL = """
Each command runs in a fork of a process that has already imported everything, so a kill at a random moment rarely hits
an import. Then the same command runs again. Nothing may be lost or half written: the final result must equal that of an
uninterrupted command, and no temporary files may remain. On a full disk, the command must also fail with a clear error.
Long-running processes are killed by other tests:

```bash
MAESTRO_TEST_WORKER_KILLS=500 python -m pytest tests/service/test_worker.py -k sigkill       # workers of the service
MAESTRO_TEST_API_KILLS=100 python -m pytest tests/service/web/test_serving.py -k sigkill     # its API
python benchmarks/bench_cluster.py --kills 20                                                # workers of a cluster
```

The test suite breaks more things: it flips bits in folds, ledgers, backups and lists of runs, passes markup as names to
every public object (`tests/test_hostile_names.py`), connects from other origins (`tests/apps`, `tests/service`), and
puts files that Maestro did not write in the place of every output (`tests/cli/test_foreign_files.py`). The guarantees
are in `SECURITY.md`.
"""


def main(words: list[str]) -> int:
    """Try the areas wanted, or all; returns an exit code."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks reliability")
    parser.add_argument("areas", nargs="*", metavar="AREA", help=", ".join(AREAS))
    parser.add_argument("--share", type=float, default=1.0, help="of the tries of a full run")
    parser.add_argument("--page", action="store_true", help="write the page also with a share, or of some areas")
    parser.add_argument("--fresh", action="store_true", help="repeat also what an interrupted run has done")
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1, help="areas that run at once")
    given = parser.parse_args(words)
    if unknown := [name for name in given.areas if name not in AREAS]:
        parser.error(f"there is no area {', '.join(unknown)}; there are: {', '.join(AREAS)}")
    whole = not given.areas and given.share == 1.0
    key = progress.state_of_code() if whole else ""
    found, earlier = ({}, 0.0) if given.fresh else progress.kept(key)
    if found:
        print(f"{len(found)} areas were done before the interruption of a run of the same code; --fresh repeats them")
    began = time.perf_counter()
    wanted = given.areas or sorted(AREAS, key=lambda name: _FIRST.index(name) if name in _FIRST else len(_FIRST))
    jobs = [(name, max(1, round(AREAS[name][0] * given.share))) for name in wanted if name not in found]
    through = len(found)
    for tried in progress.try_all(jobs, given.processes, _tried):
        found[tried.name] = tried
        through += 1
        seconds = earlier + time.perf_counter() - began
        if key:
            progress.keep(key, found, seconds)
        print(f"{tried.line} {tried.cpu:.0f} s of processor time; {through} of {len(wanted)} areas after "
              f"{seconds / 60:.1f} minutes", flush=True)  # fmt: skip
    if given.page or whole:
        seconds = earlier + time.perf_counter() - began
        PAGE.write_text(
            _page([found[name] for name in AREAS if name in found], given.share, seconds, given.processes),
            encoding="utf-8",
        )
        print(f"{PAGE}: {len(found)} areas in {seconds / 60:.1f} minutes")
    if key:
        progress.FINISHED.unlink(missing_ok=True)
    failed = [tried.name for tried in found.values() if tried.failures]
    print(f"failures in {', '.join(failed)}" if failed else "no failure")
    return int(bool(failed))


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
            for printed in function(tries, folder):
                done += 1
                found.update([printed] if printed else [])
        except Exception as error:  # the other areas go on; this one has failed
            found[f"the area ended after {done} tries: {type(error).__name__}: {str(error)[:300]}"] += 1
        finally:
            end_forks()
            if before is None:
                del os.environ["MAESTRO_LEDGER_DIR"]
            else:
                os.environ["MAESTRO_LEDGER_DIR"] = before
    for printed, count in found.most_common(5):
        print(f"{name}: {count} × {printed}", file=sys.stderr)
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
