"""What a regime trigger is worth: OOS Sharpe ratio of triggered runs less that of the calendar and of random times.

``python -m benchmarks triggers`` runs all cells, prints the tables, and writes them between the markers of
docs/triggers.md. Cells are series times strategies; all runs of a cell test the same bars in as many windows, with
training windows of the same length. Intervals are bootstrapped over the series, since cells of one series hang
together. The data lies beside the project, in ``../shared/data``, and is not a part of it.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

import maestro as ms
from maestro.errors import MaestroError
from maestro.ledger import uncounted
from maestro.regime import Regimes
from maestro.typing import FloatArray

HERE = Path(__file__).parent
DATA = HERE.parents[1] / "shared" / "data"
PAGE = HERE.parent / "docs" / "triggers.md"
STRATEGIES = ("EmaCrossStrategy", "RSIStrategy", "BollingerBandsStrategy")
TRIALS = 20
REPETITIONS = 10
MINUS = "\N{MINUS SIGN}"
MARKS = ("<!-- results: begin -->", "<!-- results: end -->")


def series() -> dict[str, ms.Bars]:
    """Four-hour bars of 12 perpetuals (2024 to 2026) and 7 spot pairs (2018 and 2019)."""
    found: dict[str, ms.Bars] = {}
    for file, every in (("binance_usdm_12sym_4h.parquet", None), ("bitfinex_7sym_1h.parquet", "4h")):
        frame = pl.read_parquet(DATA / file)
        stamp = pl.col("timestamp")
        frame = frame.rename({"ts": "timestamp"}, strict=False)
        if frame["timestamp"].dtype.is_integer():
            frame = frame.with_columns(pl.from_epoch(stamp, "ms").dt.replace_time_zone("UTC"))
        if every:
            frame = frame.filter(stamp.dt.year() >= 2018)
        for (symbol,), part in sorted(frame.partition_by("symbol", as_dict=True).items()):
            columns = ("timestamp", "open", "high", "low", "close", "volume")
            bars = ms.Bars.from_frame(part.select(columns).sort("timestamp"), symbol=str(symbol))
            found[f"{file.split('_')[0]} {symbol}"] = bars.resample(every) if every else bars
    return found


def cell(bars: ms.Bars, strategy: str, states: int) -> dict[str, Any]:
    """Sharpe ratios of one cell, and why its test windows ended."""
    splitter = ms.OnRegime(model=Regimes(states=states), train="6mo", p=0.9, confirm=3, min_gap="2w", max_gap="3mo")
    with uncounted("benchmark of triggers"):
        wf = ms.walk_forward(bars, strategy, splitter=splitter, trials=TRIALS, seed=0, accept_defects=True)
        found = ms.validation.retiming(wf, bars, repetitions=REPETITIONS)
        sharpe = np.array([found.own, found.calendar, *found.random])
        returns = np.zeros(len(sharpe))
        if not np.isfinite(sharpe).all():
            again = ms.validation.retiming(wf, bars, repetitions=REPETITIONS, metric="total_return")
            returns = np.array([again.own, again.calendar, *again.random])
    why = np.select([np.isfinite(sharpe), returns <= -1.0, returns == 0.0], ["", "ruined", "without a trade"], "other")
    reasons = [cut["reason"] for cut in wf.manifest["cuts"]]
    random = found.random[np.isfinite(found.random)]
    return {
        "own": found.own, "calendar": found.calendar, "random": float(random.mean()) if len(random) else float("nan"),
        "rank": rank(sharpe), "why": why, "windows": len(wf.folds), "reasons": reasons,
    }  # fmt: skip


def rank(sharpe: FloatArray) -> float:
    """Share of the random times (from the third value on) that the run (the first) beats; a ruined one is the worst."""
    known = np.where(np.isfinite(sharpe), sharpe, -np.inf)
    return float((known[2:] < known[0]).mean() + 0.5 * (known[2:] == known[0]).mean())


def interval(values: Any, groups: list[str], seed: int = 0) -> str:
    """Mean with its 95 % interval over the groups (series), drawn with replacement."""
    names = sorted(set(groups))
    rng = np.random.default_rng(seed)
    by_group = [np.array([v for v, g in zip(values, groups, strict=True) if g == name]) for name in names]
    means = [
        np.concatenate([by_group[k] for k in rng.integers(0, len(names), len(names))]).mean() for _ in range(4_000)
    ]
    low, high = np.quantile(means, (0.025, 0.975))
    return f"{np.mean(values):+.2f} [{low:+.2f}, {high:+.2f}]".replace("-", MINUS)


def main() -> int:
    """Run all cells; write the page."""
    begun, rows = time.perf_counter(), []
    for name, bars in series().items():
        for strategy in STRATEGIES:
            for states in (2, 3):
                try:
                    found = cell(bars, strategy, states)
                except MaestroError as error:
                    found = {"error": str(error)}
                rows.append({"series": name, "strategy": strategy, "states": states, **found})
        print(f"{name}: {time.perf_counter() - begun:.0f} s", file=sys.stderr, flush=True)
    text = "\n".join(lines(rows))
    print(text)
    page = PAGE.read_text(encoding="utf-8")
    before, rest = page.split(MARKS[0])
    PAGE.write_text(f"{before}{MARKS[0]}\n{text}\n{MARKS[1]}{rest.split(MARKS[1])[1]}", encoding="utf-8")
    return 0


def lines(rows: list[dict[str, Any]]) -> list[str]:
    """Tables of the page."""
    text = [
        "| states | cells | Sharpe ratio of the run | less the calendar's | less that of random times | mean rank |",
        "|---|---|---|---|---|---|",
    ]
    notes = []
    for states in (2, 3):
        mine = [row for row in rows if row["states"] == states]
        failed = [row for row in mine if "error" in row]
        good = [row for row in mine if "error" not in row]
        # A cell in which one side was ruined or never traded has no difference; its rank counts.
        whole = [row for row in good if np.isfinite([row["own"], row["calendar"], row["random"]]).all()]
        groups = [row["series"] for row in whole]
        own, calendar, random = (np.array([row[key] for row in whole]) for key in ("own", "calendar", "random"))
        mean_rank = np.mean([row["rank"] for row in good])
        text.append(
            f"| {states} | {len(whole)} | {interval(own, groups)} | {interval(own - calendar, groups)} | "
            f"{interval(own - random, groups)} | {mean_rank:.2f} |"
        )
        reasons = [reason for row in whole for reason in row["reasons"]]
        counts = ", ".join(f"{reasons.count(one) / len(reasons):.0%} {one}" for one in sorted(set(reasons)))
        windows = np.mean([row["windows"] for row in whole])
        notes.append(
            f"- {states} states: {windows:.1f} test windows per cell; why they ended: {counts}. {len(failed)} cells "
            f"failed. {left_out(good, len(whole))}"
        )
        notes += [f"  - {row['series']}, {row['strategy']}: {row['error']}" for row in failed[:3]]
    return [*text, "", *notes]


def left_out(rows: list[dict[str, Any]], whole: int) -> str:
    """Why cells have no Sharpe ratio on one side, and how many random times have none."""
    why = np.array([row["why"] for row in rows])
    random = why[:, 2:]
    broke, idle = ((random == reason).mean() for reason in ("ruined", "without a trade"))
    parts = [
        f"{side} {reason} in {count}"
        for reason in sorted(set(why.ravel()) - {""})
        for side, cells in (
            ("the run", why[:, 0] == reason), ("the calendar", why[:, 1] == reason),
            ("every random time", (random == reason).all(axis=1)),
        )
        if (count := int(cells.sum()))
    ]  # fmt: skip
    return (
        f"{len(rows) - whole} cells have no Sharpe ratio on one side ({', '.join(parts) or 'none'}); of all runs at "
        f"random times {broke:.0%} were ruined and {idle:.0%} never traded."
    )


if __name__ == "__main__":
    raise SystemExit(main())
