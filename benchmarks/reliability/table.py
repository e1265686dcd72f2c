"""The areas, how often each is tried, and the table of tries and failures."""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.reliability import files, kills, names, processes, visits
from maestro._core.temporary import temporary_folder

PAGE = Path(__file__).parents[2] / "docs/reliability.md"
AREAS: dict[str, tuple[int, Callable[[int, Path], Iterator[str]]]] = {
    "kill-walk-forward": (100, kills.walk_forward),
    "kill-import": (100, kills.data_import),
    "kill-export": (100, kills.data_export),
    "kill-rm": (100, kills.data_rm),
    "flips-runs": (4_000, files.flips_of_runs),
    "flips-series": (3_000, files.flips_of_series),
    "flips-data": (3_000, files.flips_of_data),
    "names": (200, names.hostile_names),
    "links": (2_000, files.links),
    "bombs": (20, files.bombs),
    "foreign": (80, files.foreign_folders),
    "environments": (30, processes.environments),
    "backtests": (10_000, processes.backtests),
    "walk-forwards": (200, processes.walk_forwards),
    "visits": (1_000, visits.visits),
}
"""Tries of a full run, and what makes them: each yields an empty string, or what went wrong."""
_HEAD = """# Reliability

`python -m benchmarks reliability` breaks things on purpose, counts what does not hold, and writes this page;
`python -m benchmarks reliability AREA --share 0.1` repeats one area with a tenth of the tries and writes nothing.

"""
_TAIL = """
A full disk, flipped bits of folds, and hostile names over every public object and page are tests of the suite
(`tests/runs`, `tests/data/files`, `tests/test_hostile_names.py`). Not measured yet: other
origins, full inodes, and kills of the other commands that write. What is promised is in `SECURITY.md`.
"""


def main(words: list[str]) -> int:
    """Try the areas wanted, or all; returns an exit code."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks reliability")
    parser.add_argument("areas", nargs="*", metavar="AREA", help=", ".join(AREAS))
    parser.add_argument("--share", type=float, default=1.0, help="of the tries of a full run")
    parser.add_argument("--page", action="store_true", help="write the page also with a share")
    given = parser.parse_args(words)
    if unknown := [name for name in given.areas if name not in AREAS]:
        parser.error(f"there is no area {', '.join(unknown)}; there are: {', '.join(AREAS)}")
    lines, failures = [], 0
    began = time.perf_counter()
    for name in given.areas or AREAS:
        full, function = AREAS[name]
        line, failed = _tried(name, max(1, round(full * given.share)), function)
        lines.append(line)
        failures += failed
    if not given.areas and (given.share == 1.0 or given.page):
        PAGE.write_text(_page(lines, given.share, time.perf_counter() - began), encoding="utf-8")
        print(PAGE)
    return int(failures > 0)


def _tried(name: str, tries: int, function: Callable[[int, Path], Iterator[str]]) -> tuple[str, int]:
    began, found, done = time.perf_counter(), Counter[str](), 0
    with temporary_folder("reliability") as folder:
        before = os.environ.get("MAESTRO_LEDGER_DIR")
        os.environ["MAESTRO_LEDGER_DIR"] = str(folder / "ledger")  # nothing here is a search for an edge
        try:
            for said in function(tries, folder):
                done += 1
                found.update([said] if said else [])
        finally:
            if before is None:
                del os.environ["MAESTRO_LEDGER_DIR"]
            else:
                os.environ["MAESTRO_LEDGER_DIR"] = before
    for said, count in found.most_common(5):
        print(f"{name}: {count} × {said}", file=sys.stderr)
    what = (function.__doc__ or "").strip().rstrip(".")
    line = f"| {what} | {done:,} | {found.total():,} | `python -m benchmarks reliability {name}` |"
    print(f"{line} {time.perf_counter() - began:.0f} s", flush=True)
    return line, found.total()


def _page(lines: list[str], share: float, seconds: float) -> str:
    when = f"{datetime.now(UTC):%Y-%m-%d}, {os.cpu_count()} cores, {seconds / 60:.1f} minutes"
    part = "" if share == 1.0 else f" These are {share:.0%} of the tries of a full run."
    table = "\n".join(["| area | tries | failures | command |", "|---|---:|---:|---|", *lines])
    return f"{_HEAD}{table}\n\nMeasured {when}.{part}\n{_TAIL}"
