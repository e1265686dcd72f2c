"""Many walk-forwards: 1,000 synthetic symbols with one rule, and 12 symbols of a file with all strategies.

``python benchmarks/bench_many.py`` prints the table; ``--file FILE`` adds the second row (a long table with a symbol
column), ``--symbols`` says how many synthetic ones. 2,000 daily bars, 9 folds, 20 trials. Memory is that of the process
that holds the results, and of the largest worker. Runs are stored, and the ledger is written.
"""

from __future__ import annotations

import argparse
import os
import resource
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

import maestro as ms


def row(name: str, series: ms.Universe, strategies: list[object], splitter: str) -> str:
    """Run, and return a line of the table."""
    with tempfile.TemporaryDirectory() as folder:
        began, own = time.perf_counter(), time.process_time()
        many = ms.walk_forward_many(series, strategies, splitter=splitter, trials=20, runs_dir=folder)
        taken, parent = time.perf_counter() - began, time.process_time() - own
        began = time.perf_counter()
        many.table.height  # noqa: B018, computes the p-values
        tested = time.perf_counter() - began
        began = time.perf_counter()
        ms.walk_forward_many(series, strategies, splitter=splitter, trials=20, runs_dir=folder)
        again = time.perf_counter() - began
    largest = [resource.getrusage(who).ru_maxrss / 1024 for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return (
        f"| {name} | {len(many.cells):,} | {taken:.1f} | {1000 * taken / len(many.cells):.0f} | {parent:.1f} | "
        f"{tested:.1f} | {again:.1f} | {largest[0]:.0f} |"
    )


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--symbols", type=int, default=1_000)
    parser.add_argument("--file", type=Path, default=None)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as ledgers:
        os.environ["MAESTRO_LEDGER_DIR"] = ledgers
        print("| what | walk-forwards | seconds | ms each | CPU s of the caller | p-values | loaded again | MB |")
        print("|---|---|---|---|---|---|---|---|")
        if given.file is not None:
            names = list(ms.strategies())
            print(row("12 symbols × 22 rules", ms.universe(given.file), names, "calendar:6mo,2mo"), flush=True)
        made = ms.universe({f"S{k:04d}": ms.synthetic_bars(2_000, k, "1d") for k in range(given.symbols)})
        print(row("synthetic × 1 rule", made, ["EmaCrossStrategy"], "rolling:9,2,1"), flush=True)


if __name__ == "__main__":
    main()
