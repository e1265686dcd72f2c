"""A random walk as arrays, and the comparison of two columns."""

from __future__ import annotations

from typing import Any

import numpy as np

N = 700


RTOL = 1e-10


def walk(seed: int = 0, n: int = N) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(seed)
    close = 100 * np.exp(np.cumsum(rng.normal(0, 0.01, n)))
    spread = abs(rng.normal(0, 0.005, n))
    return {
        "close": close,
        "high": close * (1 + spread),
        "low": close * (1 - abs(rng.normal(0, 0.005, n))),
        "volume": rng.lognormal(3, 1, n),
    }


M = walk()


C, H, L, V = M["close"], M["high"], M["low"], M["volume"]


def agree(mine: Any, theirs: Any, rtol: float = RTOL, atol: float = 0.0) -> None:
    np.testing.assert_array_equal(np.isnan(mine), np.isnan(theirs))
    np.testing.assert_allclose(mine, theirs, rtol=rtol, atol=atol)
