"""What more trials and a better sampler are worth: Sharpe ratio in sample, out of sample, and CPU time.

``python -m benchmarks samplers`` runs cells for ten minutes at most, prints the tables, and writes them between the
markers of docs/samplers.md. Cells are series times strategies times seeds, in an order drawn once, so that those of the
time given are a fair sample; two idle cores make all of them in about five minutes. Intervals are
bootstrapped over the series, since cells of one series hang together. The series lie beside the project, in
``../shared/data``; where they are absent, four series from ``tests/support/real`` take their place, and the tables are
printed only.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from dataclasses import replace
from functools import lru_cache
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

import maestro as ms
from benchmarks.triggers import DATA, HERE, MARKS, interval
from benchmarks.triggers import series as shared_series
from maestro.ledger import uncounted
from maestro.validation.verdict.calibration import planted_bars
from maestro.walkforward.fold import run_fold
from maestro.walkforward.tables import assemble, fold_tables, stitched_metrics

PAGE = HERE.parent / "docs" / "samplers.md"
SLICE = HERE.parent / "tests" / "support" / "real" / "lean_us_equity_daily_10sym.parquet"
STRATEGIES = (
    "EmaCrossStrategy", "RSIStrategy", "BollingerBandsStrategy", "TrendFollowingATR", "MACDStrategy",
    "ChannelStrategy",
)  # fmt: skip
SAMPLERS = ("tpe", "random", "sobol", "grid")
BUDGETS = (30, 100, 300)
SAME_TIME = ("random", "sobol")
"""Samplers that also get the time of TPE: they are the ones that cost less and can use any number of trials."""
REFERENCE = 100
"""TPE trials whose time the others get."""
PATIENCE = (20, 50)
"""Trials without a better score after which a search would stop."""
EDGE = 0.2
PLANTED = ("EmaCrossStrategy", "TrendFollowingATR")
SETTINGS: dict[str, Any] = {"sizing": "percent:0.2", "executor": "serial", "accept_defects": True, "progress": False}
"""A fifth of the equity per position: at full size, shorts ruin some cells, which then have no Sharpe ratio."""
KEYS = ("is", "oos", "seconds")
Row = dict[str, Any]


@lru_cache(maxsize=1)
def series() -> dict[str, ms.Bars]:
    """Nineteen series of four-hour bars, or four series of daily bars from the repository."""
    if DATA.is_dir():
        return shared_series()
    frame = pl.read_parquet(SLICE)
    return {name: _daily(frame, name) for name in ("BAC", "IBM", "IWM", "SPY")}  # without splits after 2009


def _daily(frame: pl.DataFrame, symbol: str) -> ms.Bars:
    frame = frame.filter(pl.col("symbol") == symbol).rename({"dt": "timestamp"}).sort("timestamp")
    columns = ("timestamp", "open", "high", "low", "close", "volume")
    return ms.Bars.from_frame(frame.select(columns).tail(3_000), symbol=symbol)


@lru_cache(maxsize=2)
def bars_of(name: str, planted: bool) -> ms.Bars:
    """Bars of a series, or its permuted returns with a trend that can be found."""
    bars = series()[name]
    return planted_bars(bars, EDGE, seed=list(series()).index(name)) if planted else bars


def measured(bars: ms.Bars, strategy: str, sampler: str, trials: int, seed: int) -> tuple[ms.WalkForward, Row]:
    """One walk-forward: mean Sharpe ratio of the choices in sample, Sharpe ratio out of sample, CPU seconds."""
    began = time.process_time()
    wf = ms.walk_forward(bars, strategy, search=sampler, trials=trials, seed=seed, **SETTINGS)
    seconds = time.process_time() - began
    return wf, {"is": wf.folds["is_sharpe_ratio"].mean(), "oos": wf.metrics["sharpe_ratio"], "seconds": seconds}


def cell(name: str, strategy: str, seed: int, planted: bool, extra: dict[str, int]) -> list[Row]:
    """All walk-forwards of a cell. `extra` has the number of trials of samplers that get the time of TPE."""
    with uncounted("benchmark of samplers"):
        bars = bars_of(name, planted)
        rows, long = [], None
        for sampler in SAMPLERS:
            budgets = [*BUDGETS, *([extra[sampler]] if sampler in extra else [])]
            for place, trials in enumerate(budgets):
                wf, row = measured(bars, strategy, sampler, trials, seed)
                what = "same time" if place == len(BUDGETS) else str(trials)
                rows.append({"sampler": sampler, "trials": what, **row})
                long = wf if (sampler, trials) == ("tpe", BUDGETS[-1]) else long
        if long is not None and not planted:
            rows += [row for patience in PATIENCE for row in early(long, strategy, seed, patience)]
        if not planted:
            rows += untuned(bars, strategy, long)
    return [{"series": name, "strategy": strategy, "seed": seed, "planted": planted, **row} for row in rows]


def untuned(bars: ms.Bars, strategy: str, wf: ms.WalkForward | None) -> list[Row]:
    """The strategy's defaults and buy and hold, over the same tested bars."""
    one, row = measured(bars, strategy, "tpe", 1, 0)
    held = {"is": float("nan"), "oos": (wf or one).benchmark["sharpe_ratio"], "seconds": 0.0}
    return [{"sampler": "defaults", "trials": "1", **row}, {"sampler": "buy and hold", "trials": "0", **held}]


