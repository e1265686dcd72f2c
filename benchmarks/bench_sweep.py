"""10,000 parameter sets on 200,000 bars: time and peak memory, for a class with the project's indicators and for NumPy.

``python benchmarks/bench_sweep.py`` prints the table. Each figure is the best of several processes, as neighbours on
a machine make single ones slower; peak memory is that of the whole process, imports and bars included.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys

BARS, SETS = 200_000, 10_000
JOB = """
import json, resource, sys, time
import numpy as np
import maestro as ms

class Momentum(ms.Strategy):
    '''Plain NumPy: the close against that of `n` bars ago, beyond a threshold.'''
    n = ms.Int(20, 5, 100)
    width = ms.Int(10, 1, 50)

    def signals(self, bars):
        change = bars.close[self.n :] - bars.close[: -self.n]
        limit = self.width * 1e-3 * bars.close[0]
        up, down = np.zeros(len(bars), bool), np.zeros(len(bars), bool)
        np.greater(change, limit, out=up[self.n :])
        np.less(change, -limit, out=down[self.n :])
        return ms.Signals.flip(up, down)

rule = {"ours": "EmaCrossStrategy", "numpy": Momentum}[sys.argv[1]]
bars = ms.synthetic_bars(int(sys.argv[2]), seed=1, timeframe="1m")
settings = {"executor": "threads", "workers": int(sys.argv[4])}
ms.sweep(bars, rule, n=20, **settings)
began = time.perf_counter()
sw = ms.sweep(bars, rule, n=int(sys.argv[3]), **settings)
taken = time.perf_counter() - began
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
print(json.dumps({"seconds": taken, "distinct": sw.distinct, "megabytes": peak}))
"""


def measure(rule: str, bars: int = BARS, sets: int = SETS, workers: int = 2, rounds: int = 3) -> dict[str, float]:
    """Time [s], distinct sets and peak memory [MiB] of the fastest of several processes."""
    found = []
    for _ in range(rounds):
        words = [sys.executable, "-c", JOB, rule, str(bars), str(sets), str(workers)]
        found.append(json.loads(subprocess.run(words, capture_output=True, text=True, check=True).stdout))
    return min(found, key=lambda one: one["seconds"])


def main() -> None:
    print(f"{SETS:,} Sobol sets x {BARS:,} bars; {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}")
    for name, rule, workers, aim in (
        ("the project's indicators, two threads", "ours", 2, 4.0),
        ("the project's indicators, one thread", "ours", 1, None),
        ("plain NumPy signals, two threads", "numpy", 2, 6.0),
    ):
        found = measure(rule, workers=workers)
        missed = aim is not None and (found["seconds"] > aim or found["megabytes"] > 350)
        output = "" if aim is None else f"   (aim {aim:g} s, 350 MiB{', MISSED' if missed else ''})"
        print(
            f"{name:<40}{found['seconds']:8.2f} s{found['megabytes']:8.0f} MiB peak"
            f"{found['distinct']:8,.0f} distinct{output}"
        )
    times = {bars: measure("ours", bars=bars, sets=2_000, rounds=2)["seconds"] for bars in (50_000, 200_000)}
    print(f"2,000 sets: {times[50_000]:.2f} s on 50,000 bars, {times[200_000]:.2f} s on 200,000")


if __name__ == "__main__":
    main()
