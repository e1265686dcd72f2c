"""Data snooping: Reality Check, SPA and StepM compare the best of many rules with a benchmark.

Results equal those of `arch.bootstrap`, whose classes take losses instead of gains.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from maestro.errors import SettingsError
from maestro.typing import FloatArray
from maestro.validation.statistics.bootstrap import optimal_block, resamples
from maestro.validation.statistics.inputs import numeric_returns, refuse_constant

_LOOKED_AT = 20
"""Rules by which the length of the blocks is chosen."""


@dataclass(frozen=True)
class Snooping:
    """Result of `reality_check` and `spa`.

    Attributes
    ----------
    pvalue : float
        Probability that the best rule is as good as this one if no rule is better than the benchmark.
    lower, upper : float
        Bounds of it: rules worse than the benchmark counted as bad as they look, or as good as the benchmark.
    best : int
        Column of the best rule.
    statistic : float
        Its mean return per period above the benchmark (in its own standard deviations, for SPA).
    test : str
    n_rules, n_periods, reps, block, seed : int
    """

    pvalue: float
    lower: float
    upper: float
    best: int
    statistic: float
    test: str
    n_rules: int
    n_periods: int
    reps: int
    block: int
    seed: int

    def __repr__(self) -> str:
        return (
            f"{self.test}: p = {self.pvalue:.4f} (bounds {self.lower:.4f} to {self.upper:.4f}), "
            f"{self.n_rules:,} rules, {self.n_periods:,} periods, {self.reps:,} resamples, blocks of {self.block}"
        )


def reality_check(
    returns: Any, benchmark: Any = 0.0, *, reps: int = 1_000, block: int | None = None, seed: int = 0
) -> Snooping:
    """White's Reality Check: is the best of N rules better than a benchmark, given that N were tried?

    Parameters
    ----------
    returns : float64[T, N]
        Returns per period of every rule that was tried, including those that were dropped.
    benchmark : float or float64[T]
        Returns of the benchmark per period; 0 is holding cash.
    reps : int
        Resamples.
    block : int, optional
        Mean length of the blocks of the stationary bootstrap [periods]; if not given, the mean of `optimal_block` over
        up to 20 of the rules. Blocks much longer than that reject too often.
    seed : int

    Notes
    -----
    Clearly bad rules reduce the power of the Reality Check, because they count as if they equalled the benchmark.
    `spa` corrects this.

    Raises
    ------
    SettingsError

    Source: H. White, A Reality Check for Data Snooping, 2000, doi:10.1111/1468-0262.00152.
    """
    gains = _gains(returns, benchmark)
    return _test("Reality Check", gains, gains, _UPPER, reps, block, seed)


def spa(returns: Any, benchmark: Any = 0.0, *, reps: int = 1_000, block: int | None = None, seed: int = 0) -> Snooping:
    """Hansen's test of superior predictive ability; arguments and errors as of `reality_check`.

    Each rule's returns above the benchmark are first divided by their standard deviation, so that a volatile rule does
    not hide a steady one, and rules that are clearly worse than the benchmark do not count (the consistent p-value).

    Source: P. Hansen, A Test for Superior Predictive Ability, 2005, doi:10.1198/073500105000000063.
    """
    gains = _gains(returns, benchmark)
    return _test("SPA", gains, _scaled(gains), _CONSISTENT, reps, block, seed)


def step_m(
    returns: Any,
    benchmark: Any = 0.0,
    *,
    size: float = 0.05,
    reps: int = 1_000,
    block: int | None = None,
    seed: int = 0,
) -> list[int]:
    """StepM by Romano and Wolf: columns of all rules that are better than the benchmark.

    The probability that even one of them is not better is at most `size`. It uses the statistic of `spa`, with the same
    other arguments and errors.

    Source: J. Romano and M. Wolf, Stepwise Multiple Testing as Formalized Data Snooping, 2005,
    doi:10.1111/j.1468-0262.2005.00615.x.
    """
    if not 0.0 < size < 1.0:
        raise SettingsError(f"size={size!r} is not between 0 and 1; 0.05 is usual.")
    gains = _gains(returns, benchmark)
    length = _checked(gains, reps, block)
    scaled = _scaled(gains)
    simulated, means = _simulated(scaled, reps, length, seed)
    distances = simulated - _centres(scaled, length)[_CONSISTENT]
    left, better = np.ones(scaled.shape[1], np.bool_), []
    while left.any():
        found = left & (means > np.percentile(distances[:, left].max(axis=1), 100.0 * (1.0 - size)))
        if not found.any():
            break
        better += np.flatnonzero(found).tolist()
        left &= ~found
    return sorted(better)


_LOWER, _CONSISTENT, _UPPER = range(3)


def _test(
    name: str, gains: FloatArray, scaled: FloatArray, kind: int, reps: int, block: int | None, seed: int
) -> Snooping:
    length = _checked(gains, reps, block)
    simulated, means = _simulated(scaled, reps, length, seed)
    reached = np.asfortranarray(scaled).mean(axis=0).max()  # each column summed pairwise
    values = [float(((simulated - centre).max(axis=1) > reached).mean()) for centre in _centres(scaled, length)]
    best = int(means.argmax())
    return Snooping(
        values[kind], values[_LOWER], values[_UPPER], best, float(means[best]), name, scaled.shape[1], len(scaled),
        reps, length, seed,
    )  # fmt: skip


def _simulated(scaled: FloatArray, reps: int, block: int, seed: int) -> tuple[FloatArray, FloatArray]:
    """Mean of each column in each resample, float64[reps, N], and in the returns themselves, float64[N]."""
    means = np.empty((reps, scaled.shape[1]))
    for k, sample in enumerate(resamples(scaled, block, reps, seed)):
        sample.mean(axis=0, out=means[k])
    return means, scaled.mean(axis=0)


def _centres(scaled: FloatArray, block: int) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Means that the resamples are compared with, float64[N] each: for the lower, consistent and upper p-value."""
    means, n = scaled.mean(axis=0), len(scaled)
    distances, share = scaled - means, 1.0 / block
    variances = np.sum(distances**2, 0) / n
    for lag in range(1, n):
        weight = ((1.0 - (lag / n)) * ((1 - share) ** lag)) + ((lag / n) * ((1 - share) ** (n - lag)))
        variances += 2 * weight * np.sum(distances[: n - lag] * distances[lag:], 0) / n
    plainly_worse = ~(means >= -1.0 * np.sqrt((variances / n) * 2 * np.log(np.log(n))))
    return np.where(means < 0, 0.0, means), np.where(plainly_worse, 0.0, means), means