def early(wf: ms.WalkForward, strategy: str, seed: int, patience: int) -> list[Row]:
    """What stopping each fold's search early gives, and a fixed number of trials that is equal on average.

    TPE proposes the same sets whatever its budget, so a search that stops is a shorter search.
    """
    plan, bars = wf.plan, wf.bars
    if plan is None or bars is None:
        raise ValueError("a walk-forward that was loaded has no plan")
    windows = ms.Rolling().split(bars)
    stops = [stop(part["sharpe_ratio"].to_list(), patience) for part in wf.trials.partition_by("fold")]
    began = time.process_time()
    folds = [
        run_fold(replace(plan, trials=n), bars, window, k)
        for k, (n, window) in enumerate(zip(stops, windows, strict=True))
    ]
    tables = assemble([fold_tables(fold, bars, plan.space, plan.cash) for fold in folds], plan.cash)
    found = stitched_metrics(tables["equity"], tables["folds"], tables["trades"], plan.cash, wf.spec.periods_per_year)
    seconds = time.process_time() - began
    inside = tables["folds"]["is_sharpe_ratio"].mean()
    row = {"is": inside, "oos": found["sharpe_ratio"], "seconds": seconds, "mean": float(np.mean(stops))}
    fixed = round(float(np.mean(stops)))
    _, plain = measured(bars, strategy, "tpe", fixed, seed)
    return [
        {"sampler": f"stop {patience}", "trials": "early", **row},
        {"sampler": f"stop {patience}", "trials": "fixed", **plain, "mean": float(fixed)},
    ]


def stop(scores: Sequence[float | None], patience: int) -> int:
    """Return after how many trials a search stops that saw no better score for `patience` trials."""
    best, since = -np.inf, 0
    for number, score in enumerate(scores, start=1):
        better = score is not None and score > best  # an undefined score is no improvement
        best, since = (float(score), 0) if better and score is not None else (best, since + 1)
        if since >= patience:
            return number
    return len(scores)


def trials_of_equal_time(times: dict[tuple[str, int], float]) -> dict[str, int]:
    """Trials for which a sampler takes as long as TPE for `REFERENCE`, on the line through its two largest budgets."""
    few, many = BUDGETS[-2:]
    found = {}
    for sampler in SAME_TIME:
        slope = (times[sampler, many] - times[sampler, few]) / (many - few)
        wanted = few + (times["tpe", REFERENCE] - times[sampler, few]) / max(slope, 1e-9)
        found[sampler] = int(np.clip(round(wanted, -1), REFERENCE, 5_000))
    return found


def calibrated() -> dict[str, int]:
    """Measure the CPU time of each sampler on the first series, one walk-forward per strategy."""
    bars = next(iter(series().values()))
    pairs = [("tpe", REFERENCE), *((sampler, trials) for sampler in SAME_TIME for trials in BUDGETS[-2:])]
    with uncounted("benchmark of samplers"):
        for strategy in STRATEGIES:
            measured(bars, strategy, "tpe", 30, 0)  # loads compiled code
        times = {
            pair: sum(measured(bars, strategy, *pair, 0)[1]["seconds"] for strategy in STRATEGIES) for pair in pairs
        }
    return trials_of_equal_time(times)


def lines(rows: list[Row], extra: dict[str, int]) -> list[str]:
    """Tables of the page."""
    real = pl.DataFrame([row for row in rows if not row["planted"]], infer_schema_length=None)
    planted = pl.DataFrame([row for row in rows if row["planted"]], infer_schema_length=None)
    text = ["**Real series.** Sharpe ratio per year.", "", *_table(real, extra)]
    text += ["", f"**A planted edge** of {EDGE:g} standard deviations per bar.", "", *_table(planted, extra)]
    return [*text, "", "**Stopping a search early**, against 300 TPE trials.", "", *_early_table(real)]


def _wide(rows: pl.DataFrame) -> tuple[dict[tuple[str, str], dict[str, np.ndarray]], list[str], int]:
    """Columns by sampler and number of trials over the same cells, their series, and how many cells were left out."""
    cells = ("series", "strategy", "seed")
    undefined = pl.col("oos").is_null() | pl.col("oos").is_nan()
    whole = rows.filter(~undefined.any().over(cells))
    left = rows.select(cells).unique().height - whole.select(cells).unique().height
    found = {}
    for (sampler, trials), part in whole.group_by("sampler", "trials", maintain_order=True):
        part = part.sort(cells)
        found[str(sampler), str(trials)] = {key: part[key].cast(pl.Float64).to_numpy() for key in KEYS}
    first = whole.filter((pl.col("sampler") == "tpe") & (pl.col("trials") == str(BUDGETS[0]))).sort(cells)
    return found, first["series"].to_list(), left


