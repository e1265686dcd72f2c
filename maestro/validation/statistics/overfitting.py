"""Probability of backtest overfitting: how often the best in sample is below the median out of sample (CSCV)."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from math import comb
from typing import Any, Literal

import numpy as np

from maestro.errors import SettingsError
from maestro.typing import FloatArray
from maestro.validation.statistics.inputs import numeric_returns, refuse_constant

_CHUNK = 256
"""Combinations evaluated at once; bounds the memory to a few arrays of 256 x N doubles, which the caches hold."""
_ROWS = 16
"""Combinations in one matrix product: BLAS would divide larger ones among threads, which gains nothing and, on a busy
machine, takes ten times as long, because they wait for each other."""


@dataclass(frozen=True)
class Overfitting:
    """Result of `pbo`.

    Attributes
    ----------
    pbo : float
        Share of the combinations in which the best in sample ranks at or below the median out of sample.
    logits : float64[n_combinations]
        ln(omega / (1 - omega)) of the relative out-of-sample rank omega of the best in sample.
    in_sample, out_of_sample : float64[n_combinations]
        Metric of the best in sample, on both halves.
    n_blocks, n_trials : int
    """

    pbo: float
    logits: FloatArray
    in_sample: FloatArray
    out_of_sample: FloatArray
    n_blocks: int
    n_trials: int

    @property
    def slope(self) -> float:
        """Slope of the out-of-sample metric on the in-sample one; below 0, a better past means a worse future."""
        if np.ptp(self.in_sample) == 0:
            return float("nan")
        return float(np.polyfit(self.in_sample, self.out_of_sample, 1)[0])

    @property
    def probability_of_loss(self) -> float:
        """Share of the combinations in which the best in sample loses out of sample."""
        return float((self.out_of_sample < 0).mean())

    def __repr__(self) -> str:
        return (
            f"Overfitting(pbo={self.pbo:.3f}, slope={self.slope:.3f}, probability_of_loss="
            f"{self.probability_of_loss:.3f}; {self.n_trials} trials, {len(self.logits):,} combinations)"
        )


def pbo(returns: Any, n_blocks: int = 16, metric: Literal["sharpe_ratio", "mean"] = "sharpe_ratio") -> Overfitting:
    """Probability of backtest overfitting by combinatorially symmetric cross-validation.

    The T rows are divided into `n_blocks` equal blocks (excess rows are left out at the beginning); each
    combination of half of them is once in sample, with the rest out of sample.

    Parameters
    ----------
    returns : float64[T, N]
        Returns per period of the N trials.
    n_blocks : int
        Even, at least 2; 16 gives 12,870 combinations.
    metric : {"sharpe_ratio", "mean"}
        Metric that ranks the trials; a column without variance has no Sharpe ratio and ranks last.

    Raises
    ------
    SettingsError
        An invalid shape, value or number of blocks.

    Source: D. Bailey, J. Borwein, M. López de Prado, Q. Zhu, The Probability of Backtest Overfitting, 2015,
    doi:10.21314/JCF.2016.322. Worked: block means [4, 1.1, 2, .3], [0, 1.3, 3, 2.2], [-3, .9, .1, 2.5],
    [1.2, 1.6, -1, .4] give 5/6.
    """
    table = numeric_returns(returns)
    if table.ndim != 2 or table.shape[1] < 2:
        raise SettingsError(f"returns have shape {table.shape}; give periods x trials, with at least two trials.")
    if isinstance(n_blocks, bool) or not isinstance(n_blocks, int) or n_blocks < 2 or n_blocks % 2:
        raise SettingsError(f"n_blocks={n_blocks!r} is not an even number of at least 2; 16 is usual.")
    if metric not in ("sharpe_ratio", "mean"):
        raise SettingsError(f"metric={metric!r} is unknown; allowed: sharpe_ratio, mean.")
    size = len(table) // n_blocks
    if size < (2 if metric == "sharpe_ratio" else 1):
        raise SettingsError(f"{len(table)} periods make blocks of {size}; give more periods or fewer blocks.")
    refuse_constant(table, "the returns")
    table = table[len(table) - size * n_blocks :] - 0.0
    blocks = table.reshape(n_blocks, size, -1)
    centre = table.mean(axis=0)  # sums around the mean keep the digits of a small variance
    sums, squares = blocks.sum(axis=1), ((blocks - centre) ** 2).sum(axis=1)
    chosen = np.array(list(combinations(range(n_blocks), n_blocks // 2)))
    masks = np.zeros((len(chosen), n_blocks))
    np.put_along_axis(masks, chosen, 1.0, axis=1)
    half = size * n_blocks // 2
    n = table.shape[1]
    logits, inside, outside = (np.empty(comb(n_blocks, n_blocks // 2)) for _ in range(3))
    # Each half is the other's rest, and the rest of combination k is the k-th from the end: both at once.
    for a in range(0, len(masks) // 2, _CHUNK):
        part = masks[a : min(a + _CHUNK, len(masks) // 2)]
        ins = _score(_totals(part, sums), _totals(part, squares), half, centre, metric)
        out = _score(_totals(1.0 - part, sums), _totals(1.0 - part, squares), half, centre, metric)
        here = np.arange(a, a + len(part))
        for places, mine, others in ((here, ins, out), (len(masks) - 1 - here, out, ins)):
            rows, best = np.arange(len(part)), mine.argmax(axis=1)
            reached = others[rows, best]
            below, equal = (others < reached[:, None]).sum(axis=1), (others == reached[:, None]).sum(axis=1)
            rank = below + (equal + 1) / 2  # 1 is worst; ties share the middle of their ranks
            omega = rank / (n + 1.0)
            logits[places] = np.log(omega / (1.0 - omega))
            inside[places], outside[places] = mine[rows, best], reached
    return Overfitting(float((logits <= 0).mean()), logits, inside, outside, n_blocks, n)


def _totals(part: FloatArray, sums: FloatArray) -> FloatArray:
    """Sums over the blocks of each combination: ``part @ sums``."""
    count, blocks = part.shape
    stack = np.zeros((-(-count // _ROWS), _ROWS, blocks))
    stack.reshape(-1, blocks)[:count] = part
    total: FloatArray = np.matmul(stack, sums).reshape(-1, sums.shape[1])[:count]
    return total


def _score(total: FloatArray, square: FloatArray, count: int, centre: FloatArray, metric: str) -> FloatArray:
    mean = total / count
    if metric == "mean":
        return mean
    variance = (square - count * (mean - centre) ** 2) / (count - 1)
    with np.errstate(divide="ignore", invalid="ignore"):
        sharpe: FloatArray = mean / np.sqrt(variance)
    return np.where(variance > 1e-28, sharpe, -np.inf)
