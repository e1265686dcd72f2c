"""Whether a check on regimes would add to the verdict: noise, an edge everywhere, and an edge in one regime only.

``python benchmarks/calibrate_regimes.py`` makes series with calm and turbulent stretches from permuted real returns,
with and without planted trends, runs a walk-forward and ``wf.by_regime()`` on each, and prints how often two candidate
checks pass: overall, and where the checks of the preliminary verdict on performance and on profitable folds pass too.
``--minutes`` limits the time; designs take turns, so that all have equally many series. No network is needed.
"""

from __future__ import annotations

import argparse
import math
import os
import sys
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

import numpy as np
import polars as pl

import maestro as ms
from maestro.ledger import uncounted
from maestro.typing import BoolArray, FloatArray
from maestro.validation.statistics.permutation import permuted_bars

STRATEGY = "EmaCrossStrategy"
SPACE: dict[str, Any] = {"fast": (2, 15), "slow": (16, 60)}  # as calibrate_verdict.py has it
TRIALS = 30
LENGTHS = (120, 60)
"""Mean number of bars of a calm and of a turbulent stretch."""
SCALES = (0.7, 1.7)
"""Factor on the returns of calm and turbulent bars."""
TREND = 30
"""Mean length of a planted trend [bars]."""
DESIGNS: dict[str, tuple[float, tuple[bool, bool]]] = {
    "noise": (0.0, (False, False)),
    "edge of 0.3 everywhere": (0.3, (True, True)),
    "edge of 0.5 when calm only": (0.5, (True, False)),
    "edge of 0.5 when turbulent only": (0.5, (False, True)),
}
"""Size of the edge in standard deviations of the bar's own regime, and whether calm and turbulent bars have it."""
EXISTING = ("trades", "length", "sharpe", "benchmark", "consistency")
"""Checks of the preliminary verdict that a run passes before a check on regimes matters."""
CANDIDATES = {
    "profit in every regime": lambda row: row["worst"] > 0,
    "no regime has more than 80 % of the profit": lambda row: row["total"] > 0 and row["best_share"] <= 0.8,
}


def switching(n: int, lengths: tuple[float, float], rng: np.random.Generator) -> BoolArray:
    """A state that stays for a geometric number of bars with the given mean, False first."""
    state, now = np.zeros(n, np.bool_), False
    leaves = rng.random(n)
    for k in range(n):
        now ^= bool(leaves[k] < 1.0 / lengths[now])
        state[k] = now
    return state


def made_bars(bars: ms.Bars, edge: float, where: tuple[bool, bool], seed: int) -> ms.Bars:
    """Permuted returns, scaled by a hidden state of volatility, with trends where the state has an edge."""
    rng = np.random.default_rng(seed)
    noise = permuted_bars(bars, rng)
    n = len(noise)
    turbulent, up = switching(n, LENGTHS, rng), switching(n, (TREND, TREND), rng)
    before = np.concatenate((noise.open[:1], noise.close[:-1]))
    moves = {name: np.log(getattr(noise, name) / before) for name in ("open", "high", "low", "close")}
    scale = np.where(turbulent, SCALES[1], SCALES[0])
    drift = np.where(up, edge, -edge) * float(moves["close"].std()) * np.where(turbulent, where[1], where[0])
    moves = {name: move * scale for name, move in moves.items()}
    moves["close"] = moves["close"] + drift * scale
    moves["high"] = np.maximum(moves["high"], moves["close"])
    moves["low"] = np.minimum(moves["low"], moves["close"])
    start = math.log(noise.open[0]) + np.concatenate(([0.0], np.cumsum(moves["close"])[:-1]))
    frame = noise.to_frame().with_columns(pl.Series(name, np.exp(start + move)) for name, move in moves.items())
    return ms.Bars.from_frame(
        frame.select("timestamp", "open", "high", "low", "close", "volume"), symbol="MADE", timeframe=bars.timeframe,
        periods_per_year=bars.periods_per_year,
    )  # fmt: skip


def one(bars: ms.Bars, design: str, seed: int) -> dict[str, Any]:
    """Whether one run passes the existing checks, and its profit in each regime out of sample."""
    made = made_bars(bars, *DESIGNS[design], seed)
    with uncounted("calibration of regimes"):
        wf = ms.walk_forward(
            made, STRATEGY, trials=TRIALS, space=SPACE, executor="serial", accept_defects=True, progress=False
        )
    table = wf.by_regime().filter((pl.col("sample") == "out") & (pl.col("share") >= 0.1))
    with np.errstate(divide="ignore"):  # a ruined run fails every check
        growth = np.log1p(table["total_return"].to_numpy())
    total = float(growth.sum())
    return {
        "design": design, "seed": seed, "passes": all(wf.verdict[key].outcome == "pass" for key in EXISTING),
        "sharpe_ratio": wf.metrics["sharpe_ratio"],
        "worst": float(growth.min()), "total": total, "best_share": float(growth.max() / total) if total > 0 else 1.0,
        "states": len(growth),
    }  # fmt: skip


def share(hits: FloatArray | BoolArray) -> str:
    """A share with its 95 % interval (Wilson)."""
    n = len(hits)
    if not n:
        return "–"
    p, z = float(np.mean(hits)), 1.96
    middle, half = p + z * z / (2 * n), z * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    low, high = (middle - half) / (1 + z * z / n), (middle + half) / (1 + z * z / n)
    return f"{p:.0%} [{max(low, 0):.0%}, {high:.0%}] of {n}"


def lines(rows: list[dict[str, Any]]) -> list[str]:
    """How often the existing checks and the candidates pass."""
    text = [
        f"| series | existing checks pass | {' | '.join(f'{name}: all; of those' for name in CANDIDATES)} |",
        "|---|---|" + "---|" * len(CANDIDATES),
    ]
    for design in DESIGNS:
        mine = [row for row in rows if row["design"] == design]
        before = np.array([row["passes"] for row in mine], np.bool_)
        cells = []
        for passes in CANDIDATES.values():
            hits = np.array([passes(row) for row in mine], np.bool_)
            cells.append(f"{share(hits)}; {share(hits[before])}")
        text.append(f"| {design} | {share(before)} | {' | '.join(cells)} |")
    return text


def main() -> int:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--series", type=int, default=100, help="of each design")
    parser.add_argument("--minutes", type=float, default=10.0, help="no series is begun after so many")
    parser.add_argument("--out", type=Path, default=None, help="keep every row as Parquet")
    given = parser.parse_args()
    if hasattr(os, "nice"):
        os.nice(5)
    began, rows, bars = time.perf_counter(), [], ms.load_sample("AAPL")
    for seed in range(given.series):
        if (time.perf_counter() - began) / 60 >= given.minutes:
            break
        rows += [one(bars, design, seed) for design in DESIGNS]
        print(f"{seed + 1} of {given.series}: {time.perf_counter() - began:.0f} s", file=sys.stderr, flush=True)
        if given.out is not None:
            pl.DataFrame(rows).write_parquet(given.out)
    print("\n".join(lines(rows)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
