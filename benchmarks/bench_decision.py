"""What a regime filter, its fit and a Monte Carlo of trades cost, beside peers in the same run.

``python benchmarks/bench_decision.py`` prints the table; figures are the minimum over rounds. The peer of filter and
fit is hmmlearn, that of the Monte Carlo the same draw in NumPy, as one matrix of paths and trades.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np

import maestro as ms
from maestro.regime import Regimes

BARS = 8_760
PATHS, TRADES = 10_000, 1_000
ROUNDS = 3


def fastest(work: Callable[[], Any]) -> float:
    """Seconds of the fastest of the rounds."""
    found = []
    for _ in range(ROUNDS):
        begun = time.perf_counter()
        work()
        found.append(time.perf_counter() - begun)
    return min(found)


def in_numpy(returns: Any) -> Any:
    """Quantiles of the drawdown over bootstrapped paths."""
    drawn = np.random.default_rng(0).integers(0, len(returns), (PATHS, len(returns)))
    curve = np.cumprod(1.0 + returns[drawn], axis=1)
    falls = (curve / np.maximum.accumulate(np.maximum(curve, 1.0), axis=1) - 1.0).min(axis=1)
    return np.quantile(falls, (0.05, 0.5, 0.95))


def peers(bars: ms.Bars) -> tuple[float, float]:
    """Seconds of hmmlearn's fit and posterior; NaN where it is not installed."""
    try:
        from hmmlearn.hmm import GaussianHMM
    except ImportError:
        return float("nan"), float("nan")
    x = np.diff(np.log(bars.close))[:, None] * 100
    model = GaussianHMM(2, covariance_type="full", n_iter=100, random_state=0)
    fit = fastest(lambda: model.fit(x))
    return fit, fastest(lambda: model.predict_proba(x))


def main() -> None:
    """Print the table."""
    bars, model = ms.synthetic_bars(BARS), Regimes()
    fit = model.fit(bars)
    fit.probabilities(bars)  # compiled
    returns = np.random.default_rng(0).normal(0.001, 0.02, TRADES)
    ms.validation.monte_carlo(returns, paths=10)
    fitted, filtered = peers(bars)
    rows = [
        (f"fit of 2 states, {BARS:,} bars", fastest(lambda: model.fit(bars)), "hmmlearn", fitted),
        (f"filter, {BARS:,} bars", fastest(lambda: fit.probabilities(bars)), "hmmlearn (smoothed)", filtered),
        (f"Monte Carlo, {PATHS:,} paths of {TRADES:,} trades",
         fastest(lambda: ms.validation.monte_carlo(returns, paths=PATHS)), "NumPy", fastest(lambda: in_numpy(returns))),
    ]  # fmt: skip
    print("| what | Maestro [ms] | peer | peer [ms] |\n|---|---|---|---|")
    for name, own, peer, other in rows:
        print(f"| {name} | {own * 1e3:,.1f} | {peer} | {other * 1e3:,.1f} |")


if __name__ == "__main__":
    main()
