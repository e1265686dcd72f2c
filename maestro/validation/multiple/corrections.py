"""P-values corrected for their number: Benjamini-Hochberg and Holm."""

from __future__ import annotations

from typing import Any

import numpy as np

from maestro.errors import SettingsError
from maestro.typing import FloatArray


def benjamini_hochberg(pvalues: Any) -> FloatArray:
    """Adjusted p-values that bound the false discovery rate; NaN stays NaN and does not count.

    Of all results with an adjusted p-value of at most 0.05, at most 5 % are expected to be false, if the results are
    independent or positively correlated.

    Source: Y. Benjamini and Y. Hochberg, Controlling the False Discovery Rate, 1995,
    doi:10.1111/j.2517-6161.1995.tb02031.x.
    """
    p, order = _sorted(pvalues)
    n = len(order)
    steps = p[order] * n / np.arange(1, n + 1)
    return _back(np.minimum.accumulate(steps[::-1])[::-1], p, order)


def holm(pvalues: Any) -> FloatArray:
    """Adjusted p-values that bound the familywise error rate for any dependence; NaN stays NaN and does not count.

    The probability that even one result with an adjusted p-value of at most 0.05 is false is at most 5 %.

    Source: S. Holm, A Simple Sequentially Rejective Multiple Test Procedure, 1979, https://www.jstor.org/stable/4615733.
    """
    p, order = _sorted(pvalues)
    n = len(order)
    return _back(np.maximum.accumulate(p[order] * np.arange(n, 0, -1)), p, order)


def _sorted(pvalues: Any) -> tuple[FloatArray, Any]:
    """All p-values, and the positions of those that are not NaN, the smallest first."""
    p = np.asarray(pvalues, np.float64)
    if p.ndim != 1 or (p[~np.isnan(p)] < 0).any() or (p[~np.isnan(p)] > 1).any():
        raise SettingsError("p-values are one list of numbers from 0 to 1; NaN is one that is not known.")
    known = np.flatnonzero(~np.isnan(p))
    return p, known[np.argsort(p[known], kind="stable")]


def _back(adjusted: FloatArray, p: FloatArray, order: Any) -> FloatArray:
    out = np.full(len(p), np.nan)
    out[order] = np.minimum(adjusted, 1.0)
    return out
