"""What a walk-forward costs: warm, as a whole process, beside Optuna's own TPE, and the Python around a trial.

``python benchmarks/bench_walkforward.py`` prints the table; figures are the minimum over rounds, as neighbours on a
machine make single runs slower.
"""

from __future__ import annotations

import cProfile
import pstats
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import maestro as ms
from maestro.walkforward.fold import evaluator
from maestro.walkforward.search import search
from maestro.walkforward.space import Space

N = 8_760
WHOLE = """
import maestro as ms
ms.walk_forward(ms.synthetic_bars({n}, seed=1), "EmaCrossStrategy", trials={trials}, search={search!r})
"""


def seconds(work: Callable[[], object], rounds: int) -> float:
    """Smallest time of a call; the first, which loads and compiles, is not counted."""
    work()
    taken = []
    for _ in range(rounds):
        began = time.perf_counter()
        work()
        taken.append(time.perf_counter() - began)
    return min(taken)


def whole_process(trials: int, method: str, rounds: int = 4) -> float:
    """Seconds from the start of Python to its end, kernels compiled before."""
    script = WHOLE.format(n=N, trials=trials, search=method)
    return seconds(lambda: subprocess.run([sys.executable, "-c", script], check=True), rounds)


def optunas_own(bars: ms.Bars) -> float:
    """The same walk-forward with Optuna's TPESampler in place of the compiled one, on all cores."""
    import optuna

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        sampler = optuna.samplers.TPESampler(multivariate=True)
    return seconds(lambda: ms.walk_forward(bars, "EmaCrossStrategy", trials=100, search=sampler), 2)


def around_a_trial(bars: ms.Bars) -> tuple[float, float]:
    """Seconds of a Sobol trial in a fold's search, and of the same set simulated without a search."""
    train = bars[: N // 5]
    plan = ms.research._Run(
        bars, "EmaCrossStrategy", ms.Rolling(), 1, "sobol", 0, None, None, ms.Costs(), ms.Sizing.percent(1.0), 1e5,
        "next_open", ms.walkforward.Selection(), False, None,
    ).plan  # fmt: skip
    evaluate = evaluator(plan, train)
    space = Space(plan.strategy)
    trials = search(evaluate, space, method="sobol", trials=4_000)
    sets = list({tuple(t.params.values()): t.params for t in trials}.values())
    alone = seconds(lambda: [evaluate(params) for params in sets], 5) / len(sets)
    searched = seconds(lambda: search(evaluate, space, method="sobol", trials=4_000), 5)
    return (searched - alone * len(sets)) / len(trials), alone


def profile(bars: ms.Bars) -> str:
    """Where the time of 9 x 100 TPE trials goes, in this thread."""
    profiler = cProfile.Profile()
    profiler.runcall(ms.walk_forward, bars, "EmaCrossStrategy", executor="serial")
    stats: Any = pstats.Stats(profiler)
    rows = sorted(stats.stats.items(), key=lambda row: -row[1][2])[:6]
    total = stats.total_tt
    return "\n".join(
        f"  {own / total:>5.0%}  {name} ({Path(file).name})" for (file, _, name), (_, _, own, _, _) in rows
    )


def main() -> None:
    """Print the table."""
    bars = ms.synthetic_bars(N, seed=1)
    rows: list[tuple[str, float, str]] = []
    for label, more in (("", {}), (", one thread", {"executor": "serial"}), (", kept on disk", {})):
        with tempfile.TemporaryDirectory() as folder:
            if "disk" in label:
                more = {"runs_dir": folder, "force": True}
            rows.append(
                (f"9 x 100 TPE{label}", seconds(lambda: ms.walk_forward(bars, "EmaCrossStrategy", **more), 9), "0.5")  # noqa: B023
            )
    rows.append(("9 x 100 TPE, whole process", whole_process(100, "tpe"), "2"))
    rows.append(("9 x 100, Optuna's TPESampler", optunas_own(bars), "peer"))
    for label, more in (
        ("", {}), (", one thread", {"executor": "serial"}), (", two processes", {"executor": "processes"}),
    ):  # fmt: skip
        work = lambda: ms.walk_forward(bars, "EmaCrossStrategy", trials=10_000, search="sobol", **more)  # noqa: B023, E731
        rows.append((f"9 x 10,000 Sobol{label}", seconds(work, 4), "1.5" if not label else ""))
    rows.append(("9 x 10,000 Sobol, whole process", whole_process(10_000, "sobol", 3), "3"))
    print(f"Walk-forward, {N:,} synthetic bars, EmaCrossStrategy, Rolling(10, 2, 1)")
    print(f"{'':40}{'best':>12}{'reach':>10}")
    for name, best, reach in rows:
        print(f"{name:40}{best:>10.3f} s{reach:>10}")
    python, alone = around_a_trial(bars)
    print(f"{'Python around a trial':40}{python * 1e6:>9.1f} µs{'~10':>10}   (a set alone: {alone * 1e6:.1f} µs)")
    print(f"where 9 x 100 TPE in one thread spends its time:\n{profile(bars)}")


if __name__ == "__main__":
    main()
