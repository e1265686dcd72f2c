"""How often the verdict is right: 200 walk-forwards on noise, and 20 on series with a planted edge of each size.

``python benchmarks/calibrate_verdict.py`` takes the samples that come with the package (no network);
``--hours FILE`` adds a year of hourly bars (a Parquet or CSV file, first 8,760 bars), ``--series`` and ``--planted``
say how many. It prints Markdown; ``--out FILE`` keeps every row as Parquet. Exit code 1 where "robust" comes out in
more than 5 % on noise. Run it with ``nice``: it takes all cores for some minutes.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

import polars as pl

import maestro as ms
from maestro.validation.verdict.calibration import calibrate, shares

SAMPLES = ("AAPL", "GOOG", "IBM", "MSFT")
SPACES: dict[str, dict[str, Any] | None] = {
    "EmaCrossStrategy": {"fast": (2, 15), "slow": (16, 60)},  # fast enough to trade thirty times in ten years of days
    "BollingerBandsStrategy": None,
}
PLANTED = "EmaCrossStrategy"


def main() -> int:
    """Run, print, and return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--series", type=int, default=200, help="walk-forwards on noise, over all pairs")
    parser.add_argument("--planted", type=int, default=20, help="walk-forwards for each size of the edge")
    parser.add_argument("--edges", default="0.2,0.3,0.4", help="in standard deviations a bar")
    parser.add_argument("--trials", type=int, default=30, help="a fold")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--workers", type=int, default=None)
    parser.add_argument("--hours", type=Path, default=None, help="file with hourly bars, FILE#SYMBOL of several")
    parser.add_argument("--out", type=Path, default=None)
    given = parser.parse_args()
    series: dict[str, ms.Bars] = {name: ms.load(f"sample:{name}") for name in SAMPLES}
    if given.hours is not None:
        series = {"hours": ms.load(str(given.hours))[:8_760]}
    pairs = [(bars, strategy) for bars in series.values() for strategy in SPACES]
    each = given.series // len(pairs)
    common: dict[str, Any] = {"trials": given.trials, "seed": given.seed, "workers": given.workers}
    begun = time.perf_counter()
    noise = pl.concat(
        [calibrate(bars, strategy, series=each, space=SPACES[strategy], **common) for bars, strategy in pairs]
    )
    noise_seconds = time.perf_counter() - begun
    print(f"Noise: {len(noise)} walk-forwards, {given.trials} trials per fold, {noise_seconds:,.0f} s\n", flush=True)
    print(_counts(noise), flush=True)
    tables = [noise]
    begun = time.perf_counter()
    for edge in (float(part) for part in given.edges.split(",") if part):
        bars = next(iter(series.values()))
        table = calibrate(bars, PLANTED, edge=edge, series=given.planted, space=SPACES[PLANTED], **common)
        tables.append(table)
        print(f"\nEdge {edge:g}: robust in {(table['conclusion'] == 'robust').mean():.0%}", flush=True)
    seconds = time.perf_counter() - begun
    whole = pl.concat(tables)
    if given.out is not None:
        whole.write_parquet(given.out)
    print(f"\nPlanted: {len(whole) - len(noise)} walk-forwards, {seconds:,.0f} s\n")
    print(_table(shares(whole)))
    wrong = float((noise["conclusion"] == "robust").mean())  # type: ignore[arg-type]
    print(f"\nrobust on noise: {wrong:.1%} (at most 5 %)")
    return int(wrong > 0.05)


def _counts(noise: pl.DataFrame) -> str:
    lines = ["| bars | strategy | robust | inconclusive | fitted | not enough data |", "|---|---|---:|---:|---:|---:|"]
    for (bars, strategy), part in noise.group_by("bars", "strategy", maintain_order=True):
        counts = [str((part["conclusion"] == c).sum()) for c in ("robust", "inconclusive", "fitted", "not enough data")]
        lines.append(f"| {bars} | {strategy} | {' | '.join(counts)} |")
    return "\n".join(lines)


def _table(found: pl.DataFrame) -> str:
    edges = found["edge"].unique(maintain_order=True).to_list()
    lines = [
        f"| | | {' | '.join('noise' if not e else f'edge {e:g}' for e in edges)} |",
        "|---|---|" + "---:|" * len(edges),
    ]
    for (what, name), part in found.group_by("what", "name", maintain_order=True):
        cells = dict(zip(part["edge"], part["share"], strict=True))
        output = ["–" if cells.get(e) is None else f"{cells[e]:.1%}" for e in edges]
        lines.append(f"| {what} | {name} | {' | '.join(output)} |")
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
