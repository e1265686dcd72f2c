"""How often significance over many walk-forwards is wrong: 200 universes without an edge, and with one planted.

``python benchmarks/calibrate_many.py`` takes the samples that come with the package (no network). Each universe has 40
series: permuted bars of four stocks, ten orders of the days, so that series of one order stay correlated. Without an
edge, StepM should call a result significant in at most 5 % of the universes; with one planted among the 40 it should
find it. ``--universes``, ``--planted``, ``--edge`` and ``--trials`` say how many. Exit code 1 where more than 5 %, and
what chance allows beyond, are wrong. One process; run it with ``nice``.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from math import comb
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

import numpy as np

import maestro as ms
from maestro.validation.multiple import significance
from maestro.validation.verdict.calibration import planted_bars

SAMPLES = ("AAPL", "GOOG", "IBM", "MSFT")
SPACE = {"fast": (2, 10), "slow": (11, 40)}


def one(bars: list[ms.Bars], number: int, edge: float, trials: int) -> tuple[bool, bool, int]:
    """Whether something false remains, whether the planted one remains, and how many p-values are below 5 %."""
    series = {}
    for k in range(40):
        seed = np.random.SeedSequence([number, k // len(bars)])
        planted = edge if k == 0 else 0.0
        series[f"S{k:02d}"] = planted_bars(bars[k % len(bars)], planted, duration=30.0, seed=seed)
    many = ms.walk_forward_many(
        ms.universe(series), "EmaCrossStrategy", splitter="rolling:6,2,1", trials=trials, space=SPACE,
        executor="serial", costs=ms.Costs(fee=0.0005, slippage=0.0), accept_defects=True,
    )  # fmt: skip
    found = significance(many, repetitions=1_999, seed=number)
    remaining = found.remaining["symbol"].to_list()
    return any(name != "S00" or not edge for name in remaining), "S00" in remaining, found.below


def chance(n: int, wrong: int, p: float) -> float:
    """Probability of so many or more wrong ones out of n, each with probability p."""
    return sum(comb(n, k) * p**k * (1 - p) ** (n - k) for k in range(wrong, n + 1))


def main() -> int:
    """Run, print, and return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--universes", type=int, default=200, help="without an edge")
    parser.add_argument("--planted", type=int, default=50, help="with one planted")
    parser.add_argument("--edge", type=float, default=0.4, help="in standard deviations a bar")
    parser.add_argument("--trials", type=int, default=5, help="per fold")
    parser.add_argument("--bars", type=int, default=1_500)
    given = parser.parse_args()
    bars = [ms.load(f"sample:{name}")[-given.bars :] for name in SAMPLES]
    print("| universes | edge | something false remains | the planted one remains | p-values below 5 % | seconds |")
    print("|---|---|---|---|---|---|")
    wrong = 0
    with tempfile.TemporaryDirectory() as ledgers:
        os.environ["MAESTRO_LEDGER_DIR"] = ledgers
        for count, edge in ((given.universes, 0.0), (given.planted, given.edge)):
            began = time.perf_counter()
            rows = [one(bars, number, edge, given.trials) for number in range(count)]
            false, found, below = (sum(row[k] for row in rows) for k in range(3))
            shown = f"{found / count:.1%}" if edge else "–"
            seconds = time.perf_counter() - began
            print(
                f"| {count} | {edge:g} | {false / count:.1%} | {shown} | {below / count / 40:.1%} | {seconds:,.0f} |",
                flush=True,
            )
            wrong = wrong if edge else false
    return int(chance(given.universes, wrong, 0.05) < 0.01)


if __name__ == "__main__":
    sys.exit(main())
