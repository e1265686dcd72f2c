"""What 10,000 parameter sets cost: time and peak memory, with the project's indicators and with plain NumPy signals.

``python benchmarks/bench_sweep.py`` prints the table; every figure is of a process of its own, and the best of its
rounds. The best published one for this work, 10,000 sets on 200,000 bars, is 4.4 s on four cores and 344 MB.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import time

import numpy as np

import maestro as ms

ROUNDS = 3


class PlainCross(ms.Strategy):
    """Two simple averages in NumPy alone, as a person writes them in a notebook."""

    fast = ms.Int(50, 5, 100)
    slow = ms.Int(100, 20, 200)
    constraints = (ms.Constraint("fast < slow", lambda p: p.fast < p.slow),)

    def warmup(self, params: ms.strategies.Params) -> int:  # type: ignore[name-defined]
        return int(params.slow)

    def signals(self, bars: ms.Bars) -> ms.Signals:
        sums = np.concatenate(([0.0], np.cumsum(bars.close)))
        above = np.zeros(len(bars), bool)
        fast = (sums[self.slow :] - sums[self.slow - self.fast : -self.fast]) / self.fast
        above[self.slow - 1 :] = fast > (sums[self.slow :] - sums[: -self.slow]) / self.slow
        before = np.concatenate(([False], above[:-1]))
        return ms.Signals.flip(above & ~before, ~above & before)


STRATEGIES = {"the project's EMA": ms.strategies.EmaCrossStrategy, "plain NumPy averages": PlainCross}
JOBS: tuple[tuple[str, int, int, str | None, str], ...] = (
    ("the project's EMA", 10_000, 200_000, None, "4 s, 350 MB"),
    ("the project's EMA", 10_000, 200_000, "serial", ""),
    ("plain NumPy averages", 10_000, 200_000, None, "6 s"),
    ("the project's EMA", 10_000, 8_760, None, ""),
    ("the project's EMA", 5_000, 200_000, None, "half"),
    ("the project's EMA", 10_000, 100_000, None, "half"),
)


def measure(name: str, sets: int, bars: int, executor: str | None) -> dict[str, float]:
    """Best seconds, those of the first round, and the peak memory [MB] of this process and its largest worker."""
    series = ms.synthetic_bars(bars, seed=1, timeframe="1m")
    taken = []
    for _ in range(ROUNDS):
        began, used = time.perf_counter(), time.process_time()
        ms.sweep(series, STRATEGIES[name], n=sets, executor=executor)
        taken.append((time.perf_counter() - began, time.process_time() - used))
    peak = [resource.getrusage(who).ru_maxrss / 1024 for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    best = min(taken)
    return {"best": best[0], "cpu": best[1], "first": taken[0][0], "peak": peak[0], "worker": peak[1]}


def main() -> None:
    """Print the table, each line from a process of its own."""
    print(f"{'sweep':44}{'best':>8}{'of CPU':>8}{'first':>8}{'peak':>9}{'worker':>9}  reach")
    for job in JOBS:
        name, sets, bars, executor, reach = job
        done = subprocess.run(
            [sys.executable, __file__, json.dumps([name, sets, bars, executor])], check=True, stdout=subprocess.PIPE
        )
        got = json.loads(done.stdout)
        label = f"{sets:,} x {bars:,}, {name}{'' if executor is None else f', {executor}'}"
        print(
            f"{label:44}{got['best']:>6.2f} s{got['cpu']:>6.1f} s{got['first']:>6.2f} s"
            f"{got['peak']:>6.0f} MB{got['worker']:>6.0f} MB  {reach}",
            flush=True,
        )


if __name__ == "__main__":
    if len(sys.argv) > 1:
        print(json.dumps(measure(*json.loads(sys.argv[1]))))
    else:
        main()
