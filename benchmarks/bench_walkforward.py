"""A walk-forward, warm and as a whole process, beside Optuna's own TPE with the same kernel.

``python benchmarks/bench_walkforward.py`` prints the table. Nine folds of 8,760 hourly bars (a random walk, rolling
10, 2, 1), EMA crossing. Figures are the best of several rounds, as neighbours on a machine make single ones slower.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

import maestro as ms

BARS = 8_760
WHOLE = """
import maestro as ms

if __name__ == "__main__":
    ms.walk_forward(ms.synthetic_bars({bars}, seed=1), "EmaCrossStrategy", **{settings})
"""


def best(work: Callable[[], object], rounds: int) -> float:
    """Smallest wall time of a call [s]."""
    taken = []
    for _ in range(rounds):
        began = time.perf_counter()
        work()
        taken.append(time.perf_counter() - began)
    return min(taken)


def warm(settings: dict[str, Any], rounds: int) -> float:
    """Wall time of a walk-forward in a process that has done one."""
    bars = ms.synthetic_bars(BARS, seed=1)
    ms.walk_forward(bars, "EmaCrossStrategy", **settings)
    return best(lambda: ms.walk_forward(bars, "EmaCrossStrategy", **settings), rounds)


def whole(settings: dict[str, Any], rounds: int) -> float:
    """Wall time of a process that does one, start and imports included (kernels compiled before)."""
    code = WHOLE.format(bars=BARS, settings=settings)
    return best(lambda: subprocess.run([sys.executable, "-c", code], check=True), rounds)


def optuna_itself() -> dict[str, Any]:
    """The same trials with Optuna's TPE: its sampler, our kernel."""
    import warnings

    import optuna

    warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
    return {"trials": 100, "search": optuna.samplers.TPESampler(multivariate=True)}


def main() -> None:
    tpe, sobol = {"trials": 100}, {"trials": 10_000, "search": "sobol"}
    pair = {"executor": "processes", "workers": 2}
    optuna = {**optuna_itself(), "executor": "serial"}
    rows = [
        ("9 x 100 TPE, warm", warm(tpe, 9), 0.5),
        ("9 x 100 TPE, whole process", whole(tpe, 5), 2.0),
        ("9 x 100, Optuna's TPE, one process, warm", warm(optuna, 3), None),
        (
            "9 x 100, Optuna's TPE, two processes, warm",
            warm({**optuna, "executor": "processes", "workers": 2}, 3),
            None,
        ),
        ("9 x 10,000 Sobol sets, two processes, warm", warm({**sobol, **pair}, 5), 1.5),
        ("9 x 10,000 Sobol sets, one process, warm", warm({**sobol, "executor": "serial"}, 3), None),
        ("9 x 10,000 Sobol sets, whole process", whole(sobol, 3), 3.0),
    ]
    load = os.getloadavg()[0]
    print(f"Walk-forward of {BARS:,} bars, 9 folds; {os.cpu_count()} cores, load {load:.1f}")
    for name, seconds, target in rows:
        aim = "" if target is None else f"   (aim {target:g} s{'' if seconds <= target else ', MISSED'})"
        print(f"{name:<45}{seconds:8.3f} s{aim}")
    ratio = rows[2][1] / rows[0][1]
    print(f"Optuna's own TPE takes {ratio:.1f} times as long in one process.")


if __name__ == "__main__":
    main()
