"""StepM with p-values: means of many dependent series tested together by the stationary bootstrap."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from maestro.errors import SettingsError
from maestro.search.tpe import check_seed
from maestro.typing import FloatArray

_CHUNK = 500
"""Resamples drawn at a time."""
FEWEST = 20
"""Periods that a series needs to be tested."""


class Resampled(NamedTuple):
    """Result of `resampled_test`; NaN where a series has too few periods or never varies.

    Attributes
    ----------
    statistic : float64[k]
        Mean over its standard error.
    p_value : float64[k]
        One-sided, of each series alone: P(a statistic as large | its mean is 0).
    p_adjusted : float64[k]
        Of StepM: the probability that even one of the series with an adjusted p-value of at most q has no mean above 0
        is at most q.
    block : int
        Mean length of the blocks [periods].
    """

    statistic: FloatArray
    p_value: FloatArray
    p_adjusted: FloatArray
    block: int


def resampled_test(
    returns: FloatArray, *, repetitions: int = 9_999, seed: int = 0, block: int | None = None
) -> Resampled:
    """Test whether the means of series are above 0, each alone and all together.

    Every resample takes the same periods of all series, which preserves their correlation: forty symbols that move
    together are not forty independent series. Statistics are studentised within each resample. The step-down
    procedure is that of Romano and Wolf.

    Parameters
    ----------
    returns : float64[n, k]
        One column per series; NaN where a series has no return.
    repetitions : int
        Resamples; the smallest possible p-value is 1 / (repetitions + 1).
    seed : int
    block : int, optional
        Mean length of the blocks [periods]; the cube root of their number, rounded up, if absent.

    Raises
    ------
    SettingsError
        Another shape, infinite values, fewer than 99 repetitions, or an impossible block.

    Sources: J. Romano and M. Wolf, Stepwise Multiple Testing as Formalized Data Snooping, 2005,
    doi:10.1111/j.1468-0262.2005.00615.x; Efficient Computation of Adjusted p-Values for Resampling-Based Stepdown
    Multiple Testing, 2016, doi:10.1016/j.spl.2016.02.012; D. Politis and J. Romano, The Stationary Bootstrap, 1994,
    doi:10.1080/01621459.1994.10476870.
    """
    values = np.asarray(returns, np.float64)
    if values.ndim != 2 or np.isinf(values).any():
        raise SettingsError(f"returns have shape {values.shape}; give finite numbers or NaN, one column per series.")
    if isinstance(repetitions, bool) or not isinstance(repetitions, int) or repetitions < 99:
        raise SettingsError(f"repetitions={repetitions!r} is not a whole number of at least 99; 9,999 is usual.")
    check_seed(seed)
    n, k = values.shape
    length = max(math.ceil(n ** (1 / 3)), 1) if block is None else block
    if isinstance(length, bool) or not isinstance(length, int) or not 1 <= length <= max(n, 1):
        raise SettingsError(f"block={block!r} is not a whole number from 1 to the {n} periods.")
    there = ~np.isnan(values)
    filled = np.where(there, values, 0.0)
    count = there.sum(axis=0)
    mean = np.divide(filled.sum(axis=0), count, out=np.zeros(k), where=count > 0)
    centred = np.where(there, values - mean, 0.0)  # sums of squares of what is centred lose no digits
    spread = np.sqrt(np.divide((centred**2).sum(axis=0), count - 1, out=np.zeros(k), where=count > 1))
    usable = np.flatnonzero((count >= FEWEST) & (spread > 1e-14))
    out = np.full((3, k), np.nan)
    if len(usable):
        t = mean[usable] / spread[usable] * np.sqrt(count[usable])
        order = np.argsort(-t, kind="stable")
        places = usable[order]
        alone, together = _exceeded(
            centred[:, places], there[:, places].astype(np.float64), t[order], repetitions, length,
            np.random.default_rng(seed),
        )  # fmt: skip
        out[0, places] = t[order]
        out[1, places] = (1 + alone) / (1 + repetitions)
        out[2, places] = np.maximum.accumulate((1 + together) / (1 + repetitions))
    return Resampled(out[0], out[1], out[2], length)


def _exceeded(
    centred: FloatArray, there: FloatArray, t: FloatArray, repetitions: int, block: int, rng: Any
) -> tuple[FloatArray, FloatArray]:
    """How often a resampled statistic reaches that of its series, and the largest of it and all smaller ones does.

    Columns are in the order of `t`, the largest first.
    """
    n, k = centred.shape
    whole = bool(there.all())
    squared = centred**2
    alone, together = np.zeros(k), np.zeros(k)
    for begin in range(0, repetitions, _CHUNK):
        weights = _drawn(n, min(_CHUNK, repetitions - begin), block, rng)
        count = np.full((len(weights), k), float(n)) if whole else weights @ there
        safe = np.maximum(count, 2.0)
        mean = (weights @ centred) / safe
        variance = np.maximum((weights @ squared) / safe - mean**2, 0.0) * safe / (safe - 1.0)
        # A series that does not vary in a resample, or is hardly there, says nothing against the observed one.
        defined = (count >= 2.0) & (variance > 1e-28)
        null = np.where(defined, mean / np.sqrt(np.where(defined, variance, 1.0) / safe), 0.0)
        alone += (null >= t).sum(axis=0)
        largest = np.maximum.accumulate(null[:, ::-1], axis=1)[:, ::-1]
        together += (largest >= t).sum(axis=0)
    return alone, together


def _drawn(n: int, repetitions: int, block: int, rng: Any) -> FloatArray:
    """How often each period is in each resample of the stationary bootstrap, float64[repetitions, n]."""
    begins = rng.random((repetitions, n)) < 1.0 / block
    begins[:, 0] = True
    starts = rng.integers(0, n, (repetitions, n))
    since = np.maximum.accumulate(np.where(begins, np.arange(n), 0), axis=1)
    periods = (np.take_along_axis(starts, since, axis=1) + np.arange(n) - since) % n
    flat = (periods + n * np.arange(repetitions)[:, None]).ravel()
    counts: FloatArray = np.bincount(flat, minlength=repetitions * n).reshape(repetitions, n).astype(np.float64)
    return counts
