"""`ms.load` of a CSV of 1.5 million one-minute rows beside `polars.read_csv`, with the peak memory of each process.

Polars leaves dates as text unless asked to parse them; `ms.load` parses and checks everything.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import polars as pl

ROWS, ROUNDS = 1_500_000, 5
_MEASURE = """
import resource, sys, time
import polars as pl
import maestro as ms
ms.Bars
begun = time.perf_counter()
{work}
print(time.perf_counter() - begun, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


def measured(work: str, path: Path) -> tuple[float, float]:
    """Smallest time [s] and peak memory [MB] of a process that does some work on a file."""
    code = _MEASURE.format(work=work.replace("PATH", repr(str(path))))
    runs = []
    for _ in range(ROUNDS):
        output = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout.split()
        runs.append((float(output[0]), float(output[1]) / 1_024))
    return min(time for time, _ in runs), max(peak for _, peak in runs)


def write_rows(path: Path) -> None:
    """Write minutes of a random walk with dates as text."""
    rng = np.random.default_rng(0)
    stamps = pl.Series(np.arange(ROWS) * 60_000_000 + 1_577_836_800_000_000).cast(pl.Datetime("us"))
    close = np.round(100 * np.exp(np.cumsum(rng.normal(0, 1e-4, ROWS))), 4)
    opens = np.r_[100.0, close[:-1]]
    prices = {"open": opens, "high": np.maximum(opens, close) + 0.01, "low": np.minimum(opens, close) - 0.01}
    columns = {**prices, "close": close, "volume": np.round(rng.random(ROWS) * 100, 3)}
    pl.DataFrame({"date": stamps.dt.strftime("%Y-%m-%d %H:%M:%S"), **columns}).write_csv(path)


def main() -> None:
    """Print the table."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "minutes.csv"
        write_rows(path)
        works = {
            "polars.read_csv": "pl.read_csv(PATH)",
            "polars.read_csv, dates parsed": "pl.read_csv(PATH, try_parse_dates=True)",
            "ms.load": "ms.load(PATH)",
        }
        figures = {name: measured(work, path) for name, work in works.items()}
    bare = figures["polars.read_csv"][0]
    print(f"| CSV of {ROWS:,} rows, whole file | time | of polars.read_csv | peak memory |\n|---|---|---|---|")
    for name, (time, peak) in figures.items():
        print(f"| {name} | {time:.2f} s | {time / bare:.2f} × | {peak:,.0f} MB |")


if __name__ == "__main__":
    main()