def _gains(returns: Any, benchmark: Any) -> FloatArray:
    table = numeric_returns(returns)
    table = table[:, None] if table.ndim == 1 else table
    if table.ndim != 2 or not table.size or len(table) < 20:
        raise SettingsError(f"returns have shape {table.shape}; give periods x rules, with at least 20 periods.")
    held = numeric_returns(benchmark, "benchmark")
    if held.ndim not in (0, 1) or (held.ndim == 1 and len(held) != len(table)):
        raise SettingsError(
            f"benchmark has shape {held.shape}; give one return, or one for each of {len(table)} periods."
        )
    gains = table - (held[:, None] if held.ndim else held)
    return np.ascontiguousarray(gains)


def _scaled(gains: FloatArray) -> FloatArray:
    """Each column in its own standard deviations; one that never varies stays as it is."""
    spread = gains.std(axis=0, ddof=1)
    return gains / np.where(spread > 1e-14, spread, 1.0)


def _checked(gains: FloatArray, reps: int, block: int | None) -> int:
    if isinstance(reps, bool) or not isinstance(reps, int) or reps < 100:
        raise SettingsError(f"reps={reps!r} is not a whole number of at least 100.")
    if block is not None and (isinstance(block, bool) or not isinstance(block, int) or not 1 <= block <= len(gains)):
        raise SettingsError(f"block={block!r} is not a whole number from 1 to the {len(gains)} periods.")
    refuse_constant(gains, "the returns above the benchmark")
    return _usual_block(gains) if block is None else block


def _usual_block(gains: FloatArray) -> int:
    columns = np.unique(np.linspace(0, gains.shape[1] - 1, _LOOKED_AT).astype(np.int64))
    return math.ceil(float(np.mean([optimal_block(gains[:, column]) for column in columns])))
