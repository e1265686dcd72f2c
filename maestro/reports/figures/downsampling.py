"""Downsampling of long series: a line of a million bars keeps every visible peak and trough."""

from __future__ import annotations

from typing import Any

import numpy as np

from maestro.typing import IntArray

MAX_POINTS = 2_000
"""Largest number of points per line."""


def thin(*series: Any, points: int = MAX_POINTS) -> IntArray:
    """Rows that keep the extremes of every series, at most `points`, ascending; the first and last are kept.

    Parameters
    ----------
    *series : float64[n], of one length
        NaN is ignored; a stretch of NaN alone keeps its first row.
    points : int
        Largest number of rows; shorter series are returned whole.

    Notes
    -----
    Rows are cut into equal buckets; each gives the row of the smallest and of the largest value of each series.
    Lines drawn through them have the same outline as the whole one, at any width below the number of buckets.
    """
    n = len(series[0])
    if n <= points:
        return np.arange(n)
    buckets = max(1, (points - 2) // (2 * len(series)))
    edges = np.linspace(0, n, buckets + 1).astype(np.int64)[:-1]
    bucket_of = np.repeat(np.arange(len(edges)), np.diff(np.append(edges, n)))
    kept = [np.array([0, n - 1])]
    for values in series:
        array = np.asarray(values, np.float64)
        for sign in (1.0, -1.0):
            signed = np.where(np.isnan(array), np.inf, sign * array)
            best = np.minimum.reduceat(signed, edges)
            hits = np.flatnonzero(signed == best[bucket_of])
            _, first = np.unique(bucket_of[hits], return_index=True)
            kept.append(hits[first])
    return np.unique(np.concatenate(kept))
