"""Ranks among random entries on random walks, where no rule has an edge, and with a planted edge.

``python benchmarks/calibrate_entries.py`` prints, for each rule, the mean rank and the share of ranks in both tails,
with the p-value of a Kolmogorov-Smirnov test against the uniform distribution. On random walks the mean rank should be
0.5 and the shares 5 %. Runs have no costs, which would only blur the ranks. ``--walks 200`` takes a third of the time.
"""

from __future__ import annotations

import argparse
import math
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

import numpy as np
from scipy.stats import kstest

import maestro as ms
from maestro.errors import SettingsError
from maestro.ledger import uncounted
from maestro.typing import FloatArray

RULES = ("EmaCrossStrategy", "RSIStrategy", "TrendFollowingATR")
WALKS = 600
BARS = 1_500
REPETITIONS = 99


class Foreseen(ms.Strategy):
    """Enters before rises of 2 % over two bars: a planted edge, as it looks ahead."""

    n = ms.Int(3, 2, 6)

    def signals(self, bars: ms.Bars) -> ms.Signals:
        ahead = np.concatenate((bars.close[2:] / bars.close[:-2] - 1, [0.0, 0.0]))
        return ms.Signals(ahead > 0.02, ahead < 0.0)


def ranks(strategy: Any, walks: int) -> FloatArray:
    """Ranks of runs on random walks; a run without a position has none."""
    found = []
    for seed in range(walks):
        bars = ms.synthetic_bars(BARS, seed=seed)
        with uncounted("calibration of random entries"):
            wf = ms.walk_forward(
                bars, strategy, trials=3, costs=ms.Costs(0, 0), search="random", executor="serial", accept_defects=True
            )
        try:
            found.append(ms.validation.random_entries(wf, bars, repetitions=REPETITIONS).rank)
        except SettingsError:
            continue
    return np.array(found)


def line(rule: str, found: FloatArray) -> str:
    """One row of the table."""
    error = 1 / math.sqrt(12 * len(found))
    return (
        f"| {rule} | {len(found)} | {found.mean():.3f} ± {error:.3f} | {(found < 0.05).mean():.1%} | "
        f"{(found > 0.95).mean():.1%} | {kstest(found, 'uniform').pvalue:.3f} |"
    )


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--walks", type=int, default=WALKS, help="random walks for each rule (default: %(default)s)")
    walks = parser.parse_args().walks
    print(f"{walks} random walks of {BARS:,} bars, {REPETITIONS} runs with random entries each.\n")
    print("| rule | runs with a position | mean rank | below 0.05 | above 0.95 | p (uniform) |")
    print("|---|---|---|---|---|---|")
    for rule in RULES:
        print(line(f"`{rule}`", ranks(rule, walks)), flush=True)
    print(line("planted edge", ranks(Foreseen, max(10, walks // 10))))


if __name__ == "__main__":
    main()