def _table(rows: pl.DataFrame, extra: dict[str, int]) -> list[str]:
    found, groups, left = _wide(rows)
    tpe = {trials: found["tpe", trials] for trials in map(str, BUDGETS)}
    text = [
        "| sampler | trials per fold | in sample | out of sample | in sample, less TPE's | out of sample, less TPE's | "
        "CPU seconds per walk-forward |",
        "|---|---:|---|---|---|---|---:|",
    ]
    order = [(sampler, str(trials)) for trials in BUDGETS for sampler in SAMPLERS]
    order += [(sampler, "same time") for sampler in SAME_TIME]
    for sampler, trials in order:
        one, beside = found[sampler, trials], tpe[str(REFERENCE) if trials == "same time" else trials]
        own = sampler == "tpe"
        differences = ["" if own else interval(one[key] - beside[key], groups) for key in ("is", "oos")]
        output = f"{extra[sampler]} (time of {REFERENCE} with TPE)" if trials == "same time" else trials
        text.append(
            f"| {sampler} | {output} | {interval(one['is'], groups)} | {interval(one['oos'], groups)} | "
            f"{' | '.join(differences)} | {one['seconds'].mean():.2f} |"
        )
    for sampler, trials in (("defaults", "1"), ("buy and hold", "0")):
        if (sampler, trials) in found:
            oos = interval(found[sampler, trials]["oos"], groups)
            text.append(f"| {sampler} | not searched | | {oos} | | | |")
    counts = f"{len(groups)} cells: {len(set(groups))} series, {rows['strategy'].n_unique()} strategies, "
    seeds = rows["seed"].n_unique()
    counts += f"{seeds} seed{'s' if seeds > 1 else ''}; {left} more have no Sharpe ratio somewhere and are left out."
    return [*text, "", counts]


def _early_table(rows: pl.DataFrame) -> list[str]:
    found, groups, _ = _wide(rows)
    full = found["tpe", str(BUDGETS[-1])]
    text = [
        "| search | mean trials per fold | in sample, less that of 300 | out of sample, less that of 300 | CPU time |",
        "|---|---:|---|---|---:|",
    ]
    for patience in PATIENCE:
        for kind, rule in (
            ("early", f"stops after {patience} trials without a better one"),
            ("fixed", "fixed number"),
        ):
            one = found[f"stop {patience}", kind]
            mean = rows.filter((pl.col("sampler") == f"stop {patience}") & (pl.col("trials") == kind))["mean"].mean()
            inside, outside = (interval(one[key] - full[key], groups) for key in ("is", "oos"))
            share = one["seconds"].sum() / full["seconds"].sum()
            text.append(f"| {rule} | {mean:.0f} | {inside} | {outside} | {share:.0%} |")
    for patience in PATIENCE:
        both = [found[f"stop {patience}", kind] for kind in ("early", "fixed")]
        inside, outside = (interval(both[0][key] - both[1][key], groups) for key in ("is", "oos"))
        text += ["", f"Stopping after {patience}, less a fixed number: in sample {inside}, out of sample {outside}."]
    return text


def main(given: Sequence[str] = ()) -> int:
    """Run all cells; write the page."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks samplers", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--minutes", type=float, default=10.0, help="no cell is begun after so many")
    parser.add_argument("--seeds", type=int, default=1, help="of the real series; planted ones have one")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--out", type=Path, help="keep every row as Parquet")
    options = parser.parse_args(list(given))
    if hasattr(os, "nice"):
        os.nice(5)
    began = time.perf_counter()
    extra = calibrated()
    names = list(series())
    cells = [
        (name, strategy, seed, False) for seed in range(options.seeds) for name in names for strategy in STRATEGIES
    ]
    cells += [(name, strategy, 0, True) for name in names for strategy in PLANTED]
    rows: list[Row] = []
    done = 0
    with ProcessPoolExecutor(options.workers, mp_context=get_context("spawn")) as pool:
        waiting = [cells[k] for k in np.random.default_rng(0).permutation(len(cells))]
        running: set[Future[list[Row]]] = set()
        while running or waiting:
            if (time.perf_counter() - began) / 60 >= options.minutes:
                waiting = []
            while waiting and len(running) < options.workers:
                running.add(pool.submit(cell, *waiting.pop(0), extra))
            ended, running = wait(running, return_when=FIRST_COMPLETED)
            for future in ended:
                rows += future.result()
                done += 1
                print(f"{done} of {len(cells)}: {time.perf_counter() - began:.0f} s", file=sys.stderr, flush=True)
            if options.out:
                pl.DataFrame(rows, infer_schema_length=None).write_parquet(options.out)
    minutes = (time.perf_counter() - began) / 60
    text = "\n".join([
        *lines(rows, extra), "",
        f"{done} of {len(cells)} cells in {minutes:.0f} minutes with {options.workers} processes on a shared machine.",
    ])  # fmt: skip
    print(text)
    if DATA.is_dir():
        page = PAGE.read_text(encoding="utf-8")
        before, rest = page.split(MARKS[0])
        PAGE.write_text(f"{before}{MARKS[0]}\n{text}\n{MARKS[1]}{rest.split(MARKS[1])[1]}", encoding="utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
