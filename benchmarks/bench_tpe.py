"""What a trial of the compiled TPE costs, beside Optuna's own sampler on the same proposals in the same run.

``python benchmarks/bench_tpe.py`` prints the table; figures are the minimum over rounds, as neighbours on a machine
make single runs slower. Objectives cost nothing, so what is measured is the sampler: proposing, checking the
constraint, telling.
"""

from __future__ import annotations

import logging
import os
import subprocess
import sys
import tempfile
import time
from typing import Any

from maestro.search.space import Space
from maestro.search.tpe import Tpe
from maestro.strategies.base import Strategy
from maestro.strategies.parameters import Constraint, Float, Int

TRIALS = 100
ROUNDS = 9
FAST_SLOW = Constraint("fast < slow", lambda p: p.fast < p.slow)

SPACES: dict[str, dict[str, Any]] = {
    "2 whole numbers, a constraint": {"fast": Int(50, 5, 100), "slow": Int(100, 20, 200), "constraints": (FAST_SLOW,)},
    "3 parameters": {"n": Int(20, 10, 50), "dev": Float(1.5, 1.0, 3.0), "stop": Float(0.05, 0.01, 0.2, log=True)},
    "4 whole numbers": {name: Int(20, 5, 100) for name in ("a", "b", "c", "d")},
    "7 parameters": {
        **{name: Int(20, 5, 100) for name in ("a", "b", "c", "d", "e")},
        "x": Float(2.0, 1.5, 3.0),
        "y": Float(0.05, 0.035, 0.1),
    },
}
COLD = """
import time
from maestro.search.space import Space
from maestro.search.tpe import Tpe, STARTUP
from maestro._core.compiled import njit
from maestro.strategies.base import Strategy
from maestro.strategies.parameters import Int

@njit()
def one(x):
    return x + 1

one(1)  # the compiler's own start, which every kernel shares
class Rule(Strategy):
    n = Int(5, 1, 50)
tpe = Tpe(Space(Rule), 0)
for _ in range(STARTUP):
    tpe.tell(tpe.propose(), value=1.0)
begin = time.perf_counter()
tpe.propose()
print(time.perf_counter() - begin)
"""


def objective(params: dict[str, Any]) -> float:
    return -sum((float(value) - 17.3) ** 2 for value in params.values())


def ours(space: Space, seed: int, trials: int = TRIALS) -> float:
    """Seconds a trial."""
    tpe = Tpe(space, seed)
    begin = time.perf_counter()
    for _ in range(trials):
        params = tpe.propose()
        broken = space.violations(params)
        tpe.tell(params, value=objective(params), violations=broken)
    return (time.perf_counter() - begin) / trials


def optunas(space: Space, seed: int, trials: int = TRIALS) -> float:
    """Seconds a trial of Optuna's TPESampler in a study in memory."""
    import optuna

    from maestro.search.optuna_search import distribution

    optuna.logging.set_verbosity(logging.WARNING)
    distributions = {d.name: distribution(d) for d in space.dimensions}
    study = optuna.create_study(direction="maximize", sampler=optuna.samplers.TPESampler(multivariate=True, seed=seed))
    begin = time.perf_counter()
    for _ in range(trials):
        trial = study.ask(distributions)
        params = space.complete(trial.params)
        if space.violations(params):
            trial.set_constraint("rule", 1.0)
            study.tell(trial, state=optuna.trial.TrialState.PRUNED)
        else:
            study.tell(trial, objective(params))
    return (time.perf_counter() - begin) / trials


def first_call(cache: str) -> float:
    """Seconds of the first proposal out of the mixtures in a new process."""
    env = {**os.environ, "NUMBA_CACHE_DIR": cache}
    done = subprocess.run([sys.executable, "-c", COLD], env=env, capture_output=True, text=True, check=True)
    return float(done.stdout)


def main() -> None:
    print(f"TPE, {TRIALS} trials, minimum of {ROUNDS} rounds (Optuna: of 3)")
    print(f"{'space':<32}{'ms a trial':>12}{'Optuna':>10}{'ratio':>8}{'1,000 trials':>15}")
    for name, declared in SPACES.items():
        space = Space(type("Searched", (Strategy,), declared))
        ours(space, 0)
        mine = min(ours(space, seed) for seed in range(ROUNDS))
        theirs = min(optunas(space, seed) for seed in range(3))
        long = min(ours(space, seed, 1000) for seed in range(3))
        print(f"{name:<32}{mine * 1e3:>12.3f}{theirs * 1e3:>10.2f}{theirs / mine:>8.1f}{long * 1e3:>15.3f}")
    with tempfile.TemporaryDirectory() as cache:
        cold = first_call(cache)
        warm = min(first_call(cache) for _ in range(3))
    print(f"first proposal of a process: compiling {cold:.2f} s, from the cache {warm * 1e3:.0f} ms")


if __name__ == "__main__":
    main()
