"""How time and memory grow with bars and with parameter sets: a slope of 1 on a log-log scale is linear.

``python benchmarks/bench_scaling.py`` prints the tables; each figure is of a process of its own, and memory is the
peak above that of the same process before the work.
"""

from __future__ import annotations

import json
import math
import resource
import subprocess
import sys
import time

ROUNDS = 3
BARS = (25_000, 50_000, 100_000, 200_000, 400_000)
SETS = (1_000, 2_000, 4_000, 8_000, 16_000)
FIXED_SETS, FIXED_BARS = 1_000, 20_000


def peak() -> float:
    """Peak memory of this process so far [MB]."""
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e6


def work(bars: int, sets: int) -> dict[str, float]:
    """Time [s] and growth of the peak memory [MB] of a sweep in this process."""
    import maestro as ms

    ms.sweep(ms.synthetic_bars(2_000, timeframe="1m"), "EmaCrossStrategy", n=50, executor="serial")
    market = ms.synthetic_bars(bars, timeframe="1m")
    before = peak()
    begun = time.perf_counter()
    ms.sweep(market, "EmaCrossStrategy", n=sets, executor="serial")
    return {"seconds": time.perf_counter() - begun, "memory": peak() - before}


def measure(bars: int, sets: int) -> dict[str, float]:
    """Smallest figures over the rounds, each in a new process."""
    command = [sys.executable, __file__, str(bars), str(sets)]
    runs = (subprocess.run(command, check=True, capture_output=True, text=True) for _ in range(ROUNDS))
    found = [json.loads(one.stdout) for one in runs]
    return {name: min(one[name] for one in found) for name in ("seconds", "memory")}


def slope(sizes: tuple[int, ...], figures: list[float]) -> float:
    """Slope of the straight line through the logarithms."""
    x, y = [math.log(n) for n in sizes], [math.log(max(v, 1e-9)) for v in figures]
    mx, my = sum(x) / len(x), sum(y) / len(y)
    return sum((a - mx) * (b - my) for a, b in zip(x, y, strict=True)) / sum((a - mx) ** 2 for a in x)


def main() -> None:
    """Print the tables."""
    for what, sizes in (("bars", BARS), ("sets", SETS)):
        found = [measure(n, FIXED_SETS) if what == "bars" else measure(FIXED_BARS, n) for n in sizes]
        other = f"{FIXED_SETS:,} parameter sets" if what == "bars" else f"{FIXED_BARS:,} bars"
        print(f"\nEmaCrossStrategy, {other}\n\n| {what} | time | memory above the start |\n|---:|---:|---:|")
        for n, one in zip(sizes, found, strict=True):
            print(f"| {n:,} | {one['seconds']:.3f} s | {one['memory']:.0f} MB |")
        print(f"\nSlope of time: {slope(sizes, [one['seconds'] for one in found]):.2f} (to reach: ≤ 1.05).")


if __name__ == "__main__":
    if len(sys.argv) == 3:
        print(json.dumps(work(int(sys.argv[1]), int(sys.argv[2]))))
    else:
        main()
