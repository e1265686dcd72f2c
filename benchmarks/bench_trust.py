"""What trust costs: the ledger, repeating a run bit by bit, the maps of robustness, permuted series, the verdict.

``python benchmarks/bench_trust.py`` prints the table. Nine folds of 8,760 hourly bars (a random walk, rolling
10, 2, 1), EMA crossing, 100 TPE trials per fold. Figures are the best of several rounds.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import maestro as ms
from maestro.ledger import Ledger, Tally, uncounted

BARS = 8_760
_VERDICT = f"""
import resource, time
import maestro as ms
wf = ms.walk_forward(ms.synthetic_bars({BARS}, seed=1), "EmaCrossStrategy")
began = time.perf_counter()
ms.verdict(wf, progress=False)
took = time.perf_counter() - began
print(f"{{took:.1f}}", resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)
"""


def best(work: Callable[[], object], rounds: int) -> float:
    """Smallest wall time of a call [s]."""
    taken = []
    for _ in range(rounds):
        began = time.perf_counter()
        work()
        taken.append(time.perf_counter() - began)
    return min(taken)


def main() -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory() as folder:
        os.environ["MAESTRO_LEDGER_DIR"] = f"{folder}/ledger"
        measure(Path(folder))


def measure(folder: Path) -> None:
    """Print the table."""
    bars = ms.synthetic_bars(BARS, seed=1)
    rows: list[tuple[str, str]] = []

    def walk(**settings: Any) -> ms.WalkForward:
        return ms.walk_forward(bars, "EmaCrossStrategy", workers=1, **settings)

    def silent() -> None:
        with uncounted("a benchmark"):
            walk()

    wf = walk(runs_dir=folder / "runs")
    counted, alone = best(walk, 7), best(silent, 7)
    rows.append(("walk-forward, warm, counted in the ledger", f"{counted:.3f} s"))
    rows.append(("the same, uncounted", f"{alone:.3f} s"))
    book, tally = Ledger(bars), Tally(100, 100, 0.01, 0.1)
    rows.append(
        ("one entry, handed to the system", f"{1e3 * best(lambda: book.append('x', tally, sync=False), 50):.2f} ms")
    )
    rows.append(("one entry, forced to disk", f"{1e3 * best(lambda: book.append('x', tally), 50):.2f} ms"))
    for _ in range(10_000 - book.head().count):
        book.append("x", tally, sync=False)
    book.sync()
    rows.append(("N and variance of 10,000 entries", f"{best(lambda: book.trials, 3):.3f} s"))
    rows.append(("verifying them", f"{best(book.verify, 3):.3f} s"))
    book.path.unlink()  # so that verifying the run looks at its own entries alone
    assert wf.folder is not None
    place = wf.folder
    rows.append(("repeating one fold bit by bit", f"{best(lambda: ms.verify(place, folds=4, workers=1), 5):.3f} s"))
    rows.append(("repeating the run", f"{best(lambda: ms.verify(place, folds='all', workers=1), 3):.3f} s"))
    rows.append(
        ("neighbours of the choices, 25 sets a fold", f"{best(lambda: ms.validation.neighbourhood(wf), 3):.3f} s")
    )
    rows.append(
        ("cost map, 63 + 8 cells and three break-evens", f"{best(lambda: ms.validation.cost_map(wf), 3):.3f} s")
    )
    rows.append(
        ("late, missing and noisy bars, 303 tests", f"{best(lambda: ms.validation.perturbations(wf), 2):.3f} s")
    )
    rows.append(("map of windows, 45 walk-forwards", f"{best(lambda: ms.validation.geometry_map(wf), 2):.2f} s"))
    took = best(lambda: ms.validation.permutation_test(wf, bars, repetitions=200), 1)
    rows.append(("the whole search on 200 permuted series, 9 x 100 each, all cores", f"{took:.1f} s"))
    began = time.perf_counter()
    output = subprocess.run([sys.executable, "-c", _VERDICT], capture_output=True, text=True, check=True).stdout.split()
    rows.append(("a process that makes the walk-forward and its verdict", f"{time.perf_counter() - began:.1f} s"))
    rows.append(("its verdict alone (to reach: 10 s)", f"{output[0]} s, {output[1]} MB at most"))
    rows.append(("a verdict, warm", f"{best(lambda: ms.verdict(wf, bars), 2):.1f} s"))
    print("| work | time |\n|---|---:|")
    for name, figure in rows:
        print(f"| {name} | {figure} |")


if __name__ == "__main__":
    main()
