"""What starting costs: the import, the command's help, a process to its first backtest, and the first run ever.

``python benchmarks/bench_start.py`` prints the table; figures are the minimum over rounds, as neighbours on a machine
make single runs slower.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time

ROUNDS = 9
BACKTEST = "import maestro as ms; ms.backtest(ms.synthetic_bars(8_760), 'EmaCrossStrategy')"


def seconds(arguments: list[str], rounds: int = ROUNDS, **environment: str) -> float:
    """Smallest time of a whole process [s]."""
    times = []
    for _ in range(rounds):
        begun = time.perf_counter()
        subprocess.run([sys.executable, *arguments], check=True, capture_output=True, env={**os.environ, **environment})
        times.append(time.perf_counter() - begun)
    return min(times)


def main() -> None:
    """Print the table."""
    with tempfile.TemporaryDirectory() as cold:
        first = seconds(["-c", BACKTEST], 1, NUMBA_CACHE_DIR=cold)
    bare = seconds(["-c", "pass"])
    rows = [
        ("`import maestro`", "≤ 0.3 s", seconds(["-c", "import maestro"])),
        ("`import maestro as ms; ms.Bars`", "", seconds(["-c", "import maestro as ms; ms.Bars"])),
        ("`maestro --help`", "≤ 0.15 s", seconds(["-m", "maestro", "--help"])),
        ("a process to its first backtest", "≤ 1 s", seconds(["-c", BACKTEST], 5)),
        ("first run ever, compilation included", "≤ 15 s", first),
    ]
    print("| whole process | reach | measured |\n|---|---|---|")
    for name, reach, measured in rows:
        print(f"| {name} | {reach} | {measured:.3f} s |")
    print(f"\nAn empty Python process takes {bare:.3f} s of each.")


if __name__ == "__main__":
    main()
